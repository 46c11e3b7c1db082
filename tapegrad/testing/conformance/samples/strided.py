"""Samples of views by stride, of combining by largest and smallest, and of looking up."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sample import Sample
from .inputs import array, backwards, inf, ints, nan, real, scalar, strided

__all__ = ["SAMPLES"]


def _windows(x: np.ndarray, dim: int, size: int, step: int) -> np.ndarray:
    if not x.ndim:
        return np.array([x])[:size]
    starts = range(0, x.shape[dim] - size + 1, step)
    return np.stack([np.moveaxis(np.take(x, range(s, s + size), dim), dim, -1) for s in starts], dim)


def _unwindows(g: np.ndarray, shape: Any, dim: int, size: int, step: int) -> np.ndarray:
    places = _windows(np.arange(int(np.prod(shape))).reshape(shape), dim, size, step)
    out = np.zeros(int(np.prod(shape)))
    for place, v in zip(places.ravel(), g.ravel(), strict=True):
        out[place] += v
    return out.reshape(shape)


def _numbers(shape: Any, strides: Any, start: int) -> np.ndarray:
    return start + sum((i * s for i, s in zip(np.indices(shape), strides)), np.zeros(shape, int))


def _restride(x: np.ndarray, size: Any, stride: Any, offset: int, strides: Any, start: int) -> np.ndarray:
    memory: dict[int, list[float]] = {}
    for place, v in zip(_numbers(x.shape, strides, start).ravel().tolist(), x.ravel().tolist(), strict=True):
        memory.setdefault(place, []).append(v)
    found = [np.mean(memory[p]) if p in memory else 0.0 for p in _numbers(size, stride, offset).ravel().tolist()]
    return np.array(found, x.dtype).reshape(size)


def _unstrided(g: np.ndarray, shape: Any, size: Any, stride: Any, offset: int, strides: Any, start: int) -> np.ndarray:
    memory: dict[int, float] = {}
    for place, v in zip(_numbers(size, stride, offset).ravel().tolist(), g.ravel().tolist(), strict=True):
        memory[place] = memory.get(place, 0.0) + v
    seen = _numbers(shape, strides, start).ravel().tolist()
    return np.array([memory.get(p, 0.0) / seen.count(p) for p in seen]).reshape(shape)


def _extreme(choose: Any) -> Any:
    def expect(x: np.ndarray, index: np.ndarray, value: np.ndarray, dim: int) -> np.ndarray:
        out = x.copy()
        for place in np.ndindex(index.shape):
            at = (*place[:dim], index[place], *place[dim + 1 :])
            out[at] = choose(out[at], value[place])
        return out

    return expect


def _searched(line: np.ndarray, values: np.ndarray, right: bool) -> np.ndarray:
    out = np.zeros(values.shape, np.int64)
    for place in np.ndindex(values.shape):
        row = line if line.ndim == 1 else line[place[:-1]]
        out[place] = sum(v <= values[place] if right else v < values[place] for v in row)
    return out


WINDOWS = (
    ((7,), (0, 3, 2)), ((7,), (0, 3, 1)), ((2, 6), (1, 2, 3)), ((5, 2, 3), (0, 2, 2)), ((4,), (0, 4, 1)), ((4, 2), (0, 0, 1)), ((), (0, 1, 1)),
)  # fmt: skip
# shape and size, stride, offset, and how the input lies: row by row from 0, and otherwise
LAYOUTS = (
    ((3, 4), ((2, 3), (4, 1), 1, (4, 1), 0)), ((3, 4), ((5, 3), (1, 1), 2, (4, 1), 0)), ((6,), ((2, 2), (0, 3), 0, (1,), 0)),
    ((4,), ((), (), 2, (1,), 0)), ((2, 3), ((3, 2), (1, 3), 0, (3, 1), 0)), ((3,), ((4,), (1,), 0, (1,), 0)), ((2, 2), ((3,), (2,), 0, (1, 2), 1)),
    ((2, 3), ((3,), (1,), 0, (0, 1), 0)), ((3,), ((2, 0), (1, 1), 0, (1,), 0)),
)  # fmt: skip
INSIDE = tuple((shape, a) for shape, a in LAYOUTS if shape != (3,) and a[3:] != ((1, 2), 1) and a[3][0] != 0)

EXTREMES = (
    ((3, 4), ints([0, 2, 1, 0], [0, 0, 1, 1]), 0), ((3, 4), ints([0, 0, 3], [3, 2, 3]), 1), ((5,), ints(4, 4, 0), 0), ((4,), ints(), 0), ((2, 2, 2), ints([[1, 0]]), 0),
)  # fmt: skip
TIED = array(1.0, 2.0, 2.0)


def _extremes(choose: Any, slopes: Any) -> list[Sample]:
    made = [Sample((real(*s), i, real(*i.shape, salt=1)), (dim,), _extreme(choose)) for s, i, dim in EXTREMES]
    made.append(Sample((TIED, ints(0, 1, 1, 2), array(1.0, 2.0, 5.0, -3.0)), (0,), smooth=False, slopes=slopes))
    return made


SAMPLES: dict[str, list[Sample]] = {
    "windows": [Sample((real(*shape),), a, _windows) for shape, a in WINDOWS] + [Sample((strided(real(4, 5)),), (1, 2, 2), _windows)],
    "unwindows": [Sample((real(*_windows(np.zeros(shape), *a).shape),), (shape, *a), _unwindows) for shape, a in WINDOWS]
        + [Sample((backwards(real(2, 2)),), ((3,), 0, 2, 1), _unwindows)],
    "as_strided": [Sample((real(*shape),), a, _restride) for shape, a in INSIDE],
    "restride": [Sample((real(*shape),), a, _restride) for shape, a in LAYOUTS],
    "unstrided": [Sample((real(*a[0]),), (shape, *a), _unstrided) for shape, a in LAYOUTS],
    "scatter_amax": _extremes(max, (array(0.5, 0.0, 1.0), array(0.5, 0.0, 1.0, 0.0))),
    "scatter_amin": _extremes(min, (array(0.5, 0.5, 0.0), array(0.5, 0.5, 0.0, 1.0))),
    "searchsorted": [Sample((line, values), (right,), _searched) for right in (False, True) for line, values in (
        (array(-1.0, 0.5, 0.5, 2.0), array([0.5, 3.0], [-2.0, 0.6])), (np.sort(real(2, 3)), real(2, 4, salt=1)), (array(1.0, 2.0), scalar(1.0)), (array(1.0, inf), array(nan, inf)[1:]), (np.zeros(0), array(1.0)))],
}  # fmt: skip
