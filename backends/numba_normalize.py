"""Normalisation on the Numba backend."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .array.linear import LinearMixin
from .memory import ready as ready_memory
from .numba_elementwise import GRAIN, HEAVY, LARGE, NOTHING, Kernels, parts, ready
from .numba_kernels.threads import split

__all__ = ["NumbaNormalize"]

empty = np.empty
normalize = Kernels("numba_kernels.normalize")


class NumbaNormalize(LinearMixin):
    """Layer normalisation by kernels on rows; from `HEAVY` elements on the rows are shared out among threads."""

    def layer_norm(self, x: Any, weight: Any, bias: Any, rank: int, eps: float) -> tuple[Any, Any]:
        if not ready(x):
            return super().layer_norm(x, weight, bias, rank, eps)
        if x.size >= LARGE:
            ready_memory()
        out = empty(x.shape, x.dtype)
        if x.ndim == 2 and rank == 1:
            matrix, result = x, out
        else:
            columns = prod(x.shape[x.ndim - rank :])
            matrix, result = x.reshape(-1, columns), out.reshape(-1, columns)
        rows, columns = matrix.shape
        if weight is bias is None:
            w = b = NOTHING[x.dtype.char]
        else:
            w = np.ones(columns, x.dtype) if weight is None else _vector(weight)
            b = np.zeros(columns, x.dtype) if bias is None else _vector(bias)
        moments = empty((2, rows), x.dtype)
        means, inverses = moments[0], moments[1]
        given = matrix, w, b, float(eps), result, means, inverses
        if not _shared("layer_norm", matrix, (*given, float(w.size))):
            normalize.layer_norm(*given)
        return out, moments

    def layer_norm_vjp(
        self, g: Any, x: Any, weight: Any, rank: int, eps: float, res: Any, need: tuple[bool, ...]
    ) -> tuple[Any, ...]:
        if not ready(x):
            return super().layer_norm_vjp(g, x, weight, rank, eps, res, need)
        means, inverses = res[0], res[1]
        slope, rows = empty(x.shape, x.dtype), len(means)
        columns = x.size // rows
        g = g if g.flags.carray else np.array(g, order="C")
        matrices: tuple[Any, ...] = (g, x, slope)
        if x.ndim != 2 or rank != 1:
            matrices = tuple([a.reshape(rows, columns) for a in matrices])
        if weight is None and not need[1] and not need[2]:
            if need[0]:
                _plain_back(matrices, means, inverses)
            return slope if need[0] else None, None, None
        w = np.ones(columns, x.dtype) if weight is None else _vector(weight)
        if x.size < HEAVY:
            of_weight, of_bias = empty(columns, x.dtype), empty(columns, x.dtype)
            normalize.layer_norm_vjp(matrices[0], matrices[1], w, means, inverses, matrices[2], of_weight, of_bias)
        else:
            of_weight, of_bias = _shared_back(matrices, w, means, inverses)
        if rank != 1:
            of_weight, of_bias = [a.reshape(x.shape[x.ndim - rank :]) for a in (of_weight, of_bias)]
        return slope if need[0] else None, of_weight if need[1] else None, of_bias if need[2] else None


def _plain_back(matrices: Any, means: Any, inverses: Any) -> None:
    """The way back to ``x`` alone."""
    g, x, slope = matrices
    if not _shared("plain_vjp", x, (g, x, means, inverses, slope)):
        normalize.plain_vjp(g, x, means, inverses, slope)


def _shared(name: str, matrix: Any, given: tuple[Any, ...]) -> bool:
    """Whether several threads did it."""
    if matrix.size < HEAVY:
        return False
    return parts.over_threads(f"normalize_{name}_{matrix.dtype.name}", *matrix.shape, given, GRAIN)


def _shared_back(matrices: Any, w: Any, means: Any, inverses: Any) -> tuple[Any, Any]:
    """The way back on several threads; the sums of the pieces are added in order, so that they do not vary."""
    sums: dict[int, Any] = {}

    def run(i: int, j: int) -> None:
        sums[i] = part = empty((2, w.size), w.dtype)
        g, x, slope = [a[i:j] for a in matrices]
        normalize.layer_norm_vjp(g, x, w, means[i:j], inverses[i:j], slope, part[0], part[1])

    split(run, len(means), max(GRAIN // w.size, 1))
    first, second = sum([sums[i] for i in sorted(sums)])
    return np.array(first), np.array(second)


def _vector(x: Any) -> Any:
    if x.ndim == 1 and x.flags.carray:
        return x
    return np.array(x, order="C").reshape(-1)
