"""Element-wise operations whose PyTorch signature says more than their operands."""

from __future__ import annotations

from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import fitting, result_type, slow
from ..rule import RULES, P
from ..tensor import Tensor
from .args import check_tensor
from .checks import check_same_type

__all__ = [
    "add", "addcdiv", "addcmul", "clamp", "clamp_max", "clamp_min", "div", "lerp", "maximum", "minimum", "pow",
    "round", "rsub", "sign", "square", "sub",
]  # fmt: skip


def add(x: Any, other: Any, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """``x + alpha * other``.

    Raises:
        RuntimeError: ``alpha`` is of a higher category than the operands.
    """
    return P.add(x, other if type(alpha) is int and alpha == 1 else _times("add", alpha, x, other), out)


def sub(x: Any, other: Any, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """``x - alpha * other``.

    Raises:
        RuntimeError: ``alpha`` is of a higher category than the operands.
    """
    return P.sub(x, other if type(alpha) is int and alpha == 1 else _times("sub", alpha, x, other), out)


def _times(name: str, alpha: Any, x: Any, other: Any) -> Any:
    """``alpha * other``, in a type that leaves that of the result as it is."""
    factor = alpha.item() if isinstance(alpha, Tensor) else alpha
    dtype, kind = result_type(x, other), result_type(factor)
    if kind is dtypes.bool_ and dtype is not dtypes.bool_:
        raise RuntimeError(f"{name}: alpha={factor} is for bool tensors, these are {dtype.name}")
    if kind.category > max(dtype.category, dtypes.INTEGRAL):
        raise RuntimeError(f"{name}: alpha={factor} does not go with {dtype.name} tensors; convert one with .float()")
    if dtype is dtypes.bool_:
        return P.logical_and(other, bool(factor)) if isinstance(other, Tensor) else bool(other and factor)
    return P.mul(other, factor)


def rsub(x: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * x``."""
    x = x if type(alpha) is int and alpha == 1 else _times("rsub", alpha, other, x)
    return named(P.sub(other, x), "SubBackward0" if isinstance(other, Tensor) else "RsubBackward1")


def rdiv(x: Any, other: Any) -> Tensor:
    """``other / x``, which PyTorch computes as a product with the reciprocal."""
    return named(P.div(other, x), "MulBackward0")


def div(x: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``x / other``; ``rounding_mode`` "floor" or "trunc" rounds the quotient down or toward zero.

    Raises:
        RuntimeError: another rounding mode.
    """
    if rounding_mode is None:
        return P.div(x, other)
    if rounding_mode == "floor":
        return named(P.floor_divide(x, other), "DivBackward2")
    if rounding_mode == "trunc":
        if result_type(x, other).category > dtypes.INTEGRAL:
            return named(P.trunc(P.div(x, other)), "DivBackward2")
        return P.floor_divide(P.sub(x, P.fmod(x, other)), other)
    raise RuntimeError(f"div: rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}")


def pow(x: Any, exponent: Any) -> Tensor:
    """``x ** exponent``, element by element."""
    if type(exponent) in (int, float) and isinstance(x, Tensor) and x._array.dtype.kind == "f":
        if exponent == 2:
            return P.square(x)
        if exponent == 0.5:
            return named(P.sqrt(x), "PowBackward0")
    if type(exponent) is int and exponent < 0 and isinstance(x, Tensor) and x._array.dtype.kind in "iub":
        raise RuntimeError("pow: integers to negative integer powers are not allowed; convert with .float() first")
    return P.pow(_as_integer(x) if type(exponent) is int else x, exponent)


def square(x: Tensor) -> Tensor:
    """``x * x``; a bool counts as int64."""
    return P.square(_as_integer(x))


def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1 as ``x`` is negative, zero or positive."""
    return P.copy(x) if isinstance(x, Tensor) and x._array.dtype.kind == "b" else P.sign(x)


def round(x: Tensor, *, decimals: int = 0) -> Tensor:
    """``x`` rounded to a number of decimals, halves to even; negative ``decimals`` round left of the point.

    Raises:
        RuntimeError: decimals of integers.
    """
    integral = isinstance(x, Tensor) and x._array.dtype.kind in "iu"
    if not decimals:
        return P.copy(x) if integral else P.round(x)
    if integral:
        raise RuntimeError(f"round: decimals={decimals} of {x.dtype.name}; convert with .float() first")
    scale = 10.0 ** abs(decimals)
    up, down = (P.mul, P.div) if decimals > 0 else (P.div, P.mul)
    return down(P.round(up(x, scale)), scale)


def _as_integer(x: Tensor) -> Tensor:
    return P.cast(x, dtypes.int64.numpy) if isinstance(x, Tensor) and x._array.dtype.kind == "b" else x


def clamp(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """``x`` limited to lie between ``min`` and ``max`` (numbers or tensors; None for no limit)."""
    if any([isinstance(v, complex) for v in (min, max)]):
        raise RuntimeError(f"clamp: complex numbers have no order, got min={min}, max={max}")
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of 'min' and 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        return _between(x, min, max)
    x = _as_integer(x)
    if x._array.dtype.kind in "iu":
        for bound in (min, max):
            if type(bound) is int:
                fitting("clamp", bound, x.dtype)
    if x._array.dtype.kind in "iu" and (isinstance(min, float) or isinstance(max, float)):
        return slow(RULES["clamp"], (P.mul(x, 1.0),), (min, max))
    return P.clamp(x, min, max)


def _between(x: Tensor, low: Any, high: Any) -> Tensor:
    """``clamp`` by tensors: an edge counts as inside; a bound that is NaN stays, and ``high`` has the last word."""
    out = x
    if low is not None:
        out = P.where(P.logical_or(P.lt(x, low), P.ne(low, low)), low, x)
    if high is None:
        return named(out, "ClampMinBackward1")
    takes = P.logical_or(P.gt(x, high), P.ne(high, high))
    takes = takes if low is None else P.logical_or(takes, P.gt(low, high))
    return named(P.where(takes, high, out), "ClampMaxBackward1" if low is None else "ClampBackward1")


def clamp_min(x: Tensor, min: Any) -> Tensor:
    """``x`` where it is above ``min``, else ``min``."""
    return clamp(x, min, None)


def clamp_max(x: Tensor, max: Any) -> Tensor:
    """``x`` where it is below ``max``, else ``max``."""
    return clamp(x, None, max)


def maximum(x: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two tensors, element by element; NaN where either is."""
    check_tensor("maximum", "input", x)
    check_tensor("maximum", "other", other)
    return P.maximum(x, other, out)


def minimum(x: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two tensors, element by element; NaN where either is."""
    check_tensor("minimum", "input", x)
    check_tensor("minimum", "other", other)
    return P.minimum(x, other, out)


def addcmul(x: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``x + value * tensor1 * tensor2``."""
    if not isinstance(value, (int, Tensor)) and result_type(x, tensor1, tensor2).category <= dtypes.INTEGRAL:
        value = int(value)
    return P.add(x, _scaled(P.mul(tensor1, tensor2), value))


def addcdiv(x: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``x + value * tensor1 / tensor2``.

    Raises:
        RuntimeError: a quotient of integers.
    """
    if result_type(tensor1, tensor2).category <= dtypes.INTEGRAL:
        raise RuntimeError("addcdiv: tensor1 and tensor2 are integers; convert one with .float(), or use addcmul")
    return P.add(x, _scaled(P.div(tensor1, tensor2), value))


def _scaled(x: Tensor, value: Any) -> Tensor:
    return x if type(value) is int and value == 1 else P.mul(x, value)


def lerp(x: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``x + weight * (end - x)``.

    Raises:
        RuntimeError: integers, or operands of different types.
    """
    check_tensor("lerp", "input", x)
    check_tensor("lerp", "end", end)
    if x._array.dtype.kind in "biu":
        raise RuntimeError(f"lerp: not defined for {x.dtype.name} tensors; convert with .float()")
    check_same_type("lerp", x, "end", end)
    if isinstance(weight, Tensor) and weight.ndim:
        check_same_type("lerp", x, "weight", weight)
    return P.add(x, P.mul(P.sub(end, x), weight))
