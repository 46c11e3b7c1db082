"""Sampling by a grid on the Numba backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array.grid import GridMixin, grid_slopes
from .memory import ready as ready_memory
from .numba_elementwise import HEAVY, LARGE, Kernels
from .numba_kernels.threads import split

__all__ = ["NumbaGrid"]

kernels = Kernels("numba_kernels.grid")
PADDINGS = {"zeros": 0, "border": 1, "reflection": 2}


class NumbaGrid(GridMixin):
    """Images by the nearest or by four neighbours through kernels, whose examples threads share; others as NumPy's."""

    def grid_sample(self, x: Any, grid: Any, mode: str, padding: str, corners: bool) -> Any:
        if not _fit(x, grid, mode):
            return super().grid_sample(x, grid, mode, padding, corners)
        shape = (*x.shape[:2], *grid.shape[1:-1])
        out = np.empty((x.shape[0], x.shape[1], shape[2] * shape[3]), x.dtype)
        if out.size >= LARGE:
            ready_memory()
        x, places, code, nearest = _contiguous(x), _places(grid), PADDINGS[padding], mode == "nearest"
        _share(out, lambda i, j: kernels.sample(x[i:j], places[i:j], code, corners, nearest, out[i:j]))
        return out.reshape(shape)

    def grid_sample_vjp(
        self, g: Any, x: Any, grid: Any, mode: str, padding: str, corners: bool, need: tuple[bool, ...]
    ) -> tuple[Any, ...]:
        if not _fit(x, grid, mode):
            return grid_slopes(self, g, x, grid, mode, padding, corners, need)
        places, code, nearest = _places(grid), PADDINGS[padding], mode == "nearest"
        x, rows = _contiguous(x), _contiguous(g).reshape(x.shape[0], x.shape[1], -1)
        of_image = np.zeros(x.shape if need[0] else (x.shape[0], 0, 0, 0), x.dtype)
        of_grid = np.zeros(places.shape if need[1] else (x.shape[0], 0, 2), x.dtype)
        _share(
            rows,
            lambda i, j: kernels.back(
                rows[i:j], x[i:j], places[i:j], code, corners, nearest, *need, of_image[i:j], of_grid[i:j]
            ),
        )
        return of_image if need[0] else None, of_grid.reshape(grid.shape) if need[1] else None


def _fit(x: Any, grid: Any, mode: str) -> bool:
    return (
        x.ndim == 4 and mode != "bicubic" and x.dtype.char in "fd" and grid.dtype == x.dtype
        and x.size > 0 and grid.size > 0
    )  # fmt: skip


def _contiguous(x: Any) -> Any:
    return x if x.flags.carray else np.array(x, order="C")


def _places(grid: Any) -> Any:
    """(N, H, W, 2) -> (N, places, 2)"""
    return _contiguous(grid).reshape(grid.shape[0], -1, 2)


def _share(rows: Any, run: Any) -> None:
    if rows.size < HEAVY:
        run(0, len(rows))
    else:
        split(run, len(rows), 1)
