"""Activations composed of others, with their forms in place. At a kink they take the slope that PyTorch takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ...backends import dtypes
from ..batching.randomness import draw_by
from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from ..writes import write
from .args import check_tensor, dim_of, not_for
from .create import finish
from .sources import source_of

__all__ = [
    "celu", "celu_", "elu", "elu_", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "hardtanh_", "leaky_relu_", "mish", "prelu", "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "softmin",
    "softshrink", "softsign", "tanhshrink", "threshold", "threshold_", "warn_no_dim",
]  # fmt: skip

# Klambauer et al., 2017
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _applied(name: str, x: Any, compute: Callable[[Tensor], Tensor], inplace: bool, step: str) -> Tensor:
    """The activation of a floating tensor, or with ``inplace`` written into it."""
    check_tensor(name, "input", x)
    if x._array.dtype.kind in "biuc":
        raise RuntimeError(f"{name}: not defined for {x.dtype.name} tensors; convert with .float()")
    if inplace:  # the steps in between may save what is about to be overwritten
        kept = x.requires_grad
        return write(name + "_", x, lambda old: named(compute(P.copy(old) if kept else old), step))
    return named(compute(x), step)


# Exponential ones


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where positive, else ``alpha * (exp(input) - 1)`` (Clevert et al., 2016)."""
    return _applied("elu", input, lambda x: P.elu(x, float(alpha), 1.0, 1.0), inplace, "EluBackward0")


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where positive, else ``alpha * (exp(input / alpha) - 1)`` (Barron, 2017).

    Raises:
        RuntimeError: ``alpha`` is 0.
    """
    if alpha == 0:
        raise RuntimeError("celu: alpha must not be 0")
    return _applied("celu", input, lambda x: P.elu(x, float(alpha), 1 / alpha, 1.0), inplace, "CeluBackward0")


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The exponential linear unit that keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    return _applied(
        "selu", input, lambda x: P.elu(x, SELU_ALPHA * SELU_SCALE, 1.0, SELU_SCALE), inplace, "EluBackward0"
    )  # fmt: skip


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * tanh(softplus(input))`` (Misra, 2019)."""
    return _applied("mish", input, P.mish, inplace, "MishBackward0")


# Piecewise linear ones


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` within ``min_val`` and ``max_val``.

    Raises:
        ValueError: the bounds are in the wrong order. RuntimeError: bools, or a negative bound of unsigned integers.
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} must not be greater than max_val {max_val}")
    return _hardtanh("hardtanh", input, min_val, max_val, inplace)


def _hardtanh(name: str, input: Any, low: float, high: float, inplace: bool) -> Tensor:
    check_tensor(name, "input", input)
    if input._array.dtype.kind in "iu":
        if input._array.dtype.kind == "u" and (low < 0 or high < 0):
            raise RuntimeError(f"{name}: {input.dtype.name} has no negative numbers, got bounds {low} and {high}")
        bounds = int(low), int(high)
        return write(name + "_", input, lambda x: P.clamp(x, *bounds)) if inplace else P.clamp(input, *bounds)
    return _applied(name, input, lambda x: P.hardtanh(x, float(low), float(high)), inplace, "HardtanhBackward0")


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``input`` within 0 and 6."""
    return _hardtanh("relu6", input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``input / 6 + 1 / 2`` within 0 and 1."""
    return _applied("hardsigmoid", input, P.hardsigmoid, inplace, "HardsigmoidBackward0")


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * hardsigmoid(input)`` (Howard et al., 2019)."""
    return _applied("hardswish", input, P.hardswish, inplace, "HardswishBackward0")


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``input`` where it is greater than ``threshold``, else ``value``."""
    check_tensor("threshold", "input", input)
    if input._array.dtype.kind in "iu":
        whole = int(value)
        return (
            write("threshold_", input, lambda x: P.where(P.le(x, threshold), whole, x))
            if inplace else P.where(P.le(input, threshold), whole, input)
        )  # fmt: skip
    bounds = float(threshold), float(value)
    return _applied("threshold", input, lambda x: P.threshold(x, *bounds), inplace, "ThresholdBackward0")


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``input``, but 0 within ``-lambd`` and ``lambd``."""
    return _applied("hardshrink", input, lambda x: P.hardshrink(x, float(lambd)), False, "HardshrinkBackward0")


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``input`` drawn ``lambd`` nearer to 0, and 0 where it was nearer than that.

    Raises:
        RuntimeError: ``lambd`` is negative.
    """
    if lambd < 0:
        raise RuntimeError(f"softshrink: lambd must not be negative, got {lambd}")
    return _applied("softshrink", input, lambda x: P.softshrink(x, float(lambd)), False, "SoftshrinkBackward0")


# Others


def softsign(input: Tensor) -> Tensor:
    """``input / (1 + abs(input))``."""
    check_tensor("softsign", "input", input)
    return P.div(input, P.add(P.abs(input), 1))


def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``."""
    check_tensor("tanhshrink", "input", input)
    return P.sub(input, P.tanh(input))


def warn_no_dim(name: str, stacklevel: int = 3) -> None:
    """Say that the dimension of a softmax should be named."""
    warnings.warn(f"{name}: without dim it is chosen by the number of dimensions; name it", stacklevel=stacklevel)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-input)`` along ``dim``."""
    from .reduce import softmax

    check_tensor("softmin", "input", input)
    if dim is None:
        warn_no_dim("softmin", _stacklevel)
    return softmax(P.neg(input if dtype is None else input.to(dtype)), dim)


@not_for("biuc")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half of ``input`` along ``dim`` times the sigmoid of the second (Dauphin et al., 2017).

    Raises:
        RuntimeError: an odd size, or no dimension.
    """
    check_tensor("glu", "input", input)
    if not input.ndim:
        raise RuntimeError("glu: a tensor without dimensions has no halves")
    at = dim_of("glu", dim, input.ndim)
    size = input._array.shape[at]
    if size % 2:
        raise RuntimeError(f"glu: the size of dim {dim} must be even, got {describe(input)}")
    cut = (slice(None),) * at
    first, second = (P.slice(input, (*cut, slice(i, i + size // 2))) for i in (0, size // 2))
    return named(P.mul(first, P.sigmoid(second)), "GluBackward0")


@not_for("biu")
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``input`` where positive, else ``weight * input`` (He et al., 2015).

    Args:
        input: any shape.
        weight: one number, or one for each channel (dimension 1).

    Raises:
        RuntimeError: another number of channels, or types that differ.
    """
    check_tensor("prelu", "input", input)
    check_tensor("prelu", "weight", weight)
    channels = input._array.shape[1] if input.ndim > 1 else 1
    if (
        weight.ndim > 1
        or (weight._array.size != 1 and weight._array.size != channels)
        or (weight._array.size > 1 and not input.ndim)
    ):
        raise RuntimeError(
            f"prelu: weight must hold 1 number or one for each of {channels} channels of {describe(input)}, "
            f"got {describe(weight)}"
        )
    if weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"prelu: input {describe(input)} and weight {describe(weight)} must have one type; use .to()"
        )
    shape = (channels, *(1,) * (input.ndim - 2)) if weight._array.size > 1 else (1,) * min(input.ndim, 1)
    factor = P.reshape(weight, shape)
    return named(P.where(P.gt(input, 0), input, P.mul(factor, input)), "PreluKernelBackward0")


def _slopes(x: Tensor, low: float, high: float) -> Tensor:
    """1 where ``x`` is positive, else a random slope: one double-precision number each, in order."""
    flat = P.reshape(x, (-1,))
    below = P.le(flat, 0)
    count = int(P.count_nonzero(below, None).item())
    drawn = finish(source_of(x, None).uniform((count,), dtype=dtypes.float64.numpy), None, x.device, False)
    drawn = P.cast(P.add(P.mul(drawn, high - low), low), x._array.dtype)
    return P.reshape(P.index_put(P.add(P.zeros_like(flat), 1), drawn, [below], ((0,),), False), x._array.shape)


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """``input`` where positive, else times a slope, drawn between the bounds in training (Xu et al., 2015).

    Raises:
        RuntimeError: bounds in the wrong order.
    """
    if lower > upper:
        raise RuntimeError(f"rrelu: lower {lower} must not be greater than upper {upper}")

    def compute(x: Tensor) -> Tensor:
        if not training:
            return P.leaky_relu(x, (lower + upper) / 2)
        return P.mul(x, draw_by("rrelu", [x.detach()], lambda t: _slopes(t, lower, upper)))

    return _applied("rrelu", input, compute, inplace, "RreluWithNoiseBackward0" if training else "LeakyReluBackward0")


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of the Gumbel-softmax distribution (Jang et al., 2017).

    Args:
        logits: unnormalised log-probabilities.
        tau: the temperature.
        hard: give a one-hot row, with the gradient of the soft one.
        eps: counts for nothing, as in PyTorch.
        dim: along which the classes lie.
    """
    check_tensor("gumbel_softmax", "logits", logits)
    noise: Any = P.zeros_like(logits.detach())
    noise = P.neg(P.log(noise.exponential_()))
    soft = P.softmax(P.div(P.add(logits, noise), tau), dim_of("gumbel_softmax", dim, logits.ndim))
    if not hard:
        return soft
    at = dim_of("gumbel_softmax", dim, logits.ndim)
    plain = soft.detach()
    index = P.argmax(plain, at, True)
    zero = P.zeros_like(plain)
    sharp = P.scatter(zero, index, P.add(P.gather(zero, index, at), 1.0), at)
    return P.add(P.sub(sharp, plain), soft)


# In place


def _in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def operation(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return function(input, *args, **kwargs, inplace=True)

    operation.__name__ = operation.__qualname__ = function.__name__ + "_"
    operation.__doc__ = f"``{function.__name__}`` in place."
    return operation


celu_, elu_, selu_, rrelu_ = _in_place(celu), _in_place(elu), _in_place(selu), _in_place(rrelu)
hardtanh_, threshold_ = _in_place(hardtanh), _in_place(threshold)


def relu_(input: Tensor) -> Tensor:
    """``relu`` in place."""
    return write("relu_", input, P.relu)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``leaky_relu`` in place."""
    return write("leaky_relu_", input, P.leaky_relu, float(negative_slope))
