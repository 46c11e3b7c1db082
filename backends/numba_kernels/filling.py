"""Filling arrays of float32 and float64, contiguous ones.

- ``spaced(first, last, gap, out)``: ``first + k gap`` in the first half, counted back from ``last`` in the second;
- ``transposed(x, out)``: ``out[i, j] = x[j, i]``.
"""

from numba import float32, float64, void

from .cache import on_first_use, typed

__all__ = ["NAMES"]

_TILE = 16  # lines of so many elements: what is read and what is written lie in the processor's cache together


def _spaced(first, last, gap, out):
    count, half = out.size, out.size // 2
    for k in range(half):
        out[k] = first + gap * out.dtype.type(k)
    for k in range(half, count):
        out[k] = last - gap * out.dtype.type(count - 1 - k)


def _transposed(x, out):
    rows, columns = out.shape
    for i in range(0, rows, _TILE):
        for j in range(0, columns, _TILE):
            for k in range(i, min(i + _TILE, rows)):
                for m in range(j, min(j + _TILE, columns)):
                    out[k, m] = x[m, k]


_KERNELS = {
    "spaced": (_spaced, lambda kind: void(kind, kind, kind, kind[::1])),
    "transposed": (_transposed, lambda kind: void(kind[:, ::1], kind[:, ::1])),
}

NAMES = tuple(_KERNELS)


def _make(name):
    function, arguments = _KERNELS[name]
    return typed(function, [arguments(kind) for kind in (float32, float64)])


__getattr__ = on_first_use(globals(), _make)
