"""Samples of views, joins, gathers and scatters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..sample import Sample
from .inputs import BIG, I3, array, backwards, bools, inf, ints, nan, real, scalar, strided

__all__ = ["SAMPLES"]


def s(*bounds: Any) -> slice:
    return slice(*bounds)


ALL = slice(None)
STEPS = (("slice", ((ALL, s(1, 3)),)), ("permute", ((1, 0),)))
DEEP = (("reshape", ((6, 2),)), ("slice", ((s(0, 6, 2),),)), ("slice", ((ALL, 1),)))
CORNER = (("diagonal", (1, 0, 1)),)


def _walk(x: np.ndarray, steps: Any) -> np.ndarray:
    ways: dict[str, Callable[..., Any]] = {
        "slice": lambda x, i: x[(*i, ...)],
        "permute": np.transpose,
        "reshape": np.reshape,
        "diagonal": np.diagonal,
    }
    for name, attributes in steps:
        x = ways[name](x, *attributes)
    return x


def _scattered(base: np.ndarray, value: Any, steps: Any) -> np.ndarray:
    """``base`` with ``value`` at the places that the view sees, by numbering all places."""
    out = base.copy().ravel()
    out[_walk(np.arange(base.size).reshape(base.shape), steps)] = value
    return out.reshape(base.shape)


def _put(x: np.ndarray, value: Any, where: list[Any], places: Any, accumulate: bool) -> np.ndarray:
    numbers = np.arange(x.size).reshape(x.shape)[tuple(where[p[0]] if isinstance(p, tuple) else p for p in places)]
    out = x.ravel().tolist()
    for i, v in zip(numbers.ravel().tolist(), np.broadcast_to(value, numbers.shape).ravel().tolist()):
        out[i] = out[i] + v if accumulate else v
    return np.array(out, x.dtype).reshape(x.shape)


INDICES: tuple[tuple[tuple[int, ...], list[np.ndarray], tuple[Any, ...]], ...] = (
    ((4, 3), [ints(2, 0, 2, -1)], ((0,),)), ((4, 3), [ints([1, 0], [2, 2])], (ALL, (0,))), ((2, 3, 4), [ints(0, 1, 1), ints(2, 2, 0)], ((0,), (1,))),
    ((2, 3, 4), [ints(1, 0, 0), ints(3, 3, 1)], ((0,), s(1, 3), (1,))), ((3, 2), [bools(True, False, True)], ((0,),)),
    ((2, 3), [bools([True, False, True], [False, False, True])], ((0,),)), ((4,), [ints()], ((0,),)), ((4,), [np.array(-2)], ((0,),)),
    ((2, 3, 2), [ints(1, 1)], (0, (0,), None)), ((), [np.array(True)], ((0,),)), ((3, 2), [ints([0], [2]), ints(0, 1)], ((0,), (1,))),
)  # fmt: skip

GATHERS = (
    ((3, 4), ints([0, 1, 3, 3], [2, 2, 0, 1], [1, 0, 0, 3]), 1), ((3, 4), ints([0, 2, 0, 1]), 0), ((3, 4), ints([0, 0], [3, 2]), 1),
    ((5,), ints(4, 4, 0), 0), ((2, 3, 2), ints([[0, 1]], [[1, 1]]), 1), ((4,), ints(), 0),
    ((2, 2, 3), ints([[2, 0, 1], [1, 1, 0]], [[0, 2, 2], [2, 1, 0]]), 2),
)  # fmt: skip
WHERE = np.arange(BIG.size).reshape(BIG.shape) * 7919 % 467


def _gathered(x: np.ndarray, index: np.ndarray, dim: int) -> np.ndarray:
    out = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(index.shape):
        out[place] = x[(*place[:dim], index[place], *place[dim + 1 :])]
    return out


def _scatter(x: np.ndarray, index: np.ndarray, value: np.ndarray, dim: int, add: bool) -> np.ndarray:
    out = x.copy()
    for place in np.ndindex(index.shape):
        at = (*place[:dim], index[place], *place[dim + 1 :])
        out[at] = out[at] + value[place] if add else value[place]
    return out


ROWS = (
    ((5, 3), ints(4, 0, 0, 2)),
    ((2, 3, 2), ints(1, 1)),
    ((5, 3), ints([1, 2], [2, 2])),
    ((3,), ints(2, 2)),
    ((4, 2), np.array(3)),
    ((4, 2, 2), ints()),
)


def _lengths(widths: Any, x: np.ndarray, value: float) -> np.ndarray:
    return np.pad(x, widths, constant_values=value) if x.ndim else x


SAMPLES: dict[str, list[Sample]] = {
    "reshape": [Sample((x,), (shape,), lambda x, shape: np.array(x.ravel().tolist()).reshape(shape)) for x, shape in (
        (real(3, 4), (2, 6)), (real(3, 4), (12,)), (real(), (1, 1)), (real(1), ()), (strided(real(3, 4)), (4, 3)), (real(0, 3), (3, 0)),
        (strided(real(3, 4)), (3, 2, 2)), (backwards(real(2, 3)), (6,)))],
    "permute": [Sample((x,), (order,), np.transpose) for x, order in (
        (real(3, 4), (1, 0)), (real(2, 3, 4), (2, 0, 1)), (real(), ()), (real(4), (0,)), (strided(real(2, 3)), (1, 0)), (real(0, 3), (1, 0)))],
    "expand": [Sample((x,), (shape,), lambda x, shape: x + np.zeros(shape)) for x, shape in (
        (real(3, 1), (3, 4)), (real(3), (2, 3)), (real(), (2, 2)), (real(2, 1, 3), (2, 2, 2, 3)), (real(1), (0,)), (real(1, 0), (2, 0)), (real(2, 3), (2, 3)), (real(1, 1), (1, 3)), (strided(real(2, 1)), (2, 2)))],
    "slice": [Sample((x,), (index,), lambda x, index: x[index]) for x, index in (
        (real(4, 3), (s(1, 3),)), (real(4, 3), (ALL, s(0, 3, 2))), (real(4, 3), (1,)), (real(4, 3), (1, -1)), (real(4, 3), ()), (real(), ()), (real(), (None,)),
        (real(4), (None, s(1, None), None)), (real(4, 3), (s(5, 9),)), (real(2, 3, 4), (ALL, s(1, 3), 2)), (strided(real(4, 3)), (s(0, 4, 3), 2)), (real(0, 3), (ALL, 1)))],
    "unslice": [Sample((g,), (shape, index), lambda g, shape, index: _put(np.zeros(shape), g, [], (*index,), False)) for g, shape, index in (
        (real(2, 3), (4, 3), (s(1, 3),)), (real(3), (4, 3), (1,)), (real(), (4, 3), (1, -1)), (real(4, 2), (4, 3), (ALL, s(0, 3, 2))), (real(2, 1), (3,), (s(0, 2), None)), (real(2, 3), (2, 3), (ALL,)), (real(0, 3), (4, 3), (s(4, 9),)), (strided(real(2, 3)), (4, 3), (s(0, 2),)))],
    "diagonal": [Sample((x,), a, np.diagonal) for x, a in (
        (real(3, 4), (0, 0, 1)), (real(3, 4), (1, 0, 1)), (real(4, 3), (-2, 0, 1)), (real(2, 3, 3), (0, 1, 2)), (real(2, 3, 3), (1, 2, 0)), (real(0, 3), (0, 0, 1)), (strided(real(3, 3)), (0, 1, 0)))],
    "undiagonal": [Sample((g,), a, lambda g, shape, *w: _scattered(np.zeros(shape), g, (("diagonal", w),))) for g, a in (
        (real(3), ((3, 4), 0, 0, 1)), (real(2), ((4, 3), -2, 0, 1)), (real(0), ((0, 3), 0, 0, 1)), (real(2, 3), ((2, 3, 3), 0, 1, 2)), (strided(real(2, 3)), ((2, 3, 3), 0, 1, 2)))],
    "view_scatter": [Sample((base, value), (steps,), _scattered) for base, value, steps in (
        (real(4, 3), real(2, 4), STEPS), (real(3, 4), real(3), DEEP), (real(4, 4), real(3), CORNER), (real(3), real(), (("slice", ((1,),)),)), (real(2), real(2), ()),
        (real(2, 3, 4), real(2, 2), (("slice", ((ALL, s(1, 3), 1),)),)), (real(3, 0), real(0), (("slice", ((1,),)),)))],
    "zero_view": [Sample((x,), (steps,), lambda x, steps: _scattered(x, 0.0, steps)) for x, steps in (
        (real(4, 3), STEPS), (real(3, 4), DEEP), (strided(real(4, 4)), CORNER), (real(), (("reshape", ((1,),)),)))],
    "cat": [Sample((xs,), (dim,), lambda xs, dim: np.moveaxis(np.array([r.tolist() for x in xs for r in np.moveaxis(x, dim, 0)]), 0, dim)) for xs, dim in (
        ([real(2, 3), real(1, 3)], 0), ([real(2, 3), real(2, 1), strided(real(2, 2))], 1), ([real(2)], 0), ([real(3), ints(1, 2).astype(float)], 0), ([ints(1, 2), ints(3)], 0), ([real(0, 2), real(1, 2)], 0), ([real(2, 1, 3), real(2, 2, 3)], 1))],
    "stack": [Sample((xs,), (dim,), lambda xs, dim: np.moveaxis(np.array([x.tolist() for x in xs]), 0, dim)) for xs, dim in (
        ([real(2, 3), real(2, 3, salt=1)], 0), ([real(2, 3), strided(real(2, 3, salt=1))], 2), ([real(), real(salt=1)], 0), ([real(2)], 1), ([real(2, 3, 2), real(2, 3, 2, salt=1)], 1))] + [Sample(([real(0, 2), real(0, 2)],), (1,))],
    "flip": [Sample((x,), (dims,), lambda x, dims: x[tuple(s(None, None, -1) if i in dims else ALL for i in range(x.ndim))]) for x, dims in (
        (real(3, 4), (0,)), (real(3, 4), (0, 1)), (real(3), (0,)), (strided(real(2, 3)), (1,)), (real(0, 2), (0,)), (real(2, 2), ()), (real(2, 3, 4), (0, 2)))]
        + [Sample((BIG,), ((1,),), smooth=False)],
    "roll": [Sample((x,), a, lambda x, shifts, dims: x[np.ix_(*[(np.arange(n) - dict(zip(dims, shifts)).get(i, 0)) % n for i, n in enumerate(x.shape)])]) for x, a in (
        (real(3, 4), ((1,), (0,))), (real(3, 4), ((-1, 2), (0, 1))), (real(5), ((7,), (0,))), (strided(real(2, 3)), ((2,), (1,))), (real(2, 3, 2), ((1,), (1,))), (real(3), ((0,), (0,))), (real(0, 2), ((1,), (0,))))],
    "tril": [Sample((x,), (k,), lambda x, k: x * [[float(j <= i + k) for j in range(x.shape[-1])] for i in range(x.shape[-2])]) for x in (real(3, 4), real(2, 3, 3), strided(real(3, 2))) for k in (0, 1, -1, 5)] + [Sample((real(0, 2),), (0,))],
    "triu": [Sample((x,), (k,), lambda x, k: x * [[float(j >= i + k) for j in range(x.shape[-1])] for i in range(x.shape[-2])]) for x in (real(3, 4), real(2, 3, 3), strided(real(3, 2))) for k in (0, 1, -1, -5)] + [Sample((real(0, 2),), (0,))],
    "pad": [Sample((x,), (widths, value), lambda x, widths, value: _lengths(widths, x, value)) for x, widths, value in (
        (real(2, 3), ((1, 2), (0, 1)), 0.0), (real(3), ((2, 0),), -1.5), (strided(real(2, 2)), ((0, 0), (1, 1)), 1.0), (real(0, 2), ((1, 0), (0, 0)), 7.0), (real(), (), 0.0), (real(2, 2), ((0, 0), (0, 0)), 0.0), (real(2, 1, 2), ((0, 1), (2, 0), (1, 1)), -2.0))]
        + [Sample((array(nan, -inf, -0.0),), (((1, 1),), 2.0), smooth=False, gradient=False)],
    "index": [Sample((real(*shape), where), (places,), lambda x, where, places: x[tuple(where[p[0]] if isinstance(p, tuple) else p for p in places)]) for shape, where, places in INDICES],
    "unindex": [Sample((real(*np.zeros(shape)[tuple(w[p[0]] if isinstance(p, tuple) else p for p in places)].shape), w), (places, shape),
                       lambda g, w, places, shape: _put(np.zeros(shape), g, w, places, True)) for shape, w, places in INDICES],
    "index_put": [Sample((real(*shape), v, w), (places, add), _put) for add in (False, True) for shape, v, w, places in (
        ((4, 3), real(2, 3), [ints(2, 0)], ((0,),)), ((4, 3), real(3), [ints(2, 0, 1)], ((0,),)), ((4, 3), real(), [ints(0, -1)], (ALL, (0,))),
        ((2, 3), real(3), [bools([True, False, True], [False, False, True])], ((0,),)), ((4,), real(1), [ints(0, 3)], ((0,),)), ((), real(), [np.array(True)], ((0,),)), ((3, 2), real(2, 1), [ints([0], [2]), ints(0, 1)], ((0,), (1,))))]
        + [Sample((real(3, 2), real(4, 2), [ints(0, 0, 2, 0)]), (((0,),), True), _put)],
    "gather": [Sample((real(*shape), index), (dim,), _gathered) for shape, index, dim in GATHERS] + [Sample((BIG, WHERE), (1,), smooth=False)],
    "ungather": [Sample((real(*index.shape), index), (shape, dim), lambda g, index, shape, dim: _scatter(np.zeros(shape), index, g, dim, True)) for shape, index, dim in GATHERS]
        + [Sample((BIG, WHERE), (BIG.shape, 1), rtol=256, smooth=False)],
    "scatter_add": [Sample((real(*shape), index, real(*index.shape, salt=1)), (dim,), partial(_scatter, add=True)) for shape, index, dim in GATHERS]
        + [Sample((real(3, 4), ints([0, 1], [2, 2]), real(3, 4, salt=1)), (0,), partial(_scatter, add=True))],
    "scatter": [Sample((real(3, 4), ints([0, 2, 1, 0]), real(1, 4, salt=1)), (0,), partial(_scatter, add=False)),
                Sample((real(3, 4), ints([0, 1], [2, 0]), real(3, 4, salt=1)), (1,), partial(_scatter, add=False)),
                Sample((real(4), ints(3, 0), real(2, salt=1)), (0,), partial(_scatter, add=False)), Sample((real(4), ints(), real(0)), (0,))],
    "take": [Sample((real(*shape), rows), (), lambda x, rows: np.array([x[i] for i in rows.ravel()]).reshape(*rows.shape, *x.shape[1:])) for shape, rows in ROWS]
        + [Sample((BIG, np.arange(700) % 300), smooth=False)],
    "untake": [Sample((real(*rows.shape, *shape[1:]), rows), (shape[0],), lambda g, rows, n: _put(np.zeros((n, *g.shape[rows.ndim :])), g, [rows], ((0,),), True)) for shape, rows in ROWS]
        + [Sample((BIG, np.arange(300) % 7), (7,), rtol=256, smooth=False)],
    "nonzero": [Sample((x,), (), lambda x: np.array([p for p in np.ndindex(x.shape) if x[p]], np.int64).reshape(np.count_nonzero(x), x.ndim)) for x in (
        array([0.0, 1.0], [nan, 0.0]), bools(True, False, True), np.zeros((0, 2)), scalar(3.0), scalar(0.0), strided(real(2, 3)), I3)],
}  # fmt: skip
