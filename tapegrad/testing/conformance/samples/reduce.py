"""Samples of the reductions, of the prefix sums and of the softmax family."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..sample import Sample
from .inputs import BIG, FAR, I3, ODD, array, backwards, bools, flags, frozen, inf, ints, nan, real, strided

__all__ = ["SAMPLES", "log_softmax"]


def folded(function: Callable[[list[float]], float]) -> Callable[..., np.ndarray]:
    """A reduction from a function of a list of Python numbers, applied to every group of elements."""

    def reduce(x: np.ndarray, dims: Any, *rest: Any) -> np.ndarray:
        *_, keepdim = rest
        dims = tuple(range(x.ndim)) if dims is None else (dims,) if isinstance(dims, int) else dims
        kept = tuple(1 if i in dims else n for i, n in enumerate(x.shape))
        out = np.zeros(kept)
        for place in np.ndindex(kept):
            group = x[tuple(slice(None) if i in dims else slice(p, p + 1) for i, p in enumerate(place))]
            out[place] = function([float(v) for v in group.ravel()])
        return out if keepdim else out.reshape([n for i, n in enumerate(kept) if i not in dims])

    return reduce


DIMS: tuple[tuple[Any, tuple[int, ...] | None, bool], ...] = (
    (real(3, 4), None, False), (real(3, 4), None, True), (real(3, 4), (0,), False), (real(3, 4), (1,), True),
    (real(2, 3, 4), (0, 2), False), (real(2, 3, 4), (1,), False), (real(2, 3, 4), (0, 1, 2), True), (real(), None, False),
    (real(5), (0,), False), (strided(real(3, 4)), (1,), False), (strided(real(3, 4)), None, False),
    (backwards(real(2, 3)), (0,), True), (frozen(real(4)), None, False), (real(3, 1, 2), (1,), False),
)  # fmt: skip
EMPTY_DIMS = ((real(0, 3), None, False), (real(0, 3), (0,), False), (real(0, 3), (1,), False), (real(2, 0), (1,), True))
BIG_DIMS = ((BIG, None, False), (BIG, (0,), False), (BIG, (1,), True), (strided(BIG), (1,), False))


def reduction(
    function: Callable[[list[float]], float], *extra: Any, empty: bool = True, **options: Any
) -> list[Sample]:
    """Samples of a reduction; ``extra`` stands between its ``dims`` and ``keepdim``."""
    expect = folded(function)
    rows = (*DIMS, *EMPTY_DIMS) if empty else DIMS
    samples = [Sample((x,), (dims, *extra, keep), expect, atol=8, **options) for x, dims, keep in rows]
    if extra:  # the variance of nothing is nan for every cotangent, which differences over no element cannot see
        samples = [replace(s, smooth=s.inputs[0].size > 0) for s in samples]
    samples.append(Sample((ODD,), ((1,), *extra, False), smooth=False, gradient=False))
    return samples + [
        Sample((x,), (d, *extra, k), atol=64, rtol=64, **{**options, "smooth": False}) for x, d, k in BIG_DIMS
    ]


def _variance(correction: float) -> Callable[[list[float]], float]:
    def variance(v: list[float]) -> float:
        mean = math.fsum(v) / len(v) if v else nan
        degrees = max(len(v) - correction, 0)
        total = math.fsum((x - mean) ** 2 for x in v)
        return total / degrees if degrees else (nan if not total else inf)

    return variance


def _log_sum(v: list[float]) -> float:
    if not v:
        return -inf
    top = max(v)
    return top if math.isinf(top) else top + math.log(math.fsum(math.exp(x - top) for x in v))


def along(function: Callable[[list[float]], list[float]]) -> Callable[..., np.ndarray]:
    """What a function of a list of numbers makes of every line along ``dim``."""
    return lambda x, dim, *rest: np.apply_along_axis(lambda v: np.array(function(v.tolist())), dim, x) if x.size else x


def _softmax(v: list[float]) -> list[float]:
    top = max(v)
    total = math.fsum(math.exp(x - top) for x in v)
    return [math.exp(x - top) / total for x in v]


def log_softmax(v: list[float]) -> list[float]:
    top = max(v)
    total = _log_sum([x - top for x in v])
    return [x - top - total for x in v]


LINES = (
    (real(3, 4), 1),
    (real(3, 4), 0),
    (real(2, 3, 4), 1),
    (real(5), 0),
    (strided(real(3, 4)), 1),
    (backwards(real(2, 3)), 0),
    (real(0, 3), 1),
    (frozen(real(2, 2)), 1),
    (real(3, 1), 1),
)


def lines(function: Callable[[list[float]], list[float]], **options: Any) -> list[Sample]:
    samples = [Sample((x,), (dim,), along(function), **options) for x, dim in LINES]
    samples += [Sample((ODD,), (dim,), smooth=False, gradient=False) for dim in (0, 1)]
    return samples + [
        Sample((x,), (d,), smooth=False, **{**options, "atol": 256, "rtol": 64})
        for x, d in ((BIG, 1), (BIG, 0), (strided(BIG), 1))
    ]


def _pick(best: Callable[..., Any]) -> Callable[..., np.ndarray]:
    def pick(x: np.ndarray, dim: int | None, keepdim: bool) -> np.ndarray:
        line = lambda v: v.index(best(v))
        if dim is None:
            return np.full((1,) * x.ndim if keepdim else (), line(x.ravel().tolist()))
        out = np.apply_along_axis(lambda v: line(v.tolist()), dim, x)
        return np.expand_dims(out, dim) if keepdim else out

    return pick


CHOICES = ((real(3, 4), 1, False), (real(3, 4), 0, True), (real(3, 4), None, False), (real(), None, False), (strided(real(3, 4)), 1, False),
           (array(2.0, 5.0, 5.0, 1.0, 1.0), 0, False), (I3, 0, False), (array([3.0, 3.0], [1.0, 1.0]), None, False), (real(2, 3, 4), 1, False))  # fmt: skip
TIES = array([3.0, 1.0, 3.0], [1.0, 1.0, 2.0])
ZEROS = array([2.0, 0.0, 3.0], [0.0, 0.0, 1.5], [1.0, 2.0, -3.0])


def _prefixes(v: list[float]) -> list[float]:
    return list(itertools.accumulate(v, lambda a, b: a * b))


# places along the last dimensions: for each place of a window, where it lies in every window
WINDOWED = (
    (real(4, 6), (((0, 2), (1, 3)), ((0, 2, 4), (1, 3, 5)))), (real(2, 2, 5), (((0, 2, 3), (1, 3, 4)),)), (strided(real(4, 6)), (((0,), (3,)), ((0, 3), (1, 5)))),
    (array([2.0, 2.0, 1.0, 1.0]), (((0, 2), (1, 3)),)), (real(2, 2, 4), (((0,), (1,)), ((0,), (1,)), ((0, 2), (1, 3)))),
)  # fmt: skip


def _largest(x: np.ndarray, places: Any) -> np.ndarray:
    size = x.shape[x.ndim - len(places) :]
    lead, count = x.shape[: x.ndim - len(places)], [len(lines[0]) for lines in places]
    found = np.zeros((*lead, *count), np.int64)
    for at in np.ndindex(*found.shape):
        corners = list(
            itertools.product(*[[line[i] for line in lines] for lines, i in zip(places, at[len(lead) :], strict=True)])
        )
        best = max(corners, key=lambda c: x[at[: len(lead)] + c])
        found[at] = np.ravel_multi_index(best, size)
    return found


def _truth(decide: Callable[..., Any]) -> list[Sample]:
    rows = ((flags(3, 4), None, False), (flags(3, 4), (0,), True), (flags(2, 3, 2), (0, 2), False), (array(0.0, nan), None, False),
            (BIG > 0.7, (1,), False), (I3, (0,), False), (np.zeros((0, 2), bool), (0,), False), (np.array(False), None, False), (strided(real(2, 3)), (1,), False))  # fmt: skip
    return [Sample((x,), (d, k), lambda x, d, k: folded(lambda v: decide(v))(x, d, k) != 0) for x, d, k in rows]


SAMPLES: dict[str, list[Sample]] = {
    "sum": [*reduction(math.fsum), Sample((I3,), (None, False), lambda x, d, k: np.array(2)), Sample((bools(True, True),), ((0,), False), lambda x, d, k: np.array(2))],
    "mean": reduction(lambda v: math.fsum(v) / len(v) if v else nan),
    "var": [*reduction(_variance(1), 1), *reduction(_variance(0), 0), Sample((real(3, 1),), ((1,), 1, False), folded(_variance(1)), smooth=False),
            Sample((real(4, 3),), ((0,), 2, True), folded(_variance(2)))],
    "amax": [*reduction(max, empty=False), Sample((TIES,), ((1,), False), folded(max), smooth=False, slopes=(array([0.5, 0, 0.5], [0, 0, 1]),)),
             Sample((TIES,), (None, False), smooth=False, slopes=(array([0.5, 0, 0.5], [0, 0, 0]),)), Sample((array(1.0, nan, 2.0),), ((0,), False), smooth=False, gradient=False),
             Sample((real(0, 3),), ((1,), False)), Sample((I3,), ((0,), False), lambda *_: np.array(7))],
    "amin": [*reduction(min, empty=False), Sample((TIES,), ((1,), True), folded(min), smooth=False, slopes=(array([0, 1, 0], [0.5, 0.5, 0]),)),
             Sample((array(1.0, nan, 2.0),), (None, False), smooth=False, gradient=False), Sample((real(0, 3),), ((1,), True))],
    "logsumexp": [*reduction(_log_sum, empty=False), Sample((FAR,), ((1,), False), folded(_log_sum), smooth=False),
                  Sample((array([-inf, -inf], [0.0, -inf], [inf, 1.0]),), ((1,), True), folded(_log_sum), smooth=False, gradient=False)],
    "prod": [Sample((x,), (dim, keep), folded(math.prod)) for x, dim, keep in (
                 (real(3, 4), 1, False), (real(3, 4), 0, True), (strided(real(2, 3)), 0, False), (ZEROS, 1, False), (ZEROS, 0, True),
                 (real(4), 0, False), (real(0, 3), 0, False), (real(2, 0), 0, True), (real(3, 1), 1, False), (real(2, 3, 2), 1, False), (I3, 0, False))]
        + [Sample((ODD,), (1, False), smooth=False, gradient=False), Sample((BIG,), (1, True), rtol=512, smooth=False)],
    "cumprod": [*lines(_prefixes)[: len(LINES) + 2], Sample((ZEROS,), (1,), along(_prefixes)), Sample((ZEROS,), (0,), along(_prefixes)), Sample((real(0, 3),), (0,))],
    "cumsum": [*lines(lambda v: list(itertools.accumulate(v)), atol=8), Sample((I3,), (0,), lambda x, d: ints(-5, -5, 2)), Sample((real(0, 3),), (0,))],
    "softmax": [*lines(_softmax), Sample((FAR,), (1,), along(_softmax), smooth=False)],
    "log_softmax": [*lines(log_softmax, atol=8), Sample((FAR,), (1,), along(log_softmax), smooth=False)],
    "argmax": [Sample((x,), (d, k), _pick(max)) for x, d, k in CHOICES] + [Sample((array(1.0, nan, 2.0),), (0, False), lambda *_: np.array(1)), Sample((BIG,), (1, False))],
    "argmin": [Sample((x,), (d, k), _pick(min)) for x, d, k in CHOICES] + [Sample((BIG,), (0, True))],
    "any": _truth(any),
    "all": _truth(all),
    "count_nonzero": [Sample((x,), (d,), lambda x, d: folded(lambda v: sum(e != 0 for e in v))(x, d, False).astype(np.int64))
                      for x, d in ((flags(3, 4), None), (array(0.0, nan, 1.0), (0,)), (strided(real(2, 3)), (1,)), (np.zeros((0, 2), bool), (0,)), (BIG > 0.7, (0,)))],
    "argsort": [Sample((x,), (dim, down, True), lambda x, dim, down, s: np.apply_along_axis(
                    lambda v: np.array(sorted(range(len(v)), key=lambda i: -v[i] if down else v[i])), dim, x))
                for x in (real(3, 4), real(2, 3, 2), array([2.0, 1.0, 2.0, 1.0], [3.0, 3.0, 0.0, 3.0]), strided(real(3, 4))) for dim in (0, 1) for down in (False, True)]
        + [Sample((array(2.0, nan, 1.0, inf),), (0, down, True), lambda *_, order=order: ints(*order)) for down, order in ((False, (2, 0, 3, 1)), (True, (1, 3, 0, 2)))]
        + [Sample((real(0, 3),), (0, False, True)), Sample((BIG,), (1, False, True)), Sample((BIG,), (0, True, True))],
    "topk_order": [Sample((x,), (dim, k, down), lambda x, dim, k, down: np.apply_along_axis(
                    lambda v: np.array(sorted(range(len(v)), key=lambda i: -v[i] if down else v[i])[:k]), dim, x))
                for x in (real(3, 4), real(3, 2, 3), strided(real(3, 4)), backwards(real(3, 4))) for dim, k in ((0, 2), (-1 + x.ndim, 1)) for down in (False, True)]
        + [Sample((array(2.0, nan, 1.0, inf, -inf),), (0, 3, down), lambda *_, order=order: ints(*order)) for down, order in ((False, (4, 2, 0)), (True, (1, 3, 0)))]
        + [Sample((real(0, 3),), (1, 2, True)), Sample((real(2, 3),), (1, 0, True)), Sample((BIG,), (1, 5, True)), Sample((BIG,), (0, 2, False)), Sample((I3,), (0, 2, True), lambda *_: ints(2, 1))],
    "largest_of_windows": [Sample((x,), (places,), _largest) for x, places in WINDOWED] + [
        Sample((array(1.0, nan, inf, nan, 2.0, 0.0),), ((((0, 2, 4), (1, 3, 5)),),), lambda *_: ints(1, 3, 4)), Sample((BIG,), (WINDOWED[0][1],))],
}  # fmt: skip
