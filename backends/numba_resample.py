"""Resampling on the Numba backend."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .array.resample import ResampleMixin
from .memory import ready as ready_memory
from .numba_elementwise import GRAIN, HEAVY, LARGE, Kernels, ready
from .numba_kernels.threads import split

__all__ = ["NumbaResample"]

Ints = tuple[int, ...]
kernels = Kernels("numba_kernels.resample")


class NumbaResample(ResampleMixin):
    """Sums of places by a kernel; from `HEAVY` elements on its rows are shared out among threads."""

    def resample(self, x: Any, dim: int, starts: Ints, places: Ints, weights: tuple[float, ...]) -> Any:
        if not ready(x) or not x.size:
            return super().resample(x, dim, starts, places, weights)
        count = len(starts) - 1
        out = np.empty((*x.shape[:dim], count, *x.shape[dim + 1 :]), x.dtype)
        if out.size >= LARGE:
            ready_memory()
        rows, columns = prod(x.shape[:dim]), prod(x.shape[dim + 1 :])
        source, target = x.reshape(rows, x.shape[dim], columns), out.reshape(rows, count, columns)
        plan = _arrays(starts, places, weights, x.dtype.char)
        if out.size < HEAVY:
            kernels.resample(source, *plan, target)
        else:
            split(
                lambda i, j: kernels.resample(source[i:j], *plan, target[i:j]), rows, max(GRAIN // (count * columns), 1)
            )
        return out


@lru_cache(maxsize=256)
def _arrays(starts: Ints, places: Ints, weights: tuple[float, ...], kind: str) -> tuple[Any, Any, Any]:
    factors = np.array(weights, kind) if weights else np.ones(len(places), kind)
    return np.array(starts, np.int64), np.array(places, np.int64), factors
