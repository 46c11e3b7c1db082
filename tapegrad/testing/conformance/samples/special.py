"""Samples of the special functions, of pairs of numbers and of running extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..sample import Sample
from .elementwise import binary, integers, unary
from .inputs import array, frozen, inf, ints, nan, real, scalar, strided

__all__ = ["SAMPLES"]


def _left(a: int, b: int) -> int:
    a, b = int(a), int(b)
    return (a << b) % 2**64 - 2**64 * ((a << b) % 2**64 >= 2**63) if 0 <= b < 64 else 0


def _right(a: int, b: int) -> int:
    return int(a) >> int(b) if 0 <= b < 64 else -int(a < 0)


def _zeta_like(x: float, n: int) -> float:
    """The polygamma function of positive order: its series, with an integral for what is left of it."""
    last = 3000.0
    total = math.fsum((x + k) ** -(n + 1) for k in range(int(last)))
    far = x + last
    total += far**-n / n + 0.5 * far ** -(n + 1) + (n + 1) / 12 * far ** -(n + 2)
    return (-1) ** (n + 1) * math.factorial(n) * total


def _polygamma(x: float, n: int) -> float:
    if n:
        return _zeta_like(x, n)
    step = 1e-3  # five-point slope of lgamma
    f = [math.lgamma(x + k * step) for k in (-2, -1, 1, 2)]
    return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * step)


def _erfinv(y: float) -> float:
    """By bisection of ``math.erf``, of ``math.erfc`` near the ends."""
    low, high = 0.0, 7.0
    wrong = (lambda x: math.erf(x) - abs(y)) if abs(y) < 0.5 else (lambda x: (1 - abs(y)) - math.erfc(x))
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if wrong(middle) < 0 else (low, middle)
    return math.copysign(low, y)


def _running(better: Any) -> Any:
    def expect(x: np.ndarray, dim: int) -> np.ndarray:
        def line(row: np.ndarray) -> np.ndarray:
            out, best = [], 0
            for i, v in enumerate(row):
                if math.isnan(v) or (not math.isnan(row[best]) and better(v, row[best])):
                    best = i
                out.append(best)
            return np.array(out, np.int64)

        return np.apply_along_axis(line, dim, x) if x.size else np.zeros(x.shape, np.int64)

    return expect


def _log_sums(x: np.ndarray, dim: int) -> np.ndarray:
    return np.log(np.cumsum(np.exp(x), dim))


ROWS = (
    (real(3, 4), 1), (real(3, 4), 0), (real(5), 0), (strided(real(2, 3)), 1), (frozen(real(4)), 0), (real(0, 3), 1),
    (real(3, 0), 1), (real(2, 3, 9), 1),
)  # fmt: skip
TIES = array([1.0, 3.0, 3.0, 2.0, 3.0], [nan, 1.0, nan, 2.0, 0.0], [-inf, -inf, inf, 1.0, inf])
PAIR = ints(-5, 0, 7, 12, 18), ints(3, 4, -21, 0, 12)
SHIFTED = ints(5, -5, 7, -8, 1), ints(1, 63, 64, -1, 2)

SAMPLES: dict[str, list[Sample]] = {
    "hypot": binary(math.hypot, (0.3, 2.0), (-2.0, 2.0)),
    "logaddexp": [
        *binary(lambda a, b: max(a, b) + math.log1p(math.exp(-abs(a - b))), special=False, smooth=False, atol=64),
        Sample((real(3, 4), real(1, salt=1)), atol=64),  # of equal shapes the second derivatives would add up to 0
        Sample((array(800.0, -800.0, -inf, inf), array(801.0, -800.0, 3.0, 2.0)), smooth=False, gradient=False),
    ],
    "copysign": [
        *binary(math.copysign, special=False),
        Sample((array(0.0, -0.0, 2.0, -2.0), array(-1.0, 0.0, -0.0, 1.0)), (), np.copysign, smooth=False,
               slopes=(array(0, 0, -1, -1), 0.0)),
    ],
    "xlogy": [
        *binary(lambda a, b: a * math.log(b), (-2.0, 2.0), (0.3, 3.0), special=False),
        Sample((array(0.0, 0.0, 2.0, 0.0), array(0.0, 2.0, 3.0, -1.0)), (), lambda a, b: array(0, 0, 2 * math.log(3), 0),
               smooth=False, slopes=(array(0, math.log(2), math.log(3), 0), array(nan, 0, 2 / 3, 0))),
        Sample((array(0.0, nan, 1.0), array(nan, 1.0, -1.0)), (), lambda a, b: array(nan, nan, nan), smooth=False, gradient=False),
    ],
    "nextafter": [
        Sample((array(1.5, 2.5), array(2.0, 2.0)), (), lambda a, b: a, slopes=(1.0, 0.0)),
        Sample((array(1.5, 3.0), array(1.5, 3.0)), (), lambda a, b: a, smooth=False, slopes=(0.0, 0.0)),
    ],
    "bitwise_left_shift": integers(_left, SHIFTED, (SHIFTED[0], 2), (3, ints(1, 2))),
    "bitwise_right_shift": integers(_right, SHIFTED, (SHIFTED[0], 2), (9, ints(1, 2))),
    "gcd": integers(math.gcd, PAIR),
    "lcm": integers(math.lcm, PAIR),
    "signbit": [
        Sample((x,), (), lambda x: np.vectorize(lambda v: math.copysign(1, v) < 0, otypes=[bool])(x))
        for x in (array(0.0, -0.0, 2.0, -2.0, inf, -inf), scalar(-1.0), strided(real(2, 3)), real(0, 2), ints(-2, 0, 2))
    ],
    "exponent": [
        Sample((x,), (), lambda x: np.vectorize(lambda v: math.frexp(v)[1] if math.isfinite(v) else 0, otypes=[np.int32])(x))
        for x in (array(0.0, -0.0, 1.0, -8.0, 0.75, inf, nan), scalar(5.0), strided(real(2, 3)))
    ] + [Sample((real(0, 2),), (), lambda x: np.zeros(x.shape, np.int32))],
    "erfc": unary(math.erfc, -2.0, 3.0, wide=(-7, 9)),
    "erfinv": unary(_erfinv, -0.9, 0.9, wide=(-0.999, 0.999)),
    "lgamma": unary(math.lgamma, 0.3, 5.0, wide=(0.1, 60.0), atol=128, special=False),
    "polygamma": [
        *unary(_polygamma, 0.3, 5.0, (0,), wide=(0.2, 60.0), special=False, rtol=1e5, atol=16),
        *unary(_polygamma, 0.3, 5.0, (1,), wide=(0.2, 60.0), special=False, rtol=64),
        *unary(_polygamma, 0.3, 5.0, (3,), wide=(0.2, 60.0), special=False, rtol=64),
        Sample((array(-0.5, -1.5, -2.25),), (2,), smooth=False),
    ],
    "cummax": [Sample((x,), (dim,), _running(lambda a, b: a >= b)) for x, dim in (*ROWS, (TIES, 1), (TIES, 0))],
    "cummin": [Sample((x,), (dim,), _running(lambda a, b: a <= b)) for x, dim in (*ROWS, (TIES, 1), (TIES, 0))],
    "logcumsumexp": [
        *[Sample((x,), (dim,), _log_sums, atol=4) for x, dim in ROWS],
        Sample((real(2, 1),), (1,), _log_sums, smooth=False),
        Sample((array(1000.0, 1000.0, -1000.0),), (0,), lambda x, d: 1000 + array(0, math.log(2), math.log(2)), smooth=False, gradient=False),
        Sample((array(4.0, 4.0, -40.0),), (0,), lambda x, d: 4 + array(0, math.log(2), math.log(2)), smooth=False,
               slopes=(array(2.0, 1.0, 0.0),), atol=8),
    ],
}  # fmt: skip
