"""One step of a recurrent layer: all gates at once."""

from __future__ import annotations

from typing import Any

from .narrow import in_float32

__all__ = ["RecurrentMixin"]


class RecurrentMixin:
    """Steps over ``self.xp``; the residual holds what the gates became."""

    xp: Any
    sigmoid: Any
    tanh: Any

    @in_float32
    def lstm_step(self, gates: Any, memory: Any) -> tuple[Any, Any]:
        """The next state of an LSTM.

        Args:
            gates: (N, 4 H), input, forget, cell and output gate, before sigmoid and tanh.
            memory: (N, H).

        Returns:
            (2, N, H): the next h and c. And (N, 5, H): the gates, and tanh of the next c.
        """
        n, size = memory.shape
        out, res = self.xp.empty((2, n, size), memory.dtype), self.xp.empty((n, 5, size), memory.dtype)
        four = gates.reshape(n, 4, size)
        res[:, :4] = self.sigmoid(four)
        res[:, 2] = self.tanh(four[:, 2])
        out[1] = res[:, 1] * memory + res[:, 0] * res[:, 2]
        res[:, 4] = self.tanh(out[1])
        out[0] = res[:, 3] * res[:, 4]
        return out, res

    @in_float32
    def lstm_step_vjp(self, g: Any, gates: Any, memory: Any, res: Any, need: tuple[bool, ...]) -> tuple[Any, ...]:
        i, f, new, o, t = (res[:, k] for k in range(5))
        of_c = g[1] + g[0] * o * (1 - t * t)
        if not need[0]:
            return None, of_c * f if need[1] else None
        slopes = self.xp.empty((memory.shape[0], 4, memory.shape[1]), memory.dtype)
        slopes[:, 0] = of_c * new * i * (1 - i)
        slopes[:, 1] = of_c * memory * f * (1 - f)
        slopes[:, 2] = of_c * i * (1 - new * new)
        slopes[:, 3] = g[0] * t * o * (1 - o)
        return slopes.reshape(gates.shape), of_c * f if need[1] else None

    @in_float32
    def gru_step(self, x: Any, old: Any, h: Any) -> tuple[Any, Any]:
        """The next state of a GRU.

        Args:
            x, old: (N, 3 H), reset, update and new gate, of the input and of the state.
            h: (N, H).

        Returns:
            (N, H): the next h. And (N, 3, H): the gates.
        """
        n, size = h.shape
        res = self.xp.empty((n, 3, size), h.dtype)
        res[:, :2] = self.sigmoid((x[:, : 2 * size] + old[:, : 2 * size]).reshape(n, 2, size))
        res[:, 2] = self.tanh(x[:, 2 * size :] + res[:, 0] * old[:, 2 * size :])
        new = res[:, 2]
        return new + res[:, 1] * (h - new), res

    @in_float32
    def gru_step_vjp(self, g: Any, x: Any, old: Any, h: Any, res: Any, need: tuple[bool, ...]) -> tuple[Any, ...]:
        r, z, new = (res[:, k] for k in range(3))
        size = h.shape[1]
        slopes = self.xp.empty(res.shape, h.dtype)
        slopes[:, 2] = g * (1 - z) * (1 - new * new)
        slopes[:, 1] = g * (h - new) * z * (1 - z)
        slopes[:, 0] = slopes[:, 2] * old[:, 2 * size :] * r * (1 - r)
        of_old = None
        if need[1]:
            of_old = slopes.copy()
            of_old[:, 2] *= r
            of_old = of_old.reshape(x.shape)
        return slopes.reshape(x.shape) if need[0] else None, of_old, g * z if need[2] else None
