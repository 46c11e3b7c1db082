"""Recurrent layers: RNN, LSTM, GRU."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..autograd import P, Tensor
from ..autograd.ops.factories import empty, zeros
from ..autograd.views import own
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .recurrent_steps import GATES, run
from .utils.rnn import PackedSequence
from .warn import users_line

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

# The order in which a layer has them, and in which ``run`` takes them.
WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


class RNNBase(Module):
    """What the recurrent layers share.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size: features of the input.
        hidden_size: H, features of the hidden state.
        num_layers: how many layers lie upon each other.
        bias: whether the layers have biases.
        batch_first: inputs and results are (N, L, ...), not (L, N, ...).
        dropout: between the layers, in training.
        bidirectional: also run from the last step to the first, and give both results side by side.
        proj_size: an LSTM's hidden state is projected to this many features; 0 for none.
        device, dtype: of the parameters.

    Raises:
        ValueError, TypeError: sizes that make no sense.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0: of layer 0, and so on; with ``_reverse`` of
            the other direction. Uniform within ±1/sqrt(hidden_size).
    """

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._check_sizes(input_size, hidden_size, num_layers, dropout, proj_size)
        if mode not in GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._names = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: 1 + bidirectional]:
                self._names.append(self._make_layer(layer, f"_l{layer}{suffix}", device, dtype))
        self.reset_parameters()

    def _check_sizes(self, input_size: int, hidden_size: int, layers: int, dropout: float, proj_size: int) -> None:
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if not isinstance(hidden_size, int):
            raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if size <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if dropout > 0 and layers == 1:
            warnings.warn(
                f"dropout option: dropout={dropout} comes after each layer but the last, so it changes nothing with "
                f"num_layers={layers}",
                stacklevel=users_line(),
            )

    def _make_layer(self, layer: int, suffix: str, device: Any, dtype: Any) -> list[str]:
        """Add the parameters of one layer in one direction; returns their names, as ``run`` takes them."""
        rows = GATES[self.mode] * self.hidden_size
        width = self.proj_size or self.hidden_size
        below = self.input_size if layer == 0 else width * (1 + self.bidirectional)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, below), "weight_hh": (rows, width)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(empty(shape, device=device, dtype=dtype)))
        return [name + suffix if name in shapes else "" for name in WEIGHTS]

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: there is no library here that wants the weights in one piece of memory."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names if name] for names in self._names]

    # Running

    def _start(self, hx: Any, batch: int, like: Tensor) -> tuple[Tensor, ...]:
        """The state to start from, each (layers * directions, batch, width)."""
        rows = self.num_layers * (1 + self.bidirectional)
        widths = [self.proj_size or self.hidden_size, self.hidden_size][: 1 + (self.mode == "LSTM")]
        if hx is None:
            return tuple(zeros((rows, batch, w), dtype=like.dtype, device=like.device) for w in widths)
        for name, state, width in zip(("hx[0]", "hx[1]") if len(widths) > 1 else ("hx",), hx, widths, strict=True):
            if tuple(state.shape) != (rows, batch, width):
                expected = (rows, batch, width)
                raise RuntimeError(f"Expected hidden {name} size {expected}, got {list(state.shape)}")
        return tuple(hx)

    def _layers(self, data: Tensor, sizes: list[int], start: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        ways = 1 + self.bidirectional
        ends: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            outputs = []
            for way in range(ways):
                i = layer * ways + way
                weights = [getattr(self, name) if name else None for name in self._names[i]]
                state = tuple([P.slice(s, (i,)) for s in start])
                output, end = run(self.mode, data, sizes, state, weights, way == 1)
                outputs.append(output)
                ends.append(end)
            data = outputs[0] if ways == 1 else P.cat(outputs, 1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                data = F.dropout(data, self.dropout, True)
        return data, tuple([P.stack(list(parts), 0) for parts in zip(*ends, strict=True)])

    def _hidden(self, hx: Any) -> Any:
        """The given state as a tuple: (h,), or for an LSTM (h, c); None of None."""
        return hx if hx is None or self.mode == "LSTM" else (hx,)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Run over all steps.

        Args:
            input: (L, N, input_size), (N, L, input_size) with ``batch_first``, (L, input_size), or a PackedSequence.
            hx: what to start from, (layers * directions, N, width), without N for one sequence; zeros for None. An
                LSTM takes a pair (h, c).

        Returns:
            What the last layer gave at each step; and the state after the last step, as ``hx``.

        Raises:
            ValueError, RuntimeError: shapes that do not fit.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.ndim not in (2, 3):
            raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.ndim}D instead")
        alone = input.ndim == 2
        given = self._hidden(hx)
        if given is not None and any(s.ndim != input.ndim for s in given):
            what, n = ("unbatched 2-D", 2) if alone else ("batched 3-D", 3)
            got = "-D and ".join(str(s.ndim) for s in given)
            raise RuntimeError(f"For {what} input, hx should also be {n}-D but got {got}-D tensor")
        x = input.unsqueeze(1) if alone else P.permute(input, (1, 0, 2)) if self.batch_first else input
        if alone and given is not None:
            given = tuple(s.unsqueeze(1) for s in given)
        length, batch, width = x._array.shape
        self._check_input(x, width, length)
        start = self._start(given, batch, x)
        data, ends = self._layers(P.reshape(x, (length * batch, width)), [batch] * length, start)
        out = own(P.reshape(data, (length, batch, data._array.shape[1])))
        if alone:
            out, ends = out.squeeze(1), tuple(e.squeeze(1) for e in ends)
        elif self.batch_first:
            out = P.permute(out, (1, 0, 2))
        return out, (ends if self.mode == "LSTM" else ends[0])

    def _check_input(self, x: Tensor, width: int, length: int) -> None:
        if width != self.input_size:
            raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {width}")
        if not length:
            raise RuntimeError(f"{self._get_name()}: Expected sequence length to be larger than 0 in RNN")
        if x.dtype != getattr(self, self._names[0][0]).dtype:
            raise ValueError(
                f"{self._get_name()}: input dtype ({x.dtype}) does not match weight dtype "
                f"({getattr(self, self._names[0][0]).dtype}); use input.to(weight.dtype)"
            )

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> Any:
        sizes = [int(n) for n in packed.batch_sizes.tolist()]
        self._check_input(packed.data, packed.data.shape[-1], len(sizes))
        given = self._hidden(hx)
        if given is not None and packed.sorted_indices is not None:
            given = tuple(s.index_select(1, packed.sorted_indices) for s in given)
        data, ends = self._layers(packed.data, sizes, self._start(given, sizes[0], packed.data))
        if packed.unsorted_indices is not None:
            ends = tuple(e.index_select(1, packed.unsorted_indices) for e in ends)
        out = PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
        return out, (ends if self.mode == "LSTM" else ends[0])

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text


class RNN(RNNBase):
    """``h = tanh(W_ih x + b_ih + W_hh h + b_hh)`` at each step (Elman, 1990).

    Args:
        input_size, hidden_size, num_layers: see ``RNNBase``.
        nonlinearity: "tanh" or "relu".
        bias, batch_first, dropout, bidirectional, device, dtype: see ``RNNBase``.

    Raises:
        ValueError: another non-linearity, or ``proj_size``, which an LSTM alone has.
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, device: Any = None,
        dtype: Any = None, **further: Any,
    ) -> None:  # fmt: skip
        _refuse_projection(further)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        self.nonlinearity = nonlinearity
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, 0, device, dtype,
        )  # fmt: skip


def _refuse_projection(further: dict[str, Any]) -> None:
    if "proj_size" in further:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
    if further:
        raise TypeError(f"got an unexpected keyword argument {next(iter(further))!r}")


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), gates in the order input, forget, cell, output.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype: see
            ``RNNBase``.
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device,
            dtype,
        )  # fmt: skip


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., 2014), gates in the order reset, update, new.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype: see
            ``RNNBase``.

    Raises:
        ValueError: ``proj_size``, which an LSTM alone has.
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None, **further: Any,
    ) -> None:  # fmt: skip
        _refuse_projection(further)
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
