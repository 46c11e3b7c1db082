"""Element-wise operations whose PyTorch signature says more than their operands."""

from __future__ import annotations

from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import result_type, slow
from ..rule import RULES, P
from ..tensor import Tensor

__all__ = [
    "add", "addcdiv", "addcmul", "clamp", "clamp_max", "clamp_min", "div", "lerp", "pow", "round", "rsub", "sign",
    "square", "sub",
]  # fmt: skip


def add(x: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``x + alpha * other``."""
    return P.add(x, other) if alpha == 1 else P.add(x, P.mul(other, alpha))


def sub(x: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``x - alpha * other``."""
    return P.sub(x, other) if alpha == 1 else P.sub(x, P.mul(other, alpha))


def rsub(x: Any, other: Any) -> Tensor:
    """``other - x``."""
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
    if type(exponent) is int and exponent < 0 and isinstance(x, Tensor) and x._array.dtype.kind in "iu":
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
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of 'min' and 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        x = x if min is None else P.maximum(x, min)
        return x if max is None else P.minimum(x, max)
    x = _as_integer(x)
    if x._array.dtype.kind in "iu" and (isinstance(min, float) or isinstance(max, float)):
        return slow(RULES["clamp"], (P.mul(x, 1.0),), (min, max))
    return P.clamp(x, min, max)


def clamp_min(x: Tensor, min: Any) -> Tensor:
    """``x`` where it is above ``min``, else ``min``."""
    return clamp(x, min, None)


def clamp_max(x: Tensor, max: Any) -> Tensor:
    """``x`` where it is below ``max``, else ``max``."""
    return clamp(x, None, max)


def addcmul(x: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``x + value * tensor1 * tensor2``."""
    return add(x, P.mul(tensor1, tensor2), alpha=value)


def addcdiv(x: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``x + value * tensor1 / tensor2``."""
    return add(x, P.div(tensor1, tensor2), alpha=value)


def lerp(x: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``x + weight * (end - x)``."""
    return P.add(x, P.mul(P.sub(end, x), weight))
