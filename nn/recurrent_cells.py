"""One step of the recurrent layers as modules."""

from __future__ import annotations

import math
from typing import Any

from ..autograd import Tensor
from ..autograd.ops.factories import empty, zeros
from . import init
from .module import Module
from .parameter import Parameter
from .recurrent_steps import step

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share.

    Args:
        input_size: features of the input. hidden_size: features of the hidden state.
        bias: whether there are biases.
        num_chunks: how many blocks of hidden_size rows the weights have.
        device, dtype: of the parameters.

    Attributes:
        weight_ih, weight_hh, bias_ih, bias_hh: uniform within ±1/sqrt(hidden_size); the biases None without.
    """

    mode: str

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _step(self, input: Tensor, state: Any, count: int) -> tuple[Tensor, ...]:
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.shape[-1]}, expected {self.input_size}")
        alone = input.ndim == 1
        x = input.unsqueeze(0) if alone else input
        if state is None:
            state = [zeros((x.shape[0], self.hidden_size), dtype=x.dtype, device=x.device)] * count
        else:
            for i, s in enumerate(state):
                if s.ndim not in (1, 2):
                    raise ValueError(f"{name}: Expected hidden[{i}] to be 1D or 2D, got {s.ndim}D instead")
            state = [s.unsqueeze(0) if s.ndim == 1 else s for s in state]
            for i, s in enumerate(state):
                if tuple(s.shape) != (x.shape[0], self.hidden_size):
                    raise RuntimeError(
                        f"hidden{i} has inconsistent hidden_size or batch: got {list(s.shape)}, expected "
                        f"{[x.shape[0], self.hidden_size]}"
                    )
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None)
        made = step(self.mode, x, tuple(state), weights)
        return tuple(m.squeeze(0) for m in made) if alone else made

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        return text


class RNNCell(RNNCellBase):
    """``tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Args:
        input_size, hidden_size, bias, device, dtype: see ``RNNCellBase``.
        nonlinearity: "tanh" or "relu".
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    @property
    def mode(self) -> str:  # type: ignore[override]
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return f"RNN_{self.nonlinearity.upper()}"

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state (N, hidden_size), of an input (N, input_size) and a state; both also without N."""
        return self._step(input, None if hx is None else (hx,), 1)[0]

    def extra_repr(self) -> str:
        return super().extra_repr() + (f", nonlinearity={self.nonlinearity}" if self.nonlinearity != "tanh" else "")


class LSTMCell(RNNCellBase):
    """One step of an LSTM; arguments as of ``RNNCellBase``."""

    mode = "LSTM"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, ...]:
        """The next (h, c), of an input (N, input_size) and a pair (h, c); all also without N."""
        return self._step(input, hx, 2)


class GRUCell(RNNCellBase):
    """One step of a GRU; arguments as of ``RNNCellBase``."""

    mode = "GRU"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state (N, hidden_size), of an input (N, input_size) and a state; both also without N."""
        return self._step(input, None if hx is None else (hx,), 1)[0]
