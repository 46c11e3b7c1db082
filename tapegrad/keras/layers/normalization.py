"""Batch and layer normalisation over the last dimension."""

from __future__ import annotations

from typing import Any

from ...autograd import Tensor, no_grad
from ...nn import BatchNorm1d, LayerNorm
from ...nn import functional as F
from .. import initializers
from .base import Layer, Shape, Weight, saved

__all__ = ["BatchNormalization", "LayerNormalization"]


def _last(layer: Layer, axis: Any, shape: Shape) -> int:
    size = shape[-1]
    if axis not in (-1, len(shape) - 1, [-1], (-1,)) or size is None:
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}': axis must be the last one, whose size must be known, got "
            f"axis={axis!r} for an input of shape {shape}"
        )
    return size


class BatchNormalization(Layer):
    """Each channel (last dimension) minus its mean, over its standard deviation (Ioffe and Szegedy, 2015).

    In training the batch's statistics count, and move the running ones:
    ``moving = momentum * moving + (1 - momentum) * batch``, with the variance of the batch itself (divided by n).

    Args:
        axis: the last one.
        momentum: how much of the running statistics is kept.
        epsilon: added to the variance.
        center, scale: whether there are ``beta`` and ``gamma``.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: zeros, ones, zeros
            and ones.

    Raises:
        ValueError: another axis.
    """

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.axis, self.momentum, self.epsilon, self.center, self.scale = axis, momentum, epsilon, center, scale
        self.initial = {
            "beta_initializer": initializers.get(beta_initializer),
            "gamma_initializer": initializers.get(gamma_initializer),
            "moving_mean_initializer": initializers.get(moving_mean_initializer),
            "moving_variance_initializer": initializers.get(moving_variance_initializer),
        }

    def build(self, input_shape: Shape) -> None:
        n = _last(self, self.axis, input_shape)
        self.norm = norm = BatchNorm1d(n, self.epsilon, 1 - self.momentum)
        norm.weight.requires_grad_(self.scale)
        norm.bias.requires_grad_(self.center)
        if self.scale:
            self._own(Weight("gamma", (norm.weight,), (n,)), self.initial["gamma_initializer"])
        if self.center:
            self._own(Weight("beta", (norm.bias,), (n,)), self.initial["beta_initializer"])
        for name, buffer in (("moving_mean", norm.running_mean), ("moving_variance", norm.running_var)):
            self._own(Weight(name, (buffer,), (n,), learned=False), self.initial[f"{name}_initializer"])

    def call(self, inputs: Tensor) -> Tensor:
        norm: Any = self.norm
        x = inputs if inputs.ndim == 2 else inputs.movedim(-1, 1)
        learning = self.training and self.trainable
        before: Any = norm.running_var.clone() if learning else None
        out = F.batch_norm(
            x, norm.running_mean, norm.running_var, norm.weight, norm.bias, learning, norm.momentum, norm.eps
        )
        if learning:
            # nn's running variance takes the batch's divided by n - 1, Keras's divided by n.
            count = x.numel() // x.shape[1]
            kept = self.momentum * before
            with no_grad():
                norm.running_var.copy_(kept + (norm.running_var - kept) * ((count - 1) / count))
        return out if inputs.ndim == 2 else out.movedim(1, -1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "axis": self.axis, "momentum": self.momentum, "epsilon": self.epsilon,
            "center": self.center, "scale": self.scale, **{k: saved(v) for k, v in self.initial.items()},
        }  # fmt: skip


class LayerNormalization(Layer):
    """Each example minus its mean over the last dimension, over its standard deviation (Ba et al., 2016).

    Args:
        axis: the last one.
        epsilon: added to the variance.
        center, scale: whether there are ``beta`` and ``gamma``.
        beta_initializer, gamma_initializer: zeros and ones.

    Raises:
        ValueError: another axis.
    """

    def __init__(
        self, axis: int = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.axis, self.epsilon, self.center, self.scale = axis, epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)

    def build(self, input_shape: Shape) -> None:
        n = _last(self, self.axis, input_shape)
        self.norm = norm = LayerNorm(n, self.epsilon)
        norm.weight.requires_grad_(self.scale)
        norm.bias.requires_grad_(self.center)
        if self.scale:
            self._own(Weight("gamma", (norm.weight,), (n,)), self.gamma_initializer)
        if self.center:
            self._own(Weight("beta", (norm.bias,), (n,)), self.beta_initializer)

    def call(self, inputs: Tensor) -> Tensor:
        out: Tensor = self.norm(inputs)
        return out

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "axis": self.axis, "epsilon": self.epsilon, "center": self.center,
            "scale": self.scale, "beta_initializer": saved(self.beta_initializer),
            "gamma_initializer": saved(self.gamma_initializer),
        }  # fmt: skip
