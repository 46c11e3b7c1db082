"""Choosing elements on the Numba backend: the first few in order, and the largest of windows."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .array.reduce import ReduceMixin
from .memory import ready as ready_memory
from .numba_elementwise import LARGE, Kernels, ready

__all__ = ["NumbaSelect"]

Lines = tuple[tuple[int, ...], ...]

select = Kernels("numba_kernels.select")
FEW = 32  # so many are kept in order while a row is read; more are found faster by sorting


class NumbaSelect(ReduceMixin):
    """Primitives without gradients, on contiguous float32 and float64 arrays."""

    def topk_order(self, x: Any, dim: int, k: int, largest: bool) -> Any:
        if not 0 < k <= FEW or dim != x.ndim - 1 or not x.size or not ready(x):
            return super().topk_order(x, dim, k, largest)
        out = np.empty((*x.shape[:-1], k), np.int64)
        select.top_rows(x.reshape(-1, x.shape[-1]), x.dtype.type(1 if largest else -1), out.reshape(-1, k))
        return out

    def largest_of_windows(self, x: Any, places: tuple[Lines, ...]) -> Any:
        if not 1 <= len(places) <= 2 or not x.size or not ready(x):
            return super().largest_of_windows(x, places)
        if x.size >= LARGE:
            ready_memory()
        lead = x.shape[: x.ndim - len(places)]
        rows, columns = _table(places[-2] if len(places) == 2 else ((0,),)), _table(places[-1])
        out = np.empty((*lead, *[len(lines[0]) for lines in places]), np.int64)
        image = x.reshape(prod(lead), *(x.shape[-2:] if len(places) == 2 else (1, x.shape[-1])))
        select.largest_2d(image, rows, columns, out.reshape(prod(lead), rows.shape[1], columns.shape[1]))
        return out


@lru_cache(maxsize=64)
def _table(lines: Lines) -> Any:
    return np.array(lines, np.int64)
