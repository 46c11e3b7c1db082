"""Reading and adding at places that indices name.

All arrays are C-contiguous; numbers are float32 or float64 and indices int64, where negative ones count from the end.
Each kernel returns whether every index is within bounds; elements of others are left out. Places are taken in order, so
sums do not vary.

- ``gather(x, index, out)``: ``out[a, k, b] = x[a, index[a, k, b], b]``;
- ``add_along(out, index, value)``: adds ``value[a, k, b]`` there;
- ``put_along(out, index, value)``: writes it there;
- ``gather_last``, ``add_last``, ``put_last``: the same of matrices, without ``b``;
- ``take_rows(x, rows, out)``: ``out[a, k, b] = x[a, rows[k], b]``;
- ``add_rows(out, rows, value)``: adds ``value[a, k, b]`` there;
- ``outside(index, size, ignore)``: whether a number of a line is not in ``range(size)``, nor ``ignore``.
"""

import numpy as np
from numba import boolean, float32, float64, int64

from .cache import on_first_use, typed
from .compiled import helper

__all__ = ["NAMES"]


@helper(forceinline=True)
def _from_the_end(i, size):
    """The place that an index names; where it names none, a number that is no place."""
    return np.uint64(i + (size & (i >> 63)))


def _gather(x, index, out):
    n, fit = np.uint64(x.shape[1]), True
    for a in range(index.shape[0]):
        for k in range(index.shape[1]):
            for b in range(index.shape[2]):
                i = _from_the_end(index[a, k, b], x.shape[1])
                if i < n:
                    out[a, k, b] = x[a, i, b]
                else:
                    fit = False
    return fit


def _gather_last(x, index, out):
    n, fit = np.uint64(x.shape[1]), True
    for a in range(index.shape[0]):
        line, places, read = x[a], index[a], out[a]
        for k in range(places.size):
            i = _from_the_end(places[k], line.size)
            fit &= i < n
            read[k] = line[i if i < n else np.uint64(0)]
    return fit


@helper(forceinline=True)
def _write_along(out, index, value, adds):
    """Write each value where its index says, or add it to what is there; ``adds`` is known where this is compiled."""
    n, fit = np.uint64(out.shape[1]), True
    for a in range(index.shape[0]):
        for k in range(index.shape[1]):
            for b in range(index.shape[2]):
                i = _from_the_end(index[a, k, b], out.shape[1])
                if i < n:
                    out[a, i, b] = out[a, i, b] + value[a, k, b] if adds else value[a, k, b]
                else:
                    fit = False
    return fit


@helper(forceinline=True)
def _write_last(out, index, value, adds):
    n, fit = np.uint64(out.shape[1]), True
    for a in range(index.shape[0]):
        line, places, given = out[a], index[a], value[a]
        for k in range(places.size):
            i = _from_the_end(places[k], line.size)
            if i < n:
                line[i] = line[i] + given[k] if adds else given[k]
            else:
                fit = False
    return fit


def _add_along(out, index, value):
    return _write_along(out, index, value, True)


def _add_last(out, index, value):
    return _write_last(out, index, value, True)


def _put_along(out, index, value):
    return _write_along(out, index, value, False)


def _put_last(out, index, value):
    return _write_last(out, index, value, False)


def _take_rows(x, rows, out):
    n, fit = x.shape[1], True
    for a in range(x.shape[0]):
        for k in range(rows.size):
            i = rows[k]
            i = i + n if i < 0 else i
            if 0 <= i < n:
                for b in range(x.shape[2]):
                    out[a, k, b] = x[a, i, b]
            else:
                fit = False
    return fit


def _add_rows(out, rows, value):
    n, fit = out.shape[1], True
    for a in range(out.shape[0]):
        for k in range(rows.size):
            i = rows[k]
            i = i + n if i < 0 else i
            if 0 <= i < n:
                for b in range(out.shape[2]):
                    out[a, i, b] += value[a, k, b]
            else:
                fit = False
    return fit


def _outside(index, size, ignore):
    found, limit = False, np.uint64(size)
    for i in index:
        found |= (np.uint64(i) >= limit) & (i != ignore)
    return found


def _on_lines(kind):
    return boolean(kind[:, :, ::1], int64[:, :, ::1], kind[:, :, ::1])


def _on_matrices(kind):
    return boolean(kind[:, ::1], int64[:, ::1], kind[:, ::1])


def _on_rows(kind):
    return boolean(kind[:, :, ::1], int64[::1], kind[:, :, ::1])


_KERNELS = {
    "gather": (_gather, _on_lines), "add_along": (_add_along, _on_lines), "put_along": (_put_along, _on_lines),
    "gather_last": (_gather_last, _on_matrices), "add_last": (_add_last, _on_matrices),
    "put_last": (_put_last, _on_matrices),
    "take_rows": (_take_rows, _on_rows), "add_rows": (_add_rows, _on_rows),
    "outside": (_outside, lambda kind: boolean(int64[::1], int64, int64)),
}  # fmt: skip

NAMES = tuple(_KERNELS)


def _make(name):
    function, arguments = _KERNELS[name]
    return typed(function, [arguments(kind) for kind in (float32, float64)])


__getattr__ = on_first_use(globals(), _make)
