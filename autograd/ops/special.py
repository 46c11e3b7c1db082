"""Element-wise functions composed of primitives: angles, roundings, special functions, pairs of floats."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ...backends import dtypes
from ..grad_mode import is_grad_enabled
from ..names import named
from ..promote import constant, get_default_dtype, result_type
from ..rule import P
from ..tensor import Tensor
from ..types import finfo
from ..writes import overwrite
from .args import check_tensor, not_for
from .complex import real
from .out import write_out
from .results import fields

__all__ = [
    "deg2rad", "digamma", "exp2", "fill", "float_power", "fmax", "fmin", "frac", "frexp", "heaviside", "igamma",
    "igammac", "ldexp", "logaddexp", "logaddexp2", "logit", "mvlgamma", "nan_to_num", "polygamma", "positive",
    "rad2deg", "sgn", "sinc",
]  # fmt: skip

# Those that also exist in place, besides the primitives
IN_PLACE = (
    "deg2rad", "digamma", "exp2", "float_power", "frac", "heaviside", "ldexp", "logit", "mvlgamma", "nan_to_num",
    "polygamma", "rad2deg", "sgn", "sinc",
)  # fmt: skip


class frexp_result(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    mantissa: Tensor
    exponent: Tensor

    def __repr__(self) -> str:
        return fields(self)


def _floating(x: Tensor) -> Tensor:
    """Integers and bools in the default dtype."""
    return P.cast(x, get_default_dtype().numpy) if x._array.dtype.kind in "biu" else x


def _refuse_integers(name: str, x: Tensor) -> None:
    if x._array.dtype.kind in "biu":
        raise RuntimeError(f"{name}: not defined for {x.dtype.name} tensors; convert with .float()")


def positive(input: Tensor) -> Tensor:
    """The tensor itself.

    Raises:
        RuntimeError: bools.
    """
    check_tensor("positive", "input", input)
    if input._array.dtype.kind == "b":
        raise RuntimeError("positive: not defined for bool tensors; convert with .int()")
    return input


def sgn(input: Tensor) -> Tensor:
    """``sign`` of real numbers; of complex ones the number of length 1 in their direction, 0 for 0."""
    check_tensor("sgn", "input", input)
    kind = input._array.dtype.kind
    if kind != "c":
        return P.copy(input) if kind == "b" else P.sign(input)
    length = P.abs(input)
    none = P.eq(length, 0)
    return P.where(none, P.mul(input, 0), P.div(input, P.where(none, 1.0, length)))


def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor like ``input`` with every element set to ``value``."""
    check_tensor("fill", "input", input)
    return named(overwrite(input, value), f"FillBackward{1 if isinstance(value, Tensor) else 0}")


@not_for("c")
def deg2rad(input: Tensor) -> Tensor:
    """Angles in degrees as radians."""
    check_tensor("deg2rad", "input", input)
    return named(P.mul(input, math.pi / 180), "Deg2RadBackward0")


@not_for("c")
def rad2deg(input: Tensor) -> Tensor:
    """Angles in radians as degrees."""
    check_tensor("rad2deg", "input", input)
    return named(P.mul(input, 180 / math.pi), "Rad2DegBackward0")


def frac(input: Tensor) -> Tensor:
    """What ``trunc`` cuts off."""
    check_tensor("frac", "input", input)
    _refuse_integers("frac", input)
    return named(P.sub(input, P.trunc(input)), "FracBackward0")


def exp2(input: Tensor) -> Tensor:
    """Two to the power of ``input``."""
    check_tensor("exp2", "input", input)
    return named(P.pow(2.0, _floating(input)), "Exp2Backward0")


def sinc(input: Tensor) -> Tensor:
    """``sin(pi x) / (pi x)``, and 1 at 0."""
    check_tensor("sinc", "input", input)
    angle = P.mul(_floating(input), math.pi)
    zero = P.eq(angle, 0)
    return named(P.where(zero, 1.0, P.div(P.sin(angle), P.where(zero, 1.0, angle))), "SincBackward0")


@not_for("c")
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(x / (1 - x))``, of ``x`` limited to [eps, 1 - eps] where ``eps`` is given."""
    check_tensor("logit", "input", input)
    x = _floating(input)
    if eps is not None:
        x = P.clamp(x, float(eps), 1 - float(eps))
    elif x._array.dtype.kind != "c":  # NaN outside, and so is the slope
        inside = P.logical_and(P.ge(x, 0), P.le(x, 1))
        x = P.mul(x, P.cast(P.where(inside, 1.0, math.nan), x._array.dtype))
    return named(P.sub(P.log(x), P.log1p(P.neg(x))), "LogitBackward0")


def digamma(input: Tensor) -> Tensor:
    """The derivative of ``lgamma``."""
    check_tensor("digamma", "input", input)
    return named(P.polygamma(input, 0), "DigammaBackward0")


def polygamma(n: int, input: Tensor) -> Tensor:
    """The derivative of order ``n`` of ``digamma``."""
    if isinstance(n, Tensor):  # as a method the tensor comes first
        n, input = input, n
    check_tensor("polygamma", "input", input)
    if n < 0:
        raise RuntimeError(f"polygamma: n must not be negative, got {n}")
    return named(P.polygamma(input, int(n)), "PolygammaBackward0")


@not_for("b")
def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension ``p``."""
    check_tensor("mvlgamma", "input", input)
    x, constant_part = _floating(input), p * (p - 1) / 4 * math.log(math.pi)
    total = P.lgamma(x)
    for j in range(1, p):
        total = P.add(total, P.lgamma(P.sub(x, j / 2)))
    return named(P.add(total, constant_part), "MvlgammaBackward0")


def nan_to_num(
    input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """``input`` with NaN replaced by ``nan`` and infinities by the bounds (None: the largest numbers of the type)."""
    check_tensor("nan_to_num", "input", input)
    if input._array.dtype.kind in "biu":
        return P.copy(input)
    if input._array.dtype.kind == "c":
        from .complex import imag

        parts = [nan_to_num(part, nan, posinf, neginf) for part in (real(input), imag(input))]
        return P.add(parts[0], P.mul(parts[1], 1j))
    limits = finfo(input.dtype)
    out = P.where(P.isnan(input), constant(0.0 if nan is None else nan, input.dtype, input._device), input)
    high, low = limits.max if posinf is None else posinf, limits.min if neginf is None else neginf
    out = P.where(P.eq(input, math.inf), constant(high, input.dtype, input._device), out)
    return named(P.where(P.eq(input, -math.inf), constant(low, input.dtype, input._device), out), "NanToNumBackward0")


# Pairs


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of each pair, and of a NaN and a number the number; at a tie all gradient goes to ``input``."""
    check_tensor("fmax", "input", input)
    check_tensor("fmax", "other", other)
    takes = P.logical_or(P.ge(input, other), P.ne(other, other))
    return named(P.where(takes, input, other), "FmaxBackward0")


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of each pair, and of a NaN and a number the number; at a tie all gradient goes to ``input``."""
    check_tensor("fmin", "input", input)
    check_tensor("fmin", "other", other)
    takes = P.logical_or(P.le(input, other), P.ne(other, other))
    return named(P.where(takes, input, other), "FminBackward0")


@not_for("biu")
def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(exp(input) + exp(other))``, without overflow."""
    if any([isinstance(x, Tensor) and x._array.dtype.kind == "c" for x in (input, other)]):
        check_tensor("logaddexp", "input", input)
        check_tensor("logaddexp", "other", other)
        made = named(_complex_logaddexp(input, other), "LogaddexpBackward0")
        return made if out is None else write_out("logaddexp", out, made, (input, other))
    return P.logaddexp(input, other, out)


def _complex_logaddexp(x: Tensor, y: Tensor) -> Tensor:
    """The one with the larger real part has the exponential of size 1 after division, which cannot overflow."""
    first, second = real(x.detach()), real(y.detach())
    swap = P.lt(first, second)
    high, low = P.where(swap, y, x), P.where(swap, x, y)
    endless = P.logical_and(P.eq(first, second), P.isinf(first))  # inf - inf is no number
    gap = P.where(endless, 0.0, P.sub(low, P.where(endless, low, high)))
    return P.where(endless, high, P.add(high, P.log1p(P.exp(gap))))


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """``log2(2**input + 2**other)``, without overflow."""
    total = P.logaddexp(P.mul(input, math.log(2)), P.mul(other, math.log(2)))
    return named(P.mul(total, 1 / math.log(2)), "Logaddexp2Backward0")


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 where ``input`` is negative or NaN, 1 where it is positive, ``values`` where it is 0; without a gradient.

    Raises:
        RuntimeError: the types differ, or are complex.
    """
    check_tensor("heaviside", "input", input)
    check_tensor("heaviside", "values", values)
    if input._array.dtype != values._array.dtype:
        raise RuntimeError(f"heaviside: the types {input.dtype.name} and {values.dtype.name} differ; convert one")
    x, at_zero = input.detach(), values.detach()
    return P.where(P.eq(x, 0), at_zero, P.cast(P.gt(x, 0), x._array.dtype))


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2**other``."""
    check_tensor("ldexp", "input", input)
    check_tensor("ldexp", "other", other)
    return P.mul(input, P.pow(2.0, other))


def frexp(input: Tensor) -> frexp_result:
    """Mantissas of absolute value from 1/2 up to 1, and the powers of two (int32) that belong to them.

    Raises:
        RuntimeError: not a floating tensor.
    """
    check_tensor("frexp", "input", input)
    if not input.dtype.is_floating_point:
        raise RuntimeError(f"frexp: needs a floating tensor, got {input.dtype.name}; convert with .float()")
    exponent = P.exponent(input)
    half = P.floor_divide(exponent, 2)  # in two steps: one power alone may overflow where the mantissa does not
    mantissa = input
    for part in (half, P.sub(exponent, half)):
        mantissa = P.div(mantissa, P.cast(P.pow(2.0, P.cast(part, dtypes.float64.numpy)), input._array.dtype))
    return frexp_result(named(mantissa, "FrexpBackward0"), exponent)


def float_power(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent`` in float64, or complex128."""
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        raise TypeError(f"float_power: input or exponent must be a Tensor, got {input!r} and {exponent!r}")
    kind = dtypes.complex128 if result_type(input, exponent).is_complex else dtypes.float64
    base, power = (P.cast(x, kind.numpy) if isinstance(x, Tensor) else x for x in (input, exponent))
    if not isinstance(base, Tensor):
        base = constant(base, kind, power._device)
    return P.pow(base, power)


@not_for("c")
def igamma(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The regularized lower incomplete gamma function P(input, other), differentiable by ``other``.

    Raises:
        RuntimeError: ``input`` requires grad; its derivative has no closed form.
    """
    _without_grad("igamma", input)
    return P.igamma(input, other, out)


@not_for("c")
def igammac(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The regularized upper incomplete gamma function Q(input, other) = 1 - P, differentiable by ``other``.

    Raises:
        RuntimeError: ``input`` requires grad; its derivative has no closed form.
    """
    _without_grad("igammac", input)
    return P.igammac(input, other, out)


def _without_grad(name: str, input: Any) -> None:
    if isinstance(input, Tensor) and input.requires_grad and is_grad_enabled():
        raise RuntimeError(f"{name}: the derivative by 'input' is not known; pass input.detach()")
