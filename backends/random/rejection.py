"""Draws by rejection: gamma, Poisson and binomial numbers, of which each takes as many words as it happens to need."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from .engine import Engine, cast, floating

__all__ = ["RejectionDraws"]

Array = NDArray[Any]
LOW53, STEP53 = 2**53 - 1, 2.0**-53
BLOCK = 624  # words taken from the stream at a time; what is left over is given back


class RejectionDraws(Engine):
    """Draws whose number of words is not known beforehand; one after another, as the stream demands."""

    def gamma(self, concentration: Array) -> Array:
        """Gamma numbers of rate 1, as PyTorch draws them on the CPU.

        Marsaglia and Tsang, "A simple method for generating gamma variables", ACM Transactions on Mathematical
        Software 26 (2000); below concentration 1 with their power of a uniform number.

        Args:
            concentration: not negative, floating; one number is drawn for each element.

        Raises:
            RuntimeError: an element is negative or NaN, or the dtype is not floating.
        """
        kind = floating("gamma", concentration.dtype)
        if not bool((concentration >= 0).all()):
            raise RuntimeError("gamma: every concentration must be at least 0")
        found = self._each(_gamma, concentration)
        least = float(ml_dtypes.finfo(kind).smallest_normal)
        return np.maximum(cast(found, kind), np.asarray(least, kind))

    def poisson(self, rate: Array) -> Array:
        """Poisson numbers, as ``torch.poisson``, in the dtype of ``rate``.

        From a rate of 10 on by Hörmann's transformed rejection (PTRS; Insurance: Mathematics and Economics 12,
        1993), below by multiplying uniform numbers.

        Raises:
            RuntimeError: an element of ``rate`` is negative or NaN, or the dtype is not floating.
        """
        kind = floating("poisson", rate.dtype)
        if not bool((rate >= 0).all()):
            raise RuntimeError("poisson: every rate must be at least 0")
        return cast(self._each(_poisson, rate), kind)

    def binomial(self, count: Array, prob: Array) -> Array:
        """Binomial numbers, as ``torch.binomial``, in the dtype of ``prob``.

        Where ``count * min(prob, 1 - prob)`` is 10 or more by Hörmann's transformed rejection (BTRS; Journal of
        Statistical Computation and Simulation 46, 1993), else by summing geometric numbers.

        Raises:
            RuntimeError: a count is negative, a probability is not within [0, 1], or the dtype is not floating.
        """
        kind = floating("binomial", prob.dtype)
        if not bool((count >= 0).all()):
            raise RuntimeError("binomial: every count must be at least 0")
        if not bool(((prob >= 0) & (prob <= 1)).all()):
            raise RuntimeError("binomial: every probability must lie between 0 and 1")
        return cast(self._each(_binomial, count, prob), kind)

    def _each(self, one: Callable[..., float], *parameters: Array) -> Array:
        """``one(uniform, normal, *numbers)`` for every element of the parameters, which broadcast."""
        shaped = np.broadcast_arrays(*parameters)
        rows = zip(*(p.astype(np.float64).reshape(-1).tolist() for p in shaped), strict=True)
        before, taken = self._bits.state, 0

        def words() -> Iterator[int]:
            nonlocal taken
            while True:
                for word in self._words(BLOCK).tolist():
                    taken += 1
                    yield word

        buffer = words()

        def uniform() -> float:
            return ((next(buffer) << 32 | next(buffer)) & LOW53) * STEP53

        def normal() -> float:
            kept, self._next_normal = self._next_normal, None
            if kept is not None:
                return kept
            angle = 2.0 * math.pi * uniform()
            radius = math.sqrt(-2.0 * math.log1p(-uniform()))
            self._next_normal = radius * math.sin(angle)
            return radius * math.cos(angle)

        found = np.array([one(uniform, normal, *row) for row in rows], np.float64)
        self._bits.state = before
        self._words(taken)
        return found.reshape(shaped[0].shape)


Draw = Callable[[], float]


def _gamma(uniform: Draw, normal: Draw, concentration: float) -> float:
    scale = 1.0
    if concentration == 0:
        return 0.0
    if concentration < 1:
        scale = (1.0 - uniform()) ** (1.0 / concentration)
        concentration += 1.0
    d = concentration - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal()
        while 1.0 + c * x <= 0:
            x = normal()
        v = (1.0 + c * x) ** 3
        u = 1.0 - uniform()
        square = x * x
        if u < 1.0 - 0.0331 * square * square or math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
            return scale * d * v


def _poisson(uniform: Draw, normal: Draw, rate: float) -> float:
    if rate >= 10:
        return _poisson_of_large_rate(uniform, rate)
    if rate == 0:
        return 0.0
    level, product, count = math.exp(-rate), uniform(), 0
    while product > level:
        product *= uniform()
        count += 1
    return float(count)


def _poisson_of_large_rate(uniform: Draw, rate: float) -> float:
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    tight = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u = uniform() - 0.5
        v = uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2.0 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= tight:
            return float(k)
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = _log(v) + math.log(inverse) - math.log(a / (us * us) + b)
        if left <= -rate + k * math.log(rate) - math.lgamma(k + 1.0):
            return float(k)


def _binomial(uniform: Draw, normal: Draw, count: float, prob: float) -> float:
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    rarer = min(prob, 1.0 - prob)
    of = _binomial_of_large_mean if count * rarer >= 10 else _binomial_of_small_mean
    found = of(uniform, count, rarer)
    return found if prob <= 0.5 else count - found


def _binomial_of_small_mean(uniform: Draw, count: float, prob: float) -> float:
    """How many geometric waiting times fit into ``count`` throws."""
    waited, found, log_miss = 0.0, 0, math.log1p(-prob)
    while True:
        u = uniform()
        waited += math.ceil(math.log(u) / log_miss) if u else math.inf
        if waited > count:
            return float(found)
        found += 1


def _binomial_of_large_mean(uniform: Draw, count: float, prob: float) -> float:
    deviation = math.sqrt(count * prob * (1.0 - prob))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = count * prob + 0.5
    tight = 0.92 - 4.2 / b
    odds = prob / (1.0 - prob)
    alpha = (2.83 + 5.1 / b) * deviation
    m = math.floor((count + 1.0) * prob)
    while True:
        u = uniform() - 0.5
        v = uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2.0 * a / us + b) * u + c)
        if us >= 0.07 and v <= tight:
            return float(k)
        if k < 0 or k > count:
            continue
        bound = (
            (m + 0.5) * math.log((m + 1.0) / (odds * (count - m + 1.0)))
            + (count + 1.0) * math.log((count - m + 1.0) / (count - k + 1.0))
            + (k + 0.5) * math.log(odds * (count - k + 1.0) / (k + 1.0))
            + _tail(m) + _tail(count - m) - _tail(k) - _tail(count - k)
        )  # fmt: skip
        if _log(v * alpha / (a / (us * us) + b)) <= bound:
            return float(k)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _tail(k: float) -> float:
    """What Stirling's formula for ``log k!`` leaves over."""
    return math.lgamma(k + 1.0) - ((k + 0.5) * math.log(k + 1.0) - (k + 1.0) + 0.5 * math.log(2.0 * math.pi))
