"""Activations by Keras's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import Tensor
from ..nn import functional as F

__all__ = [
    "celu", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid",
    "silu", "soft_shrink", "softmax", "softplus", "softsign", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip


def linear(x: Tensor) -> Tensor:
    """``x`` as it is."""
    return x


def relu(x: Tensor, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """``x`` where it is at least ``threshold``, else ``negative_slope * (x - threshold)``; at most ``max_value``."""
    if not negative_slope and max_value is None and not threshold:
        return F.relu(x)
    above = x.where(x >= threshold, negative_slope * (x - threshold))
    return above if max_value is None else above.clamp(max=max_value)


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """``x`` where positive, else ``negative_slope * x``."""
    return F.leaky_relu(x, negative_slope)


def relu6(x: Tensor) -> Tensor:
    """``min(max(x, 0), 6)``."""
    return F.relu6(x)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``."""
    return F.elu(x, alpha)


def selu(x: Tensor) -> Tensor:
    """The scaled ELU (Klambauer et al., 2017)."""
    return F.selu(x)


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """``x`` times the normal distribution function of ``x``, or its tanh form."""
    return F.gelu(x, approximate="tanh" if approximate else "none")


def silu(x: Tensor) -> Tensor:
    """``x * sigmoid(x)``."""
    return F.silu(x)


swish = silu


def mish(x: Tensor) -> Tensor:
    """``x * tanh(softplus(x))``."""
    return F.mish(x)


def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return F.sigmoid(x)


def hard_sigmoid(x: Tensor) -> Tensor:
    """``x / 6 + 0.5``, cut off at 0 and 1."""
    return F.hardsigmoid(x)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return F.tanh(x)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Positive numbers of sum 1 along ``axis``."""
    return F.softmax(x, axis)


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """The logarithm of ``softmax``."""
    return F.log_softmax(x, axis)


def softplus(x: Tensor) -> Tensor:
    """``log(1 + exp(x))``."""
    return F.softplus(x)


def softsign(x: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return F.softsign(x)


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x / alpha) - 1)``."""
    return F.celu(x, alpha)


def glu(x: Tensor, axis: int = -1) -> Tensor:
    """The first half along ``axis`` times the sigmoid of the second."""
    return F.glu(x, axis)


def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """``x`` beyond ±``threshold``, else 0."""
    return F.hardshrink(x, threshold)


def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """``x`` nearer to 0 by ``threshold``."""
    return F.softshrink(x, threshold)


def tanh_shrink(x: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    return F.tanhshrink(x)


def hard_silu(x: Tensor) -> Tensor:
    """``x * hard_sigmoid(x)``."""
    return F.hardswish(x)


hard_swish = hard_silu


def hard_tanh(x: Tensor) -> Tensor:
    """``x`` cut off at -1 and 1."""
    return F.hardtanh(x)


def log_sigmoid(x: Tensor) -> Tensor:
    """The logarithm of ``sigmoid``."""
    return F.logsigmoid(x)


def squareplus(x: Tensor, b: float = 4.0) -> Tensor:
    """``(x + sqrt(x**2 + b)) / 2``."""
    return (x + (x.square() + b).sqrt()) / 2


def exponential(x: Tensor) -> Tensor:
    """``exp(x)``."""
    return x.exp()


NAMES: dict[str, Callable[..., Tensor]] = {
    f.__name__: f
    for f in (
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
        log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign,
        squareplus, tanh, tanh_shrink,
    )
} | {"swish": silu, "hard_swish": hard_silu}  # fmt: skip


def get(identifier: Any) -> Callable[..., Tensor]:
    """An activation by its name, ``linear`` for None, or the function itself.

    Raises:
        ValueError: an unknown name.
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier
    if identifier not in NAMES:
        raise ValueError(f"unknown activation {identifier!r}; use one of {', '.join(sorted(NAMES))}, or a function")
    return NAMES[identifier]


def name_of(activation: Any) -> str:
    """The name under which an activation is saved.

    Raises:
        ValueError: a function of the user's own, which has none.
    """
    name = getattr(activation, "__name__", "")
    if NAMES.get(name) is not activation:
        raise ValueError(
            f"the activation {activation!r} is no named one, so it cannot be saved: use a named activation"
        )
    return name
