"""Element-wise operations whose PyTorch signature says more than their operands."""

from __future__ import annotations

from typing import Any

from ..promote import slow
from ..rule import RULES, P
from ..tensor import Tensor

__all__ = ["add", "addcdiv", "addcmul", "clamp", "clamp_max", "clamp_min", "div", "lerp", "pow", "rsub", "sub"]


def add(x: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``x + alpha * other``."""
    return P.add(x, other) if alpha == 1 else P.add(x, P.mul(other, alpha))


def sub(x: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``x - alpha * other``."""
    return P.sub(x, other) if alpha == 1 else P.sub(x, P.mul(other, alpha))


def rsub(x: Any, other: Any) -> Tensor:
    """``other - x``."""
    return P.sub(other, x)


def div(x: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``x / other``; ``rounding_mode`` "floor" or "trunc" rounds the quotient down or toward zero.

    Raises:
        RuntimeError: another rounding mode.
    """
    if rounding_mode is None:
        return P.div(x, other)
    if rounding_mode == "floor":
        return P.floor_divide(x, other)
    if rounding_mode == "trunc":
        quotient = P.div(x, other)
        integral = not (x.dtype.is_floating_point or (isinstance(other, Tensor) and other.dtype.is_floating_point)
                        or isinstance(other, float))  # fmt: skip
        return P.cast(P.trunc(quotient), x._array.dtype) if integral else P.trunc(quotient)
    raise RuntimeError(f"div: rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}")


def pow(x: Any, exponent: Any) -> Tensor:
    """``x ** exponent``, element by element."""
    if type(exponent) in (int, float) and isinstance(x, Tensor) and x._array.dtype.kind == "f":
        if exponent == 2:
            return P.square(x)
        if exponent == 0.5:
            return P.sqrt(x)
    if type(exponent) is int and exponent < 0 and isinstance(x, Tensor) and x._array.dtype.kind in "iu":
        raise RuntimeError("pow: integers to negative integer powers are not allowed; convert with .float() first")
    return P.pow(x, exponent)


def clamp(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """``x`` limited to lie between ``min`` and ``max`` (numbers or tensors; None for no limit)."""
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of 'min' and 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        x = x if min is None else P.maximum(x, min)
        return x if max is None else P.minimum(x, max)
    if x._array.dtype.kind in "iub" and (isinstance(min, float) or isinstance(max, float)):
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
