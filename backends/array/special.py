"""Special functions and pairs of numbers: shifts, hypot, error functions, gamma functions, running extremes.

The error and gamma functions compute in float64 whatever they are given, and round once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .narrow import in_float32

__all__ = ["SpecialMixin"]

# Rational approximations of erf and erfc: W. J. Cody, Rational Chebyshev approximations for the error function,
# Math. Comp. 23 (1969), 631-637. Each pair is (numerator, denominator), highest power first.
NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
     8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
FAR = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip

# Even Bernoulli numbers, from B(2) on
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
SHIFT = 12  # from here on the asymptotic series of the gamma functions keep all digits
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def in_float64(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Let a kernel of one operand run in float64 and round what it returns; NumPy's warnings stay off."""

    @wraps(kernel)
    def rounded(self: Any, x: Any, *attrs: Any) -> Any:
        if x.dtype.kind == "c":
            raise TypeError(f"not defined for {x.dtype}")
        with np.errstate(all="ignore"):
            return kernel(self, x.astype(np.float64), *attrs).astype(x.dtype)

    return rounded


def _horner(x: Any, coefficients: tuple[float, ...]) -> Any:
    value = coefficients[0]
    for c in coefficients[1:]:
        value = value * x + c
    return value


def _ratio(x: Any, pair: tuple[tuple[float, ...], tuple[float, ...]]) -> Any:
    return _horner(x, pair[0]) / _horner(x, pair[1])


class SpecialMixin:
    """Special functions over ``self.xp``."""

    xp: Any
    erf: Any

    # Integers

    def bitwise_left_shift(self, a: Any, b: Any) -> Any:
        xp, kind = self.xp, _integral(a, b)
        fits = (b >= 0) & (b < 8 * kind.itemsize)
        return xp.where(fits, xp.left_shift(a, xp.where(fits, b, kind.type(0))), kind.type(0))

    def bitwise_right_shift(self, a: Any, b: Any) -> Any:
        """Shifts by too much leave the sign."""
        xp, kind = self.xp, _integral(a, b)
        last = 8 * kind.itemsize - 1
        fits = (b >= 0) & (b <= last)
        moved = xp.right_shift(a, xp.where(fits, b, kind.type(last)))
        return moved if kind.kind == "i" else xp.where(fits, moved, kind.type(0))

    def gcd(self, a: Any, b: Any) -> Any:
        _integral(a, b)
        return self.xp.gcd(a, b)

    def lcm(self, a: Any, b: Any) -> Any:
        _integral(a, b)
        return self.xp.lcm(a, b)

    # Floats

    def exponent(self, x: Any) -> Any:
        """The power of two in ``x = m 2**e`` with ``m`` from 1/2 up to 1; 0 of what is not finite."""
        xp, wide = self.xp, x.astype(np.float64)
        small = xp.abs(wide) < 2.0**-1022
        bits = xp.where(small, wide * 2.0**54, wide).view(np.int64)
        power = bits // 2**52 % 2048 - xp.where(small, 1022 + 54, 1022)
        return xp.where(xp.isfinite(wide) & (wide != 0), power, 0).astype(np.int32)

    def xlogy(self, a: Any, b: Any) -> Any:
        if "c" in (getattr(v, "dtype", np.dtype(float)).kind for v in (a, b)):  # one of them may be a number
            raise TypeError("xlogy is not defined for complex numbers")
        xp = self.xp
        with np.errstate(divide="ignore", invalid="ignore"):
            product = a * xp.log(b)
        return xp.where((a == 0) & ~xp.isnan(b), xp.zeros_like(product), product)

    @in_float64
    def erfc(self, x: Any) -> Any:
        xp = self.xp
        a = xp.abs(x)
        near = 1 - x * _ratio(x * x, NEAR)
        high = xp.minimum(a, 30.0).astype(np.float32).astype(np.float64)  # its square is exact
        decay = xp.exp(-high * high) * xp.exp(-(a - high) * (a + high))
        inverse = 1 / xp.maximum(a * a, 1.0)
        far = (1 / math.sqrt(math.pi) - inverse * _ratio(inverse, FAR)) / xp.maximum(a, 1.0)
        tail = decay * xp.where(a <= 4, _ratio(xp.minimum(a, 4.0), MIDDLE), far)
        tail = xp.where(a > 30, 0.0, tail)
        out = xp.where(a <= 0.46875, near, xp.where(x > 0, tail, 2 - tail))
        return xp.where(xp.isnan(x), x, out)

    @in_float64
    def erfinv(self, x: Any) -> Any:
        """S. Winitzki's closed form (2008), good to 2e-3, and three steps of Halley's method."""
        xp = self.xp
        a = xp.abs(x)
        log = xp.log1p(-a) + xp.log1p(a)
        middle = 2 / (math.pi * 0.147) + log / 2
        y = xp.sqrt(xp.sqrt(middle * middle - log / 0.147) - middle)
        for _ in range(3):
            wrong = xp.where(a < 0.5, self.erf(y) - a, (1 - a) - self.erfc(y))
            step = wrong * (math.sqrt(math.pi) / 2) * xp.exp(y * y)
            y = y - step / (1 + y * step)
        y = xp.where(a == 1, math.inf, xp.where(a == 0, 0.0, y))
        return xp.copysign(xp.where(a > 1, math.nan, y), x)

    @in_float64
    def lgamma(self, x: Any) -> Any:
        """``log(abs(gamma(x)))``: Stirling's series past ``SHIFT``, moved there by recurrence; negative reflected."""
        xp = self.xp
        low = x < 0.5
        z = xp.where(low, 1 - x, x)
        near = xp.minimum(z, SHIFT)
        product = near
        for i in range(1, SHIFT):
            product = product * (near + i)
        shifted = xp.where(z < SHIFT, z + SHIFT, z)
        inverse = 1 / shifted
        series = inverse * _horner(
            inverse * inverse, tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI, 1))[::-1]
        )
        out = (shifted - 0.5) * xp.log(shifted) - shifted + HALF_LOG_2PI + series
        out = xp.where(z < SHIFT, out - xp.log(product), out)
        out = xp.where((z == 1) | (z == 2), 0.0, out)
        mirrored = math.log(math.pi) - xp.log(xp.abs(_sin_pi(xp, x))) - out
        out = xp.where(low, mirrored, out)
        return xp.where(xp.isinf(x) | (low & (x == xp.floor(x))), math.inf, out)

    @in_float64
    def polygamma(self, x: Any, n: int) -> Any:
        """The derivative of order ``n`` of ``digamma`` (n = 0); negative numbers by reflection."""
        return self._digamma(x) if n == 0 else self._zeta_like(x, n)

    def _digamma(self, x: Any) -> Any:
        xp = self.xp
        low = x < 0
        z = xp.where(low, 1 - x, x)
        total = xp.zeros_like(z)
        for i in range(SHIFT):
            total = total + 1 / (z + i)
        shifted = xp.where(z < SHIFT, z + SHIFT, z)
        square = 1 / (shifted * shifted)
        series = square * _horner(square, tuple(b / (2 * k) for k, b in enumerate(BERNOULLI, 1))[::-1])
        out = xp.log(shifted) - 0.5 / shifted - series
        out = xp.where(z < SHIFT, out - total, out)
        out = xp.where(low, out - math.pi * _cos_pi(xp, x) / _sin_pi(xp, x), out)
        out = xp.where(low & (x == xp.floor(x)), math.nan, out)
        return xp.where(x == 0, xp.copysign(math.inf, -x), out)

    def _zeta_like(self, x: Any, n: int) -> Any:
        """``(-1)**(n+1) n!`` times Hurwitz's zeta of ``n+1`` at ``x``, by the Euler-Maclaurin formula."""
        xp, s = self.xp, n + 1
        low = x < 0
        z = xp.where(low, 1 - x, x)
        total = xp.zeros_like(z)
        for i in range(SHIFT):
            total = total + (z + i) ** -s
        far = z + SHIFT
        total = total + far ** (1 - s) / (s - 1) + 0.5 * far**-s
        factor = float(s)
        for k, b in enumerate(BERNOULLI, 1):
            total = total + b * factor / math.factorial(2 * k) * far ** (1 - s - 2 * k)
            factor *= (s + 2 * k - 1) * (s + 2 * k)
        total = xp.where(xp.isinf(x) & ~low, 0.0, xp.where(x == 0, math.inf, total))
        out = (-1) ** (n + 1) * math.factorial(n) * total
        mirrored = (-1) ** n * out - math.pi * _horner(_cos_pi(xp, x) / _sin_pi(xp, x), _cotangent(n))
        pole = low & (x == xp.floor(x))
        out = xp.where(pole, (-1) ** (n + 1) * math.inf, xp.where(low, mirrored, out))
        return xp.where(x == -math.inf, math.nan, out)

    # Running extremes

    def cummax(self, x: Any, dim: int) -> Any:
        """The index of the largest element so far along ``dim``, of the last where several tie; NaN stays."""
        return self._running(x, dim, self.xp.greater_equal)

    def cummin(self, x: Any, dim: int) -> Any:
        """The index of the smallest element so far along ``dim``, of the last where several tie; NaN stays."""
        return self._running(x, dim, self.xp.less_equal)

    def _running(self, x: Any, dim: int, beats: Any) -> Any:
        """A scan by doubling: after step k each place knows the winner of the 2**k places up to it."""
        xp = self.xp
        best = xp.moveaxis(x, dim, -1)
        index = xp.broadcast_to(xp.arange(best.shape[-1]), best.shape)
        step = 1
        while step < best.shape[-1]:
            left, right = best[..., :-step], best[..., step:]
            wins = xp.isnan(right) | (beats(right, left) & ~xp.isnan(left))
            winner = xp.where(wins, index[..., step:], index[..., :-step])
            best = xp.concatenate([best[..., :step], xp.where(wins, right, left)], -1)
            index = xp.concatenate([index[..., :step], winner], -1)
            step *= 2
        return xp.moveaxis(index, -1, dim)

    @in_float32
    def logcumsumexp(self, x: Any, dim: int) -> Any:
        xp = self.xp
        total, step = xp.moveaxis(x, dim, -1), 1
        while step < total.shape[-1]:
            total = xp.concatenate([total[..., :step], xp.logaddexp(total[..., step:], total[..., :-step])], -1)
            step *= 2
        return xp.moveaxis(total, -1, dim).copy()


def _integral(a: Any, b: Any) -> np.dtype:
    """The type of two operands, one of which may be a Python number; bools are refused."""
    kind: np.dtype = a.dtype if hasattr(a, "dtype") else b.dtype
    if kind.kind not in "iu":
        raise TypeError(f"not defined for {kind}")
    return kind


def _cotangent(n: int) -> tuple[float, ...]:
    """The derivative of order ``n`` of ``cot(pi x)`` as a polynomial in ``cot(pi x)``, highest power first."""
    low_first = [0.0, 1.0]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(low_first)][1:]
        low_first = [0.0] * (len(slope) + 2)
        for k, c in enumerate(slope):
            low_first[k] -= math.pi * c
            low_first[k + 2] -= math.pi * c
    return tuple(reversed(low_first))


def _sin_pi(xp: Any, x: Any) -> Any:
    """``sin(pi x)``, with the digits that ``pi * x`` loses for a large ``x``."""
    return xp.sin(math.pi * (x - 2 * xp.rint(x / 2)))


def _cos_pi(xp: Any, x: Any) -> Any:
    return xp.cos(math.pi * (x - 2 * xp.rint(x / 2)))
