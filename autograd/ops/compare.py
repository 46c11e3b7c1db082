"""Comparisons of whole tensors, and comparisons within a tolerance."""

from __future__ import annotations

import math

from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor

__all__ = ["allclose", "equal", "is_same_size", "is_signed", "isclose", "isneginf", "isposinf"]


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and equal elements; NaN equals nothing."""
    check_tensor("equal", "input", input)
    check_tensor("equal", "other", other)
    return input._array.shape == other._array.shape and bool(P.all(P.eq(input, other), None, False))


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Where ``|input - other| <= atol + rtol * |other|``; infinities are close to themselves only.

    Args:
        equal_nan: whether NaN is close to NaN.

    Raises:
        RuntimeError: the types differ, or a tolerance is negative.
    """
    check_tensor("isclose", "input", input)
    check_tensor("isclose", "other", other)
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(
            f"isclose: the types of {describe(input)} and {describe(other)} differ; convert one with .to()"
        )
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"isclose: the tolerances may not be negative, got rtol={rtol}, atol={atol}")
    close = P.eq(input, other)
    kind = input._array.dtype.kind
    if equal_nan and kind in "fcV":
        close = P.logical_or(close, P.logical_and(P.isnan(input), P.isnan(other)))
    if kind == "b" or (rtol == 0 and atol == 0):
        return close
    if kind in "iu":
        input, other = input.double(), other.double()
    allowed = P.add(P.abs(P.mul(other, rtol)), atol)
    distance = P.abs(P.sub(input, other))
    return P.logical_or(close, P.logical_and(P.isfinite(distance), P.le(distance, allowed)))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether ``isclose`` holds everywhere."""
    return bool(P.all(isclose(input, other, rtol, atol, equal_nan), None, False))


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return bool(input._array.shape == other._array.shape)


def is_signed(input: Tensor) -> bool:
    """Whether the type of the tensor has negative numbers."""
    return bool(input.dtype.is_signed)


def isposinf(input: Tensor) -> Tensor:
    """Where elements are positive infinity."""
    return _is_infinite("isposinf", input, math.inf)


def isneginf(input: Tensor) -> Tensor:
    """Where elements are negative infinity."""
    return _is_infinite("isneginf", input, -math.inf)


def _is_infinite(name: str, x: Tensor, which: float) -> Tensor:
    check_tensor(name, "input", x)
    if x._array.dtype.kind == "c":
        raise RuntimeError(f"{name}: complex numbers have no order, got complex tensor {describe(x)}; use isinf")
    return P.ne(x, x) if x._array.dtype.kind in "biu" else P.eq(x, which)
