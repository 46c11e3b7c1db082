"""Choosing: the first few in order, and the largest of windows.

All arrays are C-contiguous; numbers are float32 or float64, and results int64. NaN counts as the largest.

- ``top_rows(x, sign, out)``: where the largest elements of each row lie, as many as ``out`` has columns, in order; of
  equal ones the first. ``sign`` -1 chooses the smallest, NaN last.
- ``largest_2d(x, rows, columns, out)``: the number ``row * W + column`` of the largest of each window of (N, H, W);
  ``rows[k, i]`` is the row of place k of window i.
"""

import numpy as np
from numba import float32, float64, int64, void

from .cache import on_first_use, typed
from .order import order

__all__ = ["NAMES"]


def _top_rows(x, sign, out):
    count = out.shape[1]
    zero, keys = x.dtype.type(0), np.empty(count, np.int64)
    nan = np.int64(order(abs(x.dtype.type(np.nan)))) * np.int64(sign)
    for i in range(x.shape[0]):
        held = 0
        for j in range(x.shape[1]):
            value = x[i, j]
            key = np.int64(order(sign * value + zero)) if value == value else nan  # -0 is as 0
            if held == count and key <= keys[count - 1]:
                continue
            at = held if held < count else count - 1
            while at > 0 and keys[at - 1] < key:
                keys[at] = keys[at - 1]
                out[i, at] = out[i, at - 1]
                at -= 1
            keys[at], out[i, at] = key, j
            held = min(held + 1, count)


def _largest_2d(x, rows, columns, out):
    width = x.shape[2]
    for n in range(x.shape[0]):
        for i in range(rows.shape[1]):
            for j in range(columns.shape[1]):
                best, found = x[n, rows[0, i], columns[0, j]], rows[0, i] * width + columns[0, j]
                for k in range(rows.shape[0]):
                    for m in range(columns.shape[0]):
                        value = x[n, rows[k, i], columns[m, j]]
                        better = (value > best) | (value != value)
                        best = value if better else best
                        found = rows[k, i] * width + columns[m, j] if better else found
                out[n, i, j] = found


_KERNELS = {
    "top_rows": (_top_rows, lambda kind: void(kind[:, ::1], kind, int64[:, ::1])),
    "largest_2d": (_largest_2d, lambda kind: void(kind[:, :, ::1], int64[:, ::1], int64[:, ::1], int64[:, :, ::1])),
}

NAMES = tuple(_KERNELS)


def _make(name):
    function, arguments = _KERNELS[name]
    return typed(function, [arguments(kind) for kind in (float32, float64)])


__getattr__ = on_first_use(globals(), _make)
