"""Images looked at through a grid of places: the four neighbours of each, or the nearest.

Images are (N, C, H, W), grids (N, places, 2), results (N, C, places); all C-contiguous, of float32 or float64.
``padding`` is 0 for zeros outside, 1 for the edge, 2 for a mirror; ``corners`` says that -1 and 1 are the middles of
the outer elements.
"""

import numpy as np
from numba import boolean, float32, float64, int64, void

from .cache import on_first_use, typed
from .compiled import helper

__all__ = ["NAMES"]

_inline = helper(forceinline=True, error_model="numpy")


@_inline
def _placed(grid, p, axis, size, padding, corners):
    """Where to look along one dimension, and the slope of that."""
    kind, x = grid.dtype.type, grid[p, axis]
    if corners:
        slope = kind((size - 1) / 2)
        x = (x + kind(1)) * slope
    else:
        slope = kind(size / 2)
        x = ((x + kind(1)) * kind(size) - kind(1)) / kind(2)
    if padding == 2:
        low, span = (kind(0), kind(size - 1)) if corners else (kind(-0.5), kind(size))
        if span <= 0:
            return kind(0), kind(0)
        way = x - low
        far = abs(way)
        turns = np.floor(far / span)
        rest = far - turns * span
        back = turns - np.floor(turns / kind(2)) * kind(2) != 0
        x = (span - rest if back else rest) + low
        slope = -slope if back != (way < 0) else slope
    if padding != 0:
        high = kind(size - 1)
        if not x > 0:
            return kind(0), kind(0)
        if not x < high:
            return high, kind(0)
    return x, slope


@_inline
def _number(i, j, height, width):
    """The number of the place in row ``i`` and column ``j``; -1 outside."""
    return int64(i) * width + int64(j) if 0 <= i < height and 0 <= j < width else -1


@_inline
def _neighbours(grid, height, width, padding, corners, nearest, index, parts, slopes):
    """Of every place the numbers of its neighbours, and how far it is from the first, across and down."""
    for p in range(grid.shape[0]):
        x, across = _placed(grid, p, 0, width, padding, corners)
        y, down = _placed(grid, p, 1, height, padding, corners)
        if nearest:
            index[0, p] = _number(np.rint(y), np.rint(x), height, width)
            continue
        left, top = np.floor(x), np.floor(y)
        index[0, p], index[1, p] = _number(top, left, height, width), _number(top, left + 1, height, width)
        index[2, p], index[3, p] = _number(top + 1, left, height, width), _number(top + 1, left + 1, height, width)
        parts[0, p], parts[1, p] = x - left, y - top
        slopes[0, p], slopes[1, p] = across, down


@_inline
def _value(plane, i):
    return plane[i] if i >= 0 else plane.dtype.type(0)


def _sample(x, grid, padding, corners, nearest, out):
    """What the images have at the places."""
    height, width, places = x.shape[2], x.shape[3], grid.shape[1]
    index = np.empty((4, places), np.int64)
    parts, slopes = np.empty((2, places), x.dtype), np.empty((2, places), x.dtype)
    one = x.dtype.type(1)
    for n in range(x.shape[0]):
        _neighbours(grid[n], height, width, padding, corners, nearest, index, parts, slopes)
        for c in range(x.shape[1]):
            plane, line = x[n, c].reshape(height * width), out[n, c]
            if nearest:
                for p in range(places):
                    line[p] = _value(plane, index[0, p])
                continue
            for p in range(places):
                s, t = parts[0, p], parts[1, p]
                upper = _value(plane, index[0, p]) * (one - s) + _value(plane, index[1, p]) * s
                lower = _value(plane, index[2, p]) * (one - s) + _value(plane, index[3, p]) * s
                line[p] = upper * (one - t) + lower * t


def _back(g, x, grid, padding, corners, nearest, need_image, need_grid, of_image, of_grid):
    """The cotangents, added to zeros."""
    height, width, places = x.shape[2], x.shape[3], grid.shape[1]
    index = np.empty((4, places), np.int64)
    parts, slopes = np.empty((2, places), x.dtype), np.empty((2, places), x.dtype)
    one = x.dtype.type(1)
    for n in range(x.shape[0]):
        _neighbours(grid[n], height, width, padding, corners, nearest, index, parts, slopes)
        for c in range(x.shape[1]):
            plane, line = x[n, c].reshape(height * width), g[n, c]
            if need_image:
                target = of_image[n, c].reshape(height * width)
                for p in range(places):
                    if nearest:
                        if index[0, p] >= 0:
                            target[index[0, p]] += line[p]
                        continue
                    s, t, v = parts[0, p], parts[1, p], line[p]
                    if index[0, p] >= 0:
                        target[index[0, p]] += v * (one - s) * (one - t)
                    if index[1, p] >= 0:
                        target[index[1, p]] += v * s * (one - t)
                    if index[2, p] >= 0:
                        target[index[2, p]] += v * (one - s) * t
                    if index[3, p] >= 0:
                        target[index[3, p]] += v * s * t
            if need_grid and not nearest:
                for p in range(places):
                    s, t, v = parts[0, p], parts[1, p], line[p]
                    a, b = _value(plane, index[0, p]), _value(plane, index[1, p])
                    d, e = _value(plane, index[2, p]), _value(plane, index[3, p])
                    of_grid[n, p, 0] += v * ((b - a) * (one - t) + (e - d) * t) * slopes[0, p]
                    of_grid[n, p, 1] += v * ((d - a) * (one - s) + (e - b) * s) * slopes[1, p]


_KERNELS = {
    "sample": (_sample, lambda t, f: (f, t, int64, boolean, boolean, t)),
    "back": (_back, lambda t, f: (t, f, t, int64, boolean, boolean, boolean, boolean, f, t)),
}  # fmt: skip

NAMES = tuple(_KERNELS)


def _make(name):
    function, arguments = _KERNELS[name]
    signatures = [void(*arguments(kind[:, :, ::1], kind[:, :, :, ::1])) for kind in (float32, float64)]
    return typed(function, signatures)


__getattr__ = on_first_use(globals(), _make)
