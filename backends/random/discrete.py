"""Whole numbers: integers, permutations, coin tosses, choices by weight."""

from __future__ import annotations

import operator
import warnings
from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray

from .compiled import compiled
from .engine import PIECE, Engine, Shape, cast, floating, shape_and_size

__all__ = ["DiscreteDraws", "bounds", "largest"]

Array = NDArray[Any]

SHORT = 256  # a permutation of so many is made faster by a plain loop
WIDE = (np.dtype(np.float32), np.dtype(np.float64))

_MIN64, _MAX64 = -(2**63), 2**63 - 1


class DiscreteDraws(Engine):
    """Draws of whole numbers."""

    def randint(self, low: int, high: int, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers in [low, high), as ``torch.randint``.

        Args:
            low: the least value.
            high: one more than the greatest.
            shape: of the result.
            dtype: integral, bool or floating; must hold the bounds.

        Raises:
            RuntimeError: the range is empty, or the dtype cannot hold it.
        """
        return self.random_(shape, low, high, dtype)

    def random_(
        self, shape: Shape, low: int | None = None, high: int | None = None, dtype: DTypeLike = np.float32
    ) -> Array:
        """Integers, as ``Tensor.random_``.

        Args:
            shape: of the result.
            low: the least value; None: 0.
            high: one more than the greatest value; None: up to and with the greatest value of an integral
                dtype, or the greatest of the integers that a floating dtype holds without gaps.
            dtype: integral, bool or floating.

        Raises:
            RuntimeError: the range is empty, or the dtype cannot hold it.
        """
        wanted = np.dtype(dtype)
        if wanted.kind not in "iub":
            floating("random_", wanted)
        dims, n = shape_and_size(shape)
        if low is None and high is None:
            drawn = self._words64(n) if wanted.itemsize == 8 else self._words(n)
            return cast(_remainder(drawn, largest(wanted) + 1), wanted).reshape(dims)
        if low == _MIN64 and high is None:
            if wanted not in (np.int64, np.float64, np.float32, ml_dtypes.bfloat16):
                raise RuntimeError(f"random_: {wanted} cannot hold the integers from -2^63")
            return cast(self._words64(n).view(np.int64), wanted).reshape(dims)
        least, last = bounds(0 if low is None else low, high, wanted)
        span = last - least + 1
        kernels = compiled(n) if span < 2**63 else None
        if kernels is not None:
            made = np.empty(n, np.int64)
            kernels.integers(self._memory, least, span, made)
            return cast(made, wanted).reshape(dims)
        if span >= 2**28:
            return cast(_remainder(self._words64(n), span) + least, wanted).reshape(dims)
        out = np.empty(n, wanted)
        for i in range(0, n, PIECE):
            words = self._words(min(PIECE, n - i)).astype(np.uint32)
            words -= words // np.uint32(span) * np.uint32(span)  # which NumPy has in vector code, unlike the remainder
            out[i : i + PIECE] = cast(words.astype(np.int64) + least, wanted)
        return out.reshape(dims)

    def randperm(self, n: int) -> NDArray[np.int64]:
        """A permutation of 0 to n - 1, as ``torch.randperm``.

        From n = 214,748,364 on PyTorch shuffles in another way, which is not followed here.

        Raises:
            RuntimeError: n is negative.
        """
        n = operator.index(n)
        if n < 0:
            raise RuntimeError(f"randperm: n must not be negative, got {n}")
        kernels = compiled(n)
        if kernels is not None:
            made = np.empty(n, np.int64)
            kernels.permutation(self._memory, made)
            return made
        words = self._words(max(n - 1, 0))
        if n < SHORT:
            line = list(range(n))
            for i, word in enumerate(words.tolist()):
                j = i + word % (n - i)
                line[i], line[j] = line[j], line[i]
            return np.array(line, np.int64)
        place = np.arange(n)
        partner = place.copy()  # words have 32 bits, and processors divide those three times as fast
        partner[:-1] += words.astype(np.uint32) % (n - place[:-1]).astype(np.uint32)
        return _swapped(place, partner)

    def bernoulli(self, p: float, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
        """Ones with probability ``p``, else zeros, as ``Tensor.bernoulli_(p)`` and dropout masks draw them.

        Raises:
            RuntimeError: ``p`` is not within 0 and 1.
        """
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli: p must be within 0 and 1, got {p}")
        dims, n = shape_and_size(shape)
        kernels = compiled(2 * n) if dtype in WIDE else None
        if kernels is not None:
            out = np.empty(n, dtype)
            kernels.coins(self._memory, p, out)
            return out.reshape(dims)
        return (self._unit(n, np.float64) < p).astype(dtype).reshape(dims)

    def bernoulli_array(self, p: Array, dtype: DTypeLike | None = None) -> Array:
        """Ones with the probabilities ``p``, else zeros, as ``torch.bernoulli(tensor)``.

        Args:
            p: probabilities, floating, of any shape.
            dtype: of the result; None: that of ``p``.

        Raises:
            RuntimeError: an element is not within 0 and 1, or the dtype of ``p`` is not floating.
        """
        wide = np.float64 if floating("bernoulli", p.dtype) == np.float64 else np.float32
        if not np.all((p >= 0) & (p <= 1)):
            raise RuntimeError("bernoulli: every probability must be within 0 and 1")
        hits = self._unit(p.size, wide).reshape(p.shape) < p.astype(wide, copy=False)
        return np.asarray(hits).astype(p.dtype if dtype is None else dtype)

    def geometric(self, p: float, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
        """The number of trials up to the first success, as ``Tensor.geometric_``.

        Raises:
            RuntimeError: ``p`` is not between 0 and 1.
        """
        if not 0 < p < 1:
            raise RuntimeError(f"geometric: p must lie between 0 and 1, got {p}")
        dims, n = shape_and_size(shape)
        trials = np.ceil(np.log(self._unit(n, np.float64)) / np.log1p(-p))
        wanted = np.dtype(dtype)
        return cast(trials.astype(np.int64) if wanted.kind in "iu" else trials, wanted).reshape(dims)

    def multinomial(self, probs: Array, num_samples: int, replacement: bool = False) -> NDArray[np.int64]:
        """Positions drawn by weight, as ``torch.multinomial``.

        Args:
            probs: weights, not necessarily of sum 1, floating, of shape (categories,) or (rows, categories).
            num_samples: how many to draw from each row.
            replacement: whether a position can be drawn again.

        Returns:
            Shape (num_samples,) or (rows, num_samples).

        Raises:
            RuntimeError: another rank or dtype, no samples, more samples than categories without
                replacement, or weights that are negative, not finite or all zero.
        """
        floating("multinomial", probs.dtype)
        if probs.ndim not in (1, 2):
            raise RuntimeError(f"multinomial: probs must have 1 or 2 dimensions, got shape {probs.shape}")
        if num_samples <= 0:
            raise RuntimeError(f"multinomial: num_samples must be positive, got {num_samples}")
        if not replacement and num_samples > probs.shape[-1]:
            raise RuntimeError(
                f"multinomial: {num_samples} samples without replacement from shape {probs.shape}; "
                "ask for fewer or pass replacement=True"
            )
        wide = np.float64 if probs.dtype == np.float64 else np.float32
        rows = np.atleast_2d(probs.astype(wide, copy=False))
        kernels = compiled(rows.size) if replacement and num_samples > 1 and rows.size else None
        if kernels is not None:
            found = self._chosen(kernels, rows, num_samples)
            if found is not None:
                return found.reshape((*probs.shape[:-1], num_samples))
        if not np.all((rows >= 0) & (rows < np.inf)):
            raise RuntimeError("multinomial: the weights must be finite and at least 0")
        if not np.all(rows.sum(axis=1) > 0):
            raise RuntimeError("multinomial: every row needs a positive sum")
        if replacement and num_samples > 1:
            found = self._with_replacement(rows, num_samples)
        else:
            found = self._without_replacement(rows, num_samples, probs.dtype)
        return found.reshape((*probs.shape[:-1], num_samples))

    def _chosen(self, kernels: Any, rows: Array, num_samples: int) -> NDArray[np.int64] | None:
        """Drawn with replacement; None, and nothing drawn, where a row is none of weights."""
        before = self._memory.copy()
        u = self._unit(len(rows) * num_samples, np.float64).reshape(len(rows), num_samples)
        found = np.empty(u.shape, np.int64)
        if kernels.choices(np.require(rows, requirements=["C", "A", "W"]), u, found) < 0:
            return found
        self._memory[:] = before
        return None

    def _with_replacement(self, rows: Array, num_samples: int) -> NDArray[np.int64]:
        sums = np.cumsum(rows, axis=1, dtype=rows.dtype)
        sums /= sums[:, -1:].copy()
        u = self._unit(len(rows) * num_samples, np.float64).reshape(len(rows), num_samples)
        sums = sums.astype(np.float64, copy=False)
        if sums.size * num_samples <= PIECE:
            return (sums[:, None] < u[:, :, None]).sum(2)
        out = np.empty(u.shape, np.int64)
        for line, sought, found in zip(sums, u, out, strict=True):
            found[:] = line.searchsorted(sought)
        return out

    def _without_replacement(self, rows: Array, num_samples: int, dtype: np.dtype[Any]) -> NDArray[np.int64]:
        kernels = compiled(2 * rows.size) if num_samples == 1 and dtype == rows.dtype else None
        if kernels is not None:
            found = np.empty((len(rows), 1), np.int64)
            kernels.races(self._memory, np.require(rows, requirements=["C", "A", "W"]), found.reshape(-1))
            return found
        # The least of exponential waiting times with rates `rows` comes first (the Gumbel trick, in the
        # quotient's form): https://arxiv.org/abs/1611.01144
        waits = cast(-np.log1p(-self._unit(rows.size, np.float64)), dtype).astype(rows.dtype, copy=False)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = cast(rows / waits.reshape(rows.shape), dtype).astype(rows.dtype, copy=False)
        return np.ascontiguousarray(np.argsort(-scores, axis=1, kind="stable")[:, :num_samples])


def largest(dtype: np.dtype[Any]) -> int:
    """The greatest integer of the dtype; for floats, of those that it holds without gaps."""
    if dtype.kind == "b":
        return 1
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else 2 ** _digits(dtype)


def _digits(dtype: np.dtype[Any]) -> int:
    return int(ml_dtypes.finfo(dtype).nmant) + 1


def _remainder(words: NDArray[np.uint64], span: int) -> NDArray[np.int64]:
    return (words % np.uint64(span)).view(np.int64)


@lru_cache
def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The least and the greatest number of the dtype."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind in "iu":
        return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    greatest = float(ml_dtypes.finfo(dtype).max)
    return -greatest, greatest


def bounds(low: int, high: int | None, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The least and the greatest value to draw; for floats moved inwards to values that the dtype holds."""
    last = largest(dtype) if high is None else high - 1
    if low > last:
        raise RuntimeError(f"random_: the range from low={low} to high={high} is empty for {dtype}")
    least, greatest = _limits(dtype)
    if not (least <= low and last <= min(greatest, _MAX64) and low >= _MIN64):
        raise RuntimeError(f"random_: the range from {low} to {last} is out of bounds for {dtype}")
    if dtype.kind in "iub":
        return low, last
    digits = _digits(dtype)
    if max(abs(low), abs(last)) > 2**digits:
        warnings.warn(
            f"random_: {dtype} has gaps beyond 2^{digits}: not every integer from {low} to {last} can come",
            stacklevel=4,
        )
    upward = _rounded(low + 1, dtype)
    if upward < low:
        low = upward + (1 << (abs(low + 1).bit_length() - digits))
    downward = _rounded(last, dtype)
    if high is not None and downward > last:
        last = downward - (1 << (abs(last).bit_length() - digits)) - 1
    if low > last:
        raise RuntimeError(f"random_: {dtype} holds no integer from low to high={high}")
    return low, last


def _rounded(value: int, dtype: np.dtype[Any]) -> int:
    return int(cast(np.array([value]), dtype)[0])


def _swapped(place: NDArray[np.int64], partner: NDArray[np.int64]) -> NDArray[np.int64]:
    """What ``for i: swap(a[i], a[partner[i]])`` makes of ``a = place = 0 .. n-1``, without the loop.

    Needs ``partner[i] >= i``. Step i takes the value that then lies at ``partner[i]``: put there by the
    last earlier step with the same partner, or never moved. What such a step put there is the value that
    lay at its own place, which came from the last earlier step that had that place as its partner, and so
    on back to a value that never moved.
    """
    n = len(place)
    keys = np.sort(partner * n + place)
    target = keys // max(n, 1)
    step = keys - target * n
    again = target[1:] == target[:-1]
    earlier = np.full(n, -1)
    earlier[step[1:][again]] = step[:-1][again]
    origin = place.copy()
    origin[partner] = place  # of equal indices the last one stays
    while True:
        further = origin[origin]
        if np.array_equal(further, origin):
            break
        origin = further
    return np.where(earlier >= 0, origin[earlier], partner)
