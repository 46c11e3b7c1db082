"""Recurrent layers: all steps of one layer in one direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .narrow import NARROW, in_float32

__all__ = ["GATES", "RecurrentMixin", "spans"]

# How many blocks of H rows the weights have.
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
# What a step keeps for the way back, beside the gates and the state that it began with.
KEPT = {"RNN_TANH": 0, "RNN_RELU": 0, "GRU": 1, "LSTM": 2}
# So many steps make up for a copy of the weights that a product reads faster.
LONG = 4


def spans(sizes: Sequence[int], reverse: bool) -> list[tuple[int, int]]:
    """Where the rows of each step begin and end, in the order in which the steps are walked."""
    found, start = [], 0
    for n in sizes:
        found.append((start, start + n))
        start += n
    return found[::-1] if reverse else found


class RecurrentMixin:
    """Recurrent layers over ``self.xp``.

    The products of the input and of the weights' gradients are one each for all steps; what remains of a step is a
    product of its state, and the methods below on the rows of the step. All write to what they are given.
    """

    xp: Any
    sigmoid: Any
    tanh: Any
    sum: Any

    def recurrent(
        self, x: Any, h: Any, memory: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, mode: str,
        sizes: Sequence[int], reverse: bool,
    ) -> tuple[Any, Any]:  # fmt: skip
        """One layer in one direction; see the rule.

        Args:
            x: (rows, features), the steps one after another.
            h, memory: the state to start from, (N, width) and for an LSTM (N, H), else None.
            w_ih, w_hh: (blocks H, features) and (blocks H, width).
            b_ih, b_hh: (blocks H,), or both None.
            w_hr: (width, H), the projection of an LSTM's state; or None, then width is H.
            mode: a key of ``GATES``.
            sizes: how many of the N sequences have each step, never increasing.
            reverse: from the last step to the first.

        Returns:
            (rows + N, H), for an LSTM (rows + 2 N, H): h after each step, the last h of each sequence, its last memory;
            zeros right of the width. And what the way back needs.
        """
        given = (x, h, memory, w_ih, w_hh, b_ih, b_hh, w_hr)
        if x.dtype.char in NARROW:
            wide = [None if a is None else a.astype(np.float32) for a in given]
            out, res = self._all_steps(wide, mode, sizes, reverse)
            return out.astype(x.dtype), res
        return self._all_steps(given, mode, sizes, reverse)

    def _all_steps(self, given: Sequence[Any], mode: str, sizes: Sequence[int], reverse: bool) -> tuple[Any, Any]:
        x, h, memory, w_ih, w_hh, b_ih, b_hh, w_hr = given
        xp, dtype, rows, (batch, width), step = self.xp, x.dtype, len(x), h.shape, getattr(self, "_" + mode.lower())
        size = len(w_hh) // GATES[mode]
        gates, past = xp.empty((rows, len(w_ih)), dtype), xp.empty((rows, width), dtype)
        kept = [xp.empty((rows, size), dtype) for _ in range(KEPT[mode])]
        xp.dot(x, w_ih.T, out=gates)
        bias = self._bias(mode, b_ih, b_hh, len(w_ih), dtype)
        turned = xp.ascontiguousarray(w_hh.T) if len(sizes) >= LONG and batch > 1 else w_hh.T
        h, memory = h.copy(), None if memory is None else memory.copy()
        out = (xp.empty if w_hr is None else xp.zeros)((rows + batch * (1 + (memory is not None)), size), dtype)
        ys = out[:rows, :width]
        old, bare = xp.empty((batch, len(w_ih)), dtype), None if w_hr is None else xp.empty((batch, size), dtype)
        for start, stop in spans(sizes, reverse):
            n = stop - start
            now = h[:n]
            past[start:stop] = now
            xp.dot(now, turned, out=old[:n])
            made = now if bare is None else bare[:n]
            state = [made] if memory is None else [made, memory[:n]]
            step(gates[start:stop], old[:n], bias, *state, *[k[start:stop] for k in kept])
            if bare is not None:
                xp.dot(made, w_hr.T, out=now)
            ys[start:stop] = now
        out[rows : rows + batch, :width] = h
        if memory is not None:
            out[rows + batch :] = memory
        return out, (gates, past, *kept)

    @in_float32
    def recurrent_vjp(
        self, g: Any, x: Any, h: Any, memory: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, mode: str,
        sizes: Sequence[int], reverse: bool, res: Any, need: tuple[bool, ...],
    ) -> tuple[Any, ...]:  # fmt: skip
        """The cotangents of the arrays; those that ``need`` does not ask for are None."""
        xp, rows, (batch, width), back = self.xp, len(x), h.shape, getattr(self, "_" + mode.lower() + "_back")
        gates, past, *kept = res
        of_y, of_h = g[:rows, :width], g[rows : rows + batch, :width].copy()
        of_memory = None if memory is None else g[rows + batch :].copy()
        slopes = xp.empty(gates.shape, gates.dtype)
        of_old = xp.empty(gates.shape, gates.dtype) if mode == "GRU" else slopes  # a gate of it scales the state's part
        tops = None if w_hr is None else xp.empty((rows, width), gates.dtype)
        sums = xp.empty((batch, width), gates.dtype) if mode == "GRU" else None
        for start, stop in reversed(spans(sizes, reverse)):
            n = stop - start
            now = top = of_h[:n]
            now += of_y[start:stop]
            if tops is not None:
                tops[start:stop] = now
                top = xp.dot(now, w_hr)
            places = [gates[start:stop], slopes[start:stop], *[k[start:stop] for k in kept]]
            if sums is not None:  # a GRU
                back(top, *places, past[start:stop], of_old[start:stop])
                xp.dot(of_old[start:stop], w_hh, out=sums[:n])
                now += sums[:n]
            else:
                back(top, *places, *([] if of_memory is None else [of_memory[:n]]))
                xp.dot(slopes[start:stop], w_hh, out=now)
        return (
            xp.dot(slopes, w_ih) if need[0] else None,
            of_h if need[1] else None,
            of_memory if need[2] else None,
            xp.dot(slopes.T, x) if need[3] else None,
            xp.dot(of_old.T, past) if need[4] else None,
            self.sum(slopes, (0,), False) if need[5] else None,
            self.sum(of_old, (0,), False) if need[6] else None,
            None if tops is None or not need[7] else xp.dot(tops.T, gates[:, -kept[1].shape[1] :] * kept[1]),
        )

    def _bias(self, mode: str, b_ih: Any, b_hh: Any, count: int, dtype: np.dtype) -> Any:
        """What is added to the gates: the sum of both biases; a GRU's last block of each by itself."""
        if b_ih is None:
            return self.xp.zeros(count + (count // 3 if mode == "GRU" else 0), dtype)
        if mode != "GRU":
            return b_ih + b_hh
        both = 2 * (count // 3)
        return self.xp.concatenate([b_ih[:both] + b_hh[:both], b_ih[both:], b_hh[both:]])

    # One step: gates (n, blocks H) of the input become what they are after sigmoid and tanh, h (n, H) the next state.

    def _rnn_tanh(self, gates: Any, old: Any, bias: Any, h: Any) -> None:
        gates[...] = self.tanh(gates + old + bias)
        h[...] = gates

    def _rnn_relu(self, gates: Any, old: Any, bias: Any, h: Any) -> None:
        gates[...] = self.xp.maximum(gates + old + bias, 0)
        h[...] = gates

    def _gru(self, gates: Any, old: Any, bias: Any, h: Any, kept: Any) -> None:
        both, size = 2 * h.shape[1], h.shape[1]
        gates[:, :both] = self.sigmoid(gates[:, :both] + old[:, :both] + bias[:both])
        kept[...] = old[:, both:] + bias[-size:]
        gates[:, both:] = self.tanh(gates[:, both:] + bias[both:-size] + gates[:, :size] * kept)
        new = gates[:, both:]
        h[...] = new + gates[:, size:both] * (h - new)

    def _lstm(self, gates: Any, old: Any, bias: Any, h: Any, memory: Any, before: Any, bent: Any) -> None:
        size = memory.shape[1]
        total = gates + old + bias
        gates[...] = self.sigmoid(total)
        gates[:, 2 * size : 3 * size] = self.tanh(total[:, 2 * size : 3 * size])
        i, f, new, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
        before[...] = memory
        memory[...] = f * before + i * new
        bent[...] = self.tanh(memory)
        h[...] = o * bent

    # The way back through one step: from the cotangent g (n, H) of the next state to those before sigmoid and tanh.

    def _rnn_tanh_back(self, g: Any, gates: Any, slopes: Any) -> None:
        slopes[...] = g * (1 - gates * gates)

    def _rnn_relu_back(self, g: Any, gates: Any, slopes: Any) -> None:
        slopes[...] = self.xp.where(gates <= 0, 0, g)

    def _gru_back(self, g: Any, gates: Any, slopes: Any, kept: Any, past: Any, of_old: Any) -> None:
        """``g`` becomes the part of the last state's cotangent that passes by the gates."""
        size = past.shape[1]
        r, z, new = (gates[:, k * size : (k + 1) * size] for k in range(3))
        of_new = g * (1 - z) * (1 - new * new)
        slopes[:, :size] = of_new * kept * r * (1 - r)
        slopes[:, size : 2 * size] = g * (past - new) * z * (1 - z)
        slopes[:, 2 * size :] = of_new
        of_old[:, : 2 * size] = slopes[:, : 2 * size]
        of_old[:, 2 * size :] = of_new * r
        g *= z

    def _lstm_back(self, g: Any, gates: Any, slopes: Any, before: Any, bent: Any, of_memory: Any) -> None:
        size = before.shape[1]
        i, f, new, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
        of_memory += g * o * (1 - bent * bent)
        slopes[:, :size] = of_memory * new * i * (1 - i)
        slopes[:, size : 2 * size] = of_memory * before * f * (1 - f)
        slopes[:, 2 * size : 3 * size] = of_memory * i * (1 - new * new)
        slopes[:, 3 * size :] = g * bent * o * (1 - o)
        of_memory *= f
