"""The distributions on a card: the methods of the host's generator, made of the card's own random numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .random import CounterGenerator, Generator, bounds, largest
from .random.engine import Shape, floating, shape_and_size

__all__ = ["CardDraws"]

# What the host's generator refuses is refused here: it is asked for no numbers, and looks at the rest.
HOST = Generator(0)
NOTHING = (0,)


def on_its_card(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method run as the kernels of the backend do: with the card current, telling what memory there is."""

    @wraps(method)
    def run(self: CardDraws, *args: Any, **options: Any) -> Any:
        return self._backend.perform(method, self, *args, **options)

    return run


class CardDraws:
    """Draws on one card; arguments and errors are those of ``random.Generator``, the numbers are not PyTorch's.

    Args:
        backend: of the card.
        source: the generator whose counter is used up.
    """

    def __init__(self, backend: Any, source: CounterGenerator) -> None:
        self._backend, self._source, self._xp = backend, source, backend.xp

    # Real numbers

    @on_its_card
    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: Any = np.float32) -> Any:
        """Uniform numbers in [low, high)."""
        HOST.uniform(NOTHING, low, high, dtype)
        return self._real(self._backend.random_uniform, shape, low, high, np.dtype(dtype))

    @on_its_card
    def normal(
        self, shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: Any = np.float32, *, contiguous: bool = True
    ) -> Any:
        """Normal numbers; complex ones have ``std / sqrt(2)`` in each part."""
        HOST.normal(NOTHING, mean, std, dtype)
        wanted = np.dtype(dtype)
        return self._real(
            self._backend.random_normal, shape, mean, std / math.sqrt(2) if wanted.kind == "c" else std, wanted
        )

    def _real(self, draw: Any, shape: Shape, first: float, second: float, dtype: np.dtype) -> Any:
        dims, _ = shape_and_size(shape)
        if dtype.kind != "c":
            return draw(dims, first, second, dtype, self._source)
        part = np.dtype(np.float32 if dtype == np.complex64 else np.float64)
        return draw((*dims, 2), first, second, part, self._source).view(dtype)[..., 0]

    @on_its_card
    def normal_tensors(self, mean: Any, std: Any) -> Any:
        """Normal numbers with a mean and a standard deviation each; one of them may be a number."""
        first = mean if hasattr(mean, "dtype") else std
        if bool((std < 0).any()) if hasattr(std, "dtype") else std < 0:
            raise RuntimeError("normal: every element of std must be at least 0")
        dims = np.broadcast_shapes(getattr(mean, "shape", ()), getattr(std, "shape", ()))
        wide = np.dtype(np.float64 if first.dtype == np.float64 else np.float32)
        drawn = self._backend.random_normal(dims, 0.0, 1.0, wide, self._source)
        parts = (v.astype(wide) if hasattr(v, "dtype") else wide.type(v) for v in (std, mean))
        return (drawn * next(parts) + next(parts)).astype(first.dtype)

    @on_its_card
    def exponential(self, shape: Shape, lambd: float = 1.0, dtype: Any = np.float32) -> Any:
        """Exponential numbers of rate ``lambd``."""
        HOST.exponential(NOTHING, lambd, dtype)
        return (-self._xp.log1p(-self._unit(shape)) / lambd).astype(dtype)

    @on_its_card
    def log_normal(self, shape: Shape, mean: float = 1.0, std: float = 2.0, dtype: Any = np.float32) -> Any:
        """The exponential of normal numbers."""
        HOST.log_normal(NOTHING, mean, std, dtype)
        return self._xp.exp(self.normal(shape, mean, std, np.float64)).astype(dtype)

    @on_its_card
    def cauchy(self, shape: Shape, median: float = 0.0, sigma: float = 1.0, dtype: Any = np.float32) -> Any:
        """Cauchy numbers."""
        HOST.cauchy(NOTHING, median, sigma, dtype)
        return (median + sigma * self._xp.tan(math.pi * (self._unit(shape) - 0.5))).astype(dtype)

    def _unit(self, shape: Shape) -> Any:
        return self._backend.random_uniform(shape_and_size(shape)[0], 0.0, 1.0, np.dtype(np.float64), self._source)

    # Whole numbers

    def randint(self, low: int, high: int, shape: Shape, dtype: Any = np.int64) -> Any:
        """Integers in [low, high)."""
        return self.random_(shape, low, high, dtype)

    @on_its_card
    def random_(self, shape: Shape, low: int | None = None, high: int | None = None, dtype: Any = np.float32) -> Any:
        """Integers from ``low`` (0) up to but without ``high`` (None: as far as the type counts exactly)."""
        HOST.random_(NOTHING, low, high, dtype)
        wanted = np.dtype(dtype)
        dims, n = shape_and_size(shape)
        words = self._backend.random_words(n, self._source).reshape(dims)
        if low == -(2**63) and high is None:
            return words.view(np.int64).astype(wanted)
        if low is None and high is None:
            least, last = 0, largest(wanted)
        else:
            least, last = bounds(0 if low is None else low, high, wanted)
        # counted in 64 bits that wrap around, the sum is right though the first term may not be
        return ((words % np.uint64(last - least + 1)).view(np.int64) + np.int64(least)).astype(wanted)

    @on_its_card
    def randperm(self, n: int) -> Any:
        """A permutation of 0 to n - 1."""
        HOST.randperm(min(n, 0))
        return self._xp.argsort(self._backend.random_words(n, self._source))

    @on_its_card
    def bernoulli(self, p: float, shape: Shape, dtype: Any = np.float32) -> Any:
        """Ones with probability ``p``, else zeros."""
        HOST.bernoulli(p, NOTHING, dtype)
        return (self._unit(shape) < p).astype(dtype)

    @on_its_card
    def bernoulli_array(self, p: Any, dtype: Any = None) -> Any:
        """Ones with the probabilities ``p``, else zeros."""
        return (self._unit(p.shape) < p.astype(np.float64)).astype(p.dtype if dtype is None else dtype)

    @on_its_card
    def geometric(self, p: float, shape: Shape, dtype: Any = np.float32) -> Any:
        """The number of trials up to the first success."""
        HOST.geometric(p, NOTHING, dtype)
        trials = self._xp.ceil(self._xp.log(1 - self._unit(shape)) / math.log1p(-p))
        return self._xp.maximum(trials, 1).astype(dtype)

    @on_its_card
    def multinomial(self, probs: Any, num_samples: int, replacement: bool = False) -> Any:
        """Positions drawn by weight, from (categories,) or from each row of (rows, categories)."""
        floating("multinomial", probs.dtype)
        if probs.ndim not in (1, 2) or not 0 < num_samples <= (math.inf if replacement else probs.shape[-1]):
            raise RuntimeError(
                f"multinomial: {num_samples} samples {'with' if replacement else 'without'} replacement of weights of "
                f"shape {probs.shape}; these need 1 or 2 dimensions, and as many categories as samples without it"
            )
        xp, rows = self._xp, probs.astype(np.float64).reshape(-1, probs.shape[-1])
        fit = (rows >= 0) & (rows < math.inf)
        if not bool((fit.all(axis=1) & (rows.sum(axis=1) > 0)).all()):
            raise RuntimeError("multinomial: the weights must be finite, at least 0, and of positive sum in every row")
        if replacement:
            sums = xp.cumsum(rows, axis=1)
            chosen = self._unit((rows.shape[0], num_samples)) * sums[:, -1:]
            found = xp.stack([xp.searchsorted(s, c, side="right") for s, c in zip(sums, chosen, strict=True)])
        else:  # the least of exponential waiting times with rates `rows` comes first
            found = xp.argsort(-(rows / -xp.log1p(-self._unit(rows.shape))), axis=1)[:, :num_samples]
        return found.astype(np.int64).reshape((*probs.shape[:-1], num_samples))
