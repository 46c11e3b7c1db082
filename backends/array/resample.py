"""Weighted sums of places along an axis."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .narrow import in_float32

__all__ = ["ResampleMixin"]

Ints = tuple[int, ...]


class ResampleMixin:
    """Resampling over ``self.xp``."""

    xp: Any

    @in_float32
    def resample(self, x: Any, dim: int, starts: Ints, places: Ints, weights: tuple[float, ...]) -> Any:
        """Along ``dim`` the sums over ``k`` from ``starts[j]`` to ``starts[j + 1]`` of ``weights[k] x[places[k]]``.

        Weights of () are ones. There is one result less than there are ``starts``.
        """
        behind = (1,) * (x.ndim - dim - 1)
        total = None
        for where, factors, inside in _steps(starts, places, weights, x.dtype):
            part = self.xp.take(x, self.xp.asarray(where), axis=dim)
            if factors is not None:
                part = part * self.xp.asarray(factors).reshape(-1, *behind)
            if inside is not None:
                part = self.xp.where(self.xp.asarray(inside).reshape(-1, *behind), part, x.dtype.type(0))
            total = part if total is None else total + part
        if total is None:
            return self.xp.zeros((*x.shape[:dim], len(starts) - 1, *x.shape[dim + 1 :]), x.dtype)
        return total


@lru_cache(maxsize=256)
def _steps(starts: Ints, places: Ints, weights: tuple[float, ...], dtype: Any) -> list[tuple[Any, Any, Any]]:
    """The first terms of all sums, the second ones and so on: places, weights or None, and which sums have one."""
    begins, counts = np.array(starts[:-1], np.int64), np.diff(np.array(starts, np.int64))
    made = []
    for k in range(int(counts.max(initial=0))):
        inside = counts > k
        at = np.where(inside, begins + k, 0)
        factors = np.array(weights, dtype)[at] if weights else None
        made.append((np.array(places, np.int64)[at], factors, None if inside.all() else inside))
    return made
