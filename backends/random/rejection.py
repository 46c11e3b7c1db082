"""Draws by rejection: gamma, Poisson and binomial numbers, of which each takes as many words as it happens to need."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from ..numba_kernels import rejections
from .compiled import compiled
from .engine import Engine, cast, floating

__all__ = ["RejectionDraws"]

Array = NDArray[Any]
WORDS_EACH = 64  # as many words are made in the time that one such number takes in Python
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
        found = self._each("gamma", concentration)
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
        return cast(self._each("poisson", rate), kind)

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
        return cast(self._each("binomial", count, prob), kind)

    def _each(self, name: str, *parameters: Array) -> Array:
        """One number for every element of the parameters, which broadcast."""
        shaped = np.broadcast_arrays(*parameters)
        flat = [np.array(p, np.float64).reshape(-1) for p in shaped]
        kernels = compiled(WORDS_EACH * flat[0].size, "rejection_draws")
        if kernels is None:
            found = self._one_by_one(ONE[name], flat)
        else:
            found = np.empty(flat[0].size)
            getattr(kernels, name)(self._memory, self._kept, *flat, found)
        return found.reshape(shaped[0].shape)

    def _one_by_one(self, one: Callable[..., float], parameters: list[Array]) -> Array:
        before, source = self._bits.state, _Source(self)
        rows = zip(*[p.tolist() for p in parameters], strict=True)
        found = np.array([one(source, *row) for row in rows], np.float64)
        self._bits.state = before
        self._words(source.taken)
        return found


class _Source:
    """The words of a generator one by one; more of them are taken from it than are used."""

    def __init__(self, generator: Engine) -> None:
        self.generator, self.taken = generator, 0
        self.words = self._each_word()

    def _each_word(self) -> Iterator[int]:
        while True:
            for word in self.generator._words(BLOCK).tolist():
                self.taken += 1
                yield word

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return ((next(self.words) << 32 | next(self.words)) & LOW53) * STEP53

    def normal(self) -> float:
        """A standard normal number; they come in twos, and the generator keeps the second."""
        kept, self.generator._next_normal = self.generator._next_normal, None
        if kept is not None:
            return kept
        angle = 2.0 * math.pi * self.uniform()
        radius = math.sqrt(-2.0 * math.log1p(-self.uniform()))
        self.generator._next_normal = radius * math.sin(angle)
        return radius * math.cos(angle)


def _poisson(source: _Source, rate: float) -> float:
    of = rejections.poisson_of_large_rate if rate >= 10 else rejections.poisson_of_small_rate
    return float(of(source, rate))


def _binomial(source: _Source, count: float, prob: float) -> float:
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    rarer = min(prob, 1.0 - prob)
    of = rejections.binomial_of_large_mean if count * rarer >= 10 else rejections.binomial_of_small_mean
    found = float(of(source, count, rarer))
    return found if prob <= 0.5 else count - found


ONE: dict[str, Callable[..., float]] = {"gamma": rejections.gamma, "poisson": _poisson, "binomial": _binomial}
