"""Dense and the layers without weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...autograd import Tensor
from ...autograd.ops.create import tensor
from ...backends.random import Generator
from ...nn import Linear
from ...nn import functional as F
from .. import activations
from .base import Layer, Shape, Weight, Weighted

__all__ = ["Activation", "Dense", "Dropout", "Flatten", "LeakyReLU", "ReLU", "Reshape", "Softmax"]


class Dense(Weighted):
    """``activation(x @ kernel + bias)`` over the last dimension.

    Args:
        units: size of the last dimension of the result.
        activation: a name or a function; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: "glorot_uniform" and "zeros".
        kernel_regularizer, bias_regularizer: penalties added to the loss.
        kwargs: ``name``, ``trainable``, ``input_shape``, ``input_dim``.

    Raises:
        ValueError: ``units`` is no positive integer.
    """

    def __init__(
        self, units: int, activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
                         bias_regularizer, **kwargs)  # fmt: skip
        if not hasattr(units, "__index__") or units < 1:
            raise ValueError(f"Dense: units must be a positive integer, got {units!r}")
        self.units = int(units)

    def build(self, input_shape: Shape) -> None:
        last = input_shape[-1]
        if len(input_shape) < 2 or last is None:
            raise ValueError(f"Dense '{self.name}': the last dimension of the input must be known, got {input_shape}")
        self.linear = linear = Linear(last, self.units, bias=self.use_bias)
        kernel = Weight("kernel", (linear.weight,), (last, self.units), lambda a: a.T, lambda a: (a.T,))
        self._own(kernel, self.kernel_initializer, self.kernel_regularizer)
        if self.use_bias:
            self._own(Weight("bias", (linear.bias,), (self.units,)), self.bias_initializer, self.bias_regularizer)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def pre_activation(self, inputs: Tensor) -> Tensor:
        if inputs.shape[-1] != self.linear.in_features:
            raise ValueError(
                f"Dense '{self.name}': expected {self.linear.in_features} features in the last dimension, got an input "
                f"of shape {tuple(inputs.shape)}"
            )
        out: Tensor = self.linear(inputs)
        return out

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


class Activation(Layer):
    """A function of each element, or softmax over the last dimension.

    Args:
        activation: a name or a function.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """The input."""
        return inputs

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.name_of(self.activation)}


class ReLU(Layer):
    """``relu`` with Keras's options.

    Args:
        max_value: cut off above; None for not.
        negative_slope: below ``threshold``.
        threshold: where the slope begins.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.options: dict[str, Any] = {
            "max_value": max_value,
            "negative_slope": negative_slope,
            "threshold": threshold,
        }

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs, **self.options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.options}


class LeakyReLU(Layer):
    """``x`` where positive, else ``negative_slope * x``."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = negative_slope

    def call(self, inputs: Tensor) -> Tensor:
        return F.leaky_relu(inputs, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class Softmax(Layer):
    """Positive numbers of sum 1 along ``axis``."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Tensor) -> Tensor:
        return F.softmax(inputs, self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class Dropout(Layer):
    """Zeroes elements with probability ``rate`` in training, and scales the others by ``1 / (1 - rate)``.

    Args:
        rate: in [0, 1].
        noise_shape: sizes of 1 share one draw along that dimension; None for the input's shape.
        seed: draws from a generator of its own.

    Raises:
        ValueError: another rate.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed, self.generator = seed, None if seed is None else Generator().manual_seed(int(seed))
        if not 0 <= rate <= 1:
            raise ValueError(f"Dropout: rate must be in [0, 1], got {rate!r}")
        self.rate, self.noise_shape = float(rate), None if noise_shape is None else tuple(noise_shape)

    def call(self, inputs: Tensor) -> Tensor:
        if not self.training or (self.noise_shape is None and self.generator is None):
            return F.dropout(inputs, self.rate, self.training)
        sizes = self.noise_shape or (None,) * inputs.ndim
        shape = tuple(n if given is None else given for n, given in zip(inputs.shape, sizes, strict=True))
        if self.generator is None:
            return inputs * F.dropout(inputs.detach().new_ones(shape), self.rate)
        kept = self.generator.uniform(shape, 0.0, 1.0, np.dtype("float32")) >= self.rate
        return inputs * tensor(kept, device=inputs.device).to(inputs.dtype) / max(1.0 - self.rate, 1e-30)

    def get_config(self) -> dict[str, Any]:
        shape = None if self.noise_shape is None else list(self.noise_shape)
        return {**super().get_config(), "rate": self.rate, "noise_shape": shape, "seed": self.seed}


class Flatten(Layer):
    """All dimensions but the batch as one."""

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(n for n in sizes if n is not None))

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.reshape(inputs.shape[0], -1) if inputs.ndim != 2 else inputs


class Reshape(Layer):
    """Another shape behind the batch; one size may be -1."""

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if -1 not in self.target_shape:
            return (input_shape[0], *self.target_shape)
        if None in input_shape[1:]:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        known = math.prod(n for n in self.target_shape if n != -1)
        rest = math.prod(n for n in input_shape[1:] if n is not None) // known
        return (input_shape[0], *(rest if n == -1 else n for n in self.target_shape))

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.reshape(inputs.shape[0], *self.target_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": list(self.target_shape)}
