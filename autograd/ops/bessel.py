"""Bessel functions, the normal distribution, and the other names of ``tapegrad.special``."""

from __future__ import annotations

import math
from typing import Any

from ..names import named
from ..promote import constant, get_default_dtype, result_type
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor

__all__ = ["entr", "erfcx", "i0", "i0e", "i1", "i1e", "log_ndtr", "ndtr", "ndtri", "xlog1py"]


def _floating(name: str, x: Any) -> Tensor:
    """Integers and bools in the default type.

    Raises:
        RuntimeError: complex numbers.
    """
    check_tensor(name, "input", x)
    if x._array.dtype.kind == "c":
        raise RuntimeError(f"{name}: not defined for {x.dtype.name} tensors")
    return P.cast(x, get_default_dtype().numpy) if x._array.dtype.kind in "biu" else x


def i0(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 0."""
    x = _floating("i0", input)
    return named(P.mul(P.exp(P.abs(x)), P.i0e(x)), "I0Backward0")


def i0e(input: Tensor) -> Tensor:
    """``exp(-abs(x)) * i0(x)``."""
    return named(P.i0e(_floating("special.i0e", input)), "SpecialI0EBackward0")


def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 1."""
    x = _floating("special.i1", input)
    return named(P.mul(P.exp(P.abs(x)), P.i1e(x)), "SpecialI1Backward0")


def i1e(input: Tensor) -> Tensor:
    """``exp(-abs(x)) * i1(x)``."""
    return named(P.i1e(_floating("special.i1e", input)), "SpecialI1EBackward0")


def erfcx(input: Tensor) -> Tensor:
    """``exp(x**2) * erfc(x)``."""
    return named(P.erfcx(_floating("special.erfcx", input)), "SpecialErfcxBackward0")


def ndtr(input: Tensor) -> Tensor:
    """The share of the standard normal distribution below ``input``."""
    x = _floating("special.ndtr", input)
    return P.mul(P.erfc(P.mul(x, -math.sqrt(0.5))), 0.5)


def ndtri(input: Tensor) -> Tensor:
    """The inverse of ``ndtr``."""
    return named(P.ndtri(_floating("special.ndtri", input)), "SpecialNdtriBackward0")


def log_ndtr(input: Tensor) -> Tensor:
    """The logarithm of ``ndtr``, right also far down where that is 0."""
    x = _floating("special.log_ndtr", input)
    low = P.lt(x, -1.0)
    at = P.mul(x, math.sqrt(0.5))
    below = P.where(low, at, -1.0)
    tail = P.sub(P.log(P.mul(P.erfcx(P.neg(below)), 0.5)), P.square(below))
    above = P.log1p(P.mul(P.erfc(P.where(low, 0.0, at)), -0.5))
    return named(P.where(low, tail, above), "SpecialLogNdtrBackward0")


def entr(input: Tensor) -> Tensor:
    """``-x log(x)``, 0 at 0, -inf for negative numbers."""
    x = _floating("special.entr", input)
    return named(P.entr(x), "SpecialEntrBackward0")


def xlog1py(input: Any, other: Any) -> Tensor:
    """``x log(1 + y)``, and 0 where x is 0 unless y is nan."""
    x, y = _pair("special.xlog1py", input, other)
    none = P.logical_and(P.eq(x, 0), P.le(y, -1))
    return named(P.mul(x, P.log1p(P.where(none, 0.0, y))), "SpecialXlog1PyBackward0")


def _pair(name: str, a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Two operands, one of which may be a number, in one floating type."""
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        raise TypeError(f"{name}: needs at least one Tensor, got {type(a).__name__} and {type(b).__name__}")
    kind = result_type(a, b)
    if kind.is_complex:
        raise RuntimeError(f"{name}: not defined for {kind.name} tensors")
    kind = kind if kind.is_floating_point else get_default_dtype()
    device = (a if isinstance(a, Tensor) else b)._device
    x, y = (v if isinstance(v, Tensor) else constant(v, kind, device) for v in (a, b))
    return tuple(v if v._array.dtype == kind.numpy else P.cast(v, kind.numpy) for v in (x, y))  # type: ignore[return-value]
