"""Embedding and the recurrent layers over (batch, steps, features)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import Tensor
from ...nn import GRU as _GRU
from ...nn import LSTM as _LSTM
from ...nn import RNN as _RNN
from ...nn import Embedding as _Embedding
from ...nn import functional as F
from .. import activations, initializers, regularizers
from .base import Layer, Shape, Weight, saved
from .steps import unroll

__all__ = ["GRU", "LSTM", "Embedding", "SimpleRNN"]


class Embedding(Layer):
    """A learned vector for each of the numbers 0 … input_dim - 1.

    Args:
        input_dim: how many numbers there are.
        output_dim: size of the vectors.
        embeddings_initializer: "uniform" (±0.05).
        embeddings_regularizer: a penalty added to the loss.
        mask_zero: must be False: masks are not handed on here.
        input_length: kept for old scripts, and counts for nothing.

    Raises:
        ValueError: ``mask_zero``, or sizes below 1.
    """

    takes = "int"

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, mask_zero: bool = False, input_length: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        if mask_zero:
            raise ValueError(
                "Embedding: mask_zero=True is not possible here, layers hand no masks on; use "
                "tapegrad.nn.utils.rnn.pack_padded_sequence with tapegrad.nn.LSTM for sequences of many lengths"
            )
        if input_dim < 1 or output_dim < 1:
            raise ValueError(f"Embedding: both sizes must be at least 1, got {input_dim} and {output_dim}")
        self.input_dim, self.output_dim = int(input_dim), int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)

    def build(self, input_shape: Shape) -> None:
        self.embedding = _Embedding(self.input_dim, self.output_dim)
        table = Weight("embeddings", (self.embedding.weight,), (self.input_dim, self.output_dim))
        self._own(table, self.embeddings_initializer, self.embeddings_regularizer)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def call(self, inputs: Tensor) -> Tensor:
        out: Tensor = self.embedding(inputs.long())
        return out

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "input_dim": self.input_dim, "output_dim": self.output_dim,
            "embeddings_initializer": saved(self.embeddings_initializer),
            "embeddings_regularizer": saved(self.embeddings_regularizer),
        }  # fmt: skip


class _Recurrent(Layer):
    """What the recurrent layers share; they run over the steps of (batch, steps, features).

    Args:
        units: features of the state.
        activation: "tanh", or any other (slower but for "tanh", and "relu" in a ``SimpleRNN``).
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: "glorot_uniform", "orthogonal" and "zeros".
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties added to the loss.
        dropout: of the inputs, in training, the same at each step.
        return_sequences: give the state after each step, not after the last alone.
        go_backwards: run from the last step to the first.
        unroll: counts for nothing.

    Raises:
        ValueError: an option that is not possible here; it says which.
    """

    gates = 1
    # The activations with which the layer underneath runs by itself.
    quick: tuple[str, ...] = ("tanh",)
    gate: Any = staticmethod(activations.sigmoid)

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        what = type(self).__name__
        if not hasattr(units, "__index__") or units < 1:
            raise ValueError(f"{what}: units must be a positive integer, got {units!r}")
        if recurrent_dropout or return_state or stateful:
            raise ValueError(
                f"{what}: recurrent_dropout, return_state and stateful are not possible here; "
                f"use tapegrad.nn.{what.removeprefix('Simple')} for states"
            )
        self.units, self.use_bias, self.dropout = int(units), use_bias, float(dropout)
        self.activation = activations.get(activation)
        self.return_sequences, self.go_backwards = return_sequences, go_backwards
        self.initial = {
            "kernel_initializer": initializers.get(kernel_initializer),
            "recurrent_initializer": initializers.get(recurrent_initializer),
            "bias_initializer": initializers.get(bias_initializer),
        }
        self.penalty = {
            "kernel_regularizer": regularizers.get(kernel_regularizer),
            "recurrent_regularizer": regularizers.get(recurrent_regularizer),
            "bias_regularizer": regularizers.get(bias_regularizer),
        }

    # The layer underneath and how its rows are ordered

    def _make(self, features: int) -> Any:
        raise NotImplementedError

    def _reorder(self, rows: np.ndarray) -> np.ndarray:
        """Rows (gates * units, …) from Keras's order of gates to nn's; its own inverse."""
        return rows

    def _bias(self, cell: Any) -> Weight:
        """One bias for both products: the second one underneath stays zero."""
        cell.bias_hh_l0.requires_grad_(False)
        Weight("", (cell.bias_hh_l0,), (self.gates * self.units,)).assign(np.zeros(self.gates * self.units))
        return Weight("bias", (cell.bias_ih_l0,), (self.gates * self.units,))

    def build(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        if len(input_shape) != 3 or features is None:
            raise ValueError(
                f"{type(self).__name__} '{self.name}': the input must be (batch, steps, features), got {input_shape}; "
                "for one feature add a dimension: x[..., None]"
            )
        self.cell = cell = self._make(features)
        n = self.gates * self.units

        def read(a: np.ndarray) -> np.ndarray:
            return self._reorder(a).T

        def write(a: np.ndarray) -> tuple[np.ndarray, ...]:
            return (self._reorder(a.T),)

        for name, held, rows in (("kernel", cell.weight_ih_l0, features),
                                 ("recurrent_kernel", cell.weight_hh_l0, self.units)):  # fmt: skip
            kind = name.split("_kernel")[0]
            weight = Weight(name, (held,), (rows, n), read, write)
            self._own(weight, self.initial[f"{kind}_initializer"], self.penalty[f"{kind}_regularizer"])
        if self.use_bias:
            self._own(self._bias(cell), self.initial["bias_initializer"], self.penalty["bias_regularizer"])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        steps = input_shape[1:2] if self.return_sequences else ()
        return (input_shape[0], *steps, self.units)

    def call(self, inputs: Tensor) -> Tensor:
        x = inputs.flip(1) if self.go_backwards else inputs
        if self.dropout and self.training:
            x = x * F.dropout(x.detach().new_ones((x.shape[0], 1, x.shape[2])), self.dropout)
        named = activations.NAMES.get(getattr(self.activation, "__name__", "")) is self.activation
        quick = named and self.activation.__name__ in self.quick and self.gate is activations.sigmoid
        sequence: Tensor = self.cell(x)[0] if quick else unroll(self.cell, x, self.activation, self.gate)
        return sequence if self.return_sequences else sequence[:, -1]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "units": self.units, "activation": activations.name_of(self.activation),
            "use_bias": self.use_bias, "dropout": self.dropout, "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
            **{k: saved(v) for k, v in {**self.initial, **self.penalty}.items()},
        }  # fmt: skip


class SimpleRNN(_Recurrent):
    """``h = activation(x @ kernel + h @ recurrent_kernel + bias)`` (Elman, 1990); arguments as of ``_Recurrent``."""

    quick = ("tanh", "relu")

    def _make(self, features: int) -> Any:
        kind = "relu" if self.activation is activations.relu else "tanh"
        return _RNN(features, self.units, nonlinearity=kind, bias=self.use_bias, batch_first=True)


class _Gated(_Recurrent):
    """A recurrent layer whose gates have an activation of their own."""

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(units, activation, use_bias, **kwargs)
        self.gate = activations.get(recurrent_activation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "recurrent_activation": activations.name_of(self.gate)}


class LSTM(_Gated):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997); arguments as of ``_Recurrent``."""

    gates = 4

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        unit_forget_bias: bool = True, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(units, activation, recurrent_activation, use_bias, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def _make(self, features: int) -> Any:
        return _LSTM(features, self.units, bias=self.use_bias, batch_first=True)

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            bias = self._weights[-1]
            value = bias.numpy()
            value[self.units : 2 * self.units] = 1.0
            bias.assign(value)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


class GRU(_Gated):
    """Gated recurrent units (Cho et al., 2014), the reset gate after the product; arguments as of ``_Recurrent``."""

    gates = 3

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        reset_after: bool = True, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(units, activation, recurrent_activation, use_bias, **kwargs)
        if not reset_after:
            raise ValueError("GRU: reset_after must be True, as by default")

    def _make(self, features: int) -> Any:
        return _GRU(features, self.units, bias=self.use_bias, batch_first=True)

    def _reorder(self, rows: np.ndarray) -> np.ndarray:
        z, r, h = np.split(rows, 3)  # Keras: update, reset, new; nn: reset, update, new
        return np.concatenate([r, z, h])

    def _bias(self, cell: Any) -> Weight:
        def read(*rows: np.ndarray) -> np.ndarray:
            return np.stack([self._reorder(a) for a in rows])

        def write(both: np.ndarray) -> tuple[np.ndarray, ...]:
            return tuple(self._reorder(a) for a in both)

        return Weight("bias", (cell.bias_ih_l0, cell.bias_hh_l0), (2, 3 * self.units), read, write)
