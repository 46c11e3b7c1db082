"""Bessel functions, the normal distribution's quantiles, the scaled error function, incomplete gamma functions.

All compute in float64 and round once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .special import FAR, MIDDLE, NEAR, _ratio, in_float64

__all__ = ["BesselMixin"]

POINTS = 64  # of the trapezoidal rule over a full turn: exact to float64 up to LARGEST
LARGEST = 30.0


class BesselMixin:
    """Special functions over ``self.xp``."""

    xp: Any
    erfc: Any  # of SpecialMixin
    lgamma: Any

    @in_float64
    def i0e(self, x: Any) -> Any:
        """``exp(-abs(x))`` times the modified Bessel function of order 0: its integral, far out its asymptotic series.

        Abramowitz and Stegun, Handbook of Mathematical Functions, 9.6.16 and 9.7.1.
        """
        xp, a = self.xp, self.xp.abs(x)
        near = xp.minimum(a, LARGEST)
        total = sum(w * xp.exp(near * (math.cos(t) - 1)) for t, w in _half_turn())
        out = xp.where(a <= LARGEST, total / POINTS, _asymptotic(xp, xp.maximum(a, LARGEST), 0))
        return xp.where(xp.isnan(x), x, out)

    @in_float64
    def i1e(self, x: Any) -> Any:
        """``exp(-abs(x))`` times the modified Bessel function of order 1 (9.6.18 and 9.7.1)."""
        xp, a = self.xp, self.xp.abs(x)
        near = xp.minimum(a, LARGEST)
        total = sum(w * math.sin(t) ** 2 * xp.exp(near * (math.cos(t) - 1)) for t, w in _half_turn())
        out = xp.where(a <= LARGEST, near * total / POINTS, _asymptotic(xp, xp.maximum(a, LARGEST), 1))
        return xp.where(xp.isnan(x), x, xp.copysign(out, x))

    @in_float64
    def erfcx(self, x: Any) -> Any:
        """``exp(x**2) * erfc(x)``, by Cody's approximations (see `special`)."""
        xp, a = self.xp, self.xp.abs(x)
        near = xp.exp(xp.minimum(a, 1.0) ** 2) * (1 - a * _ratio(a * a, NEAR))
        inverse = 1 / xp.maximum(a * a, 1.0)
        far = (1 / math.sqrt(math.pi) - inverse * _ratio(inverse, FAR)) / xp.maximum(a, 1.0)
        out = xp.where(a <= 4, _ratio(xp.minimum(a, 4.0), MIDDLE), far)
        out = xp.where(a <= 0.46875, near, out)
        out = xp.where(x < 0, 2 * xp.exp(a * a) - out, out)
        return xp.where(xp.isnan(x), x, out)

    @in_float64
    def ndtri(self, x: Any) -> Any:
        """Where the normal distribution reaches the share ``x``: a closed form, then steps of Halley's method.

        S. Winitzki, A handy approximation for the error function and its inverse (2008).
        """
        xp = self.xp
        q = 2 * xp.minimum(x, 1 - x)
        log = xp.log(q) + xp.log1p(1 - q)
        middle = 2 / (math.pi * 0.147) + log / 2
        y = xp.sqrt(xp.sqrt(middle * middle - log / 0.147) - middle)
        for _ in range(4):
            # relative to the tail itself, which may be as small as float64 goes
            step = (1 - q * xp.exp(y * y) / self.erfcx(y)) * self.erfcx(y) * (math.sqrt(math.pi) / 2)
            y = y + step / (1 - y * step)
        y = xp.where(q == 1, 0.0, xp.where(q == 0, math.inf, y)) * math.sqrt(2)
        return xp.where((x < 0) | (x > 1) | xp.isnan(x), math.nan, xp.where(x < 0.5, -y, y))

    @in_float64
    def entr(self, x: Any) -> Any:
        """``-x log(x)``, 0 at 0, -inf below."""
        xp = self.xp
        out = xp.where(x > 0, -x * xp.log(xp.where(x > 0, x, 1.0)), xp.where(x == 0, 0.0, -math.inf))
        return xp.where(xp.isnan(x), x, out)

    def igamma(self, a: Any, x: Any) -> Any:
        """The regularised lower incomplete gamma function."""
        return self._incomplete(a, x, False)

    def igammac(self, a: Any, x: Any) -> Any:
        """The regularised upper incomplete gamma function."""
        return self._incomplete(a, x, True)

    def _incomplete(self, a: Any, x: Any, upper: bool) -> Any:
        """A series below ``a + 1``, a continued fraction above (Abramowitz and Stegun 6.5.29 and 6.5.31)."""
        xp = self.xp
        kind = a.dtype if hasattr(a, "dtype") else x.dtype
        with np.errstate(all="ignore"):
            a, x = xp.asarray(a, np.float64), xp.asarray(x, np.float64)
            low = x < a + 1
            fit = (a > 0) & (x > 0) & xp.isfinite(a) & xp.isfinite(x)
            s, t = xp.where(fit, a, 1.0), xp.where(fit, x, 1.0)
            scale = xp.exp(s * xp.log(t) - t - self.lgamma(s))
            below = scale * self._series(s, xp.where(low, t, 0.0))
            above = scale * self._fraction(s, xp.where(low, s + 2, t))
            out = xp.where(low, 1 - below, above) if upper else xp.where(low, below, 1 - above)
            ends = xp.where(x == 0, 0.0, xp.where(a == 0, 1.0, xp.where(xp.isinf(a), 0.0, 1.0)))
            bad = (a < 0) | (x < 0) | xp.isnan(a) | xp.isnan(x) | ((a == 0) & (x == 0)) | (xp.isinf(a) & xp.isinf(x))
            out = xp.where(fit, out, 1 - ends if upper else ends)
            return xp.where(bad, math.nan, out).astype(kind)

    def _series(self, a: Any, x: Any) -> Any:
        xp = self.xp
        term = 1 / a
        total, k = term, 0
        while k < 10_000 and (k % 16 or bool((xp.abs(term) > 1e-17 * xp.abs(total)).any())):
            k += 1
            term = term * x / (a + k)
            total = total + term
        return total

    def _fraction(self, a: Any, x: Any) -> Any:
        """Lentz's method, as in Numerical Recipes, section 5.2."""
        xp, tiny = self.xp, 1e-300
        b = x + 1 - a
        c, d = xp.zeros_like(b) + 1 / tiny, 1 / b
        out, change, k = d, d * 0, 0
        while k < 10_000 and (k % 16 or bool((xp.abs(change - 1) > 4e-16).any())):
            k += 1
            an = -k * (k - a)
            b = b + 2
            d = an * d + b
            d = 1 / xp.where(xp.abs(d) < tiny, tiny, d)
            c = b + an / c
            c = xp.where(xp.abs(c) < tiny, tiny, c)
            change = c * d
            out = out * change
        return out


def _half_turn() -> list[tuple[float, float]]:
    """The points of the trapezoidal rule from 0 to pi, and how many of the full turn each stands for."""
    half = POINTS // 2
    return [(math.pi * k / half, 1.0 if k in (0, half) else 2.0) for k in range(half + 1)]


def _asymptotic(xp: Any, x: Any, order: int) -> Any:
    term, total = 1.0, 1.0
    for k in range(1, 26):
        term = -term * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k * x)
        total = total + term
    return total / xp.sqrt(2 * math.pi * x)
