"""Reductions of matrices over their rows or columns, and of vectors to a number.

All take C-contiguous, writable float32 or float64 arrays and raise TypeError for any other type or layout; each is
compiled or loaded when it is first asked for:

- ``total(x, count)``: the sum of a vector over ``count``, as a float;
- ``mean_rows(x, count, out)``, ``mean_columns(x, count, out)``: the sum of each row, of each column, over ``count``;
- ``var_rows(x, degrees, out)``, ``var_columns(x, degrees, out)``: the squared deviations over ``degrees``;
- ``prod_rows(x, out)``: the product of each row;
- ``cumsum_rows(x, backward, out)``, ``cumprod_rows(x, backward, out)``: running sums and products of rows, kept in
  float64; from the last column to the first where ``backward`` is not 0;
- ``prod_back(g, x, out)``, ``cumprod_back(g, x, out)``: the derivatives of products and running products of rows;
- ``max_rows(x, out)``, ``min_rows(x, out)``: the extremes of rows of at least one element; NaN where there is a NaN.

``count`` and ``degrees`` are floats; with ``count`` 1 a mean is a sum, with 0 it is NaN or infinite.
"""

import numpy as np
from numba import float32, float64, int64, void

from .cache import on_first_use, typed
from .compiled import helper
from .order import order, unorder

__all__ = ["NAMES"]

_BLOCK = 1024  # so many terms are added in their own type, in vector code; the blocks' sums in float64

_sum = helper(forceinline=True, fastmath={"reassoc"})


@_sum
def _add(block):
    total = block[0]
    for j in range(1, block.size):
        total += block[j]
    return total


@_sum
def _add_squares(block, mean):
    total = (block[0] - mean) * (block[0] - mean)
    for j in range(1, block.size):
        total += (block[j] - mean) * (block[j] - mean)
    return total


@_sum
def _multiply(row):
    product = row[0]
    for j in range(1, row.size):
        product *= row[j]
    return product


@helper(forceinline=True)
def _sum_of(row):
    total = 0.0
    for start in range(0, row.size, _BLOCK):
        total += _add(row[start : start + _BLOCK])
    return total


@helper(forceinline=True)
def _add_columns(x, out):
    out[:] = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[j] += x[i, j]


@helper(forceinline=True)
def _extremes(x, sign, out):
    nan = order(abs(x.dtype.type(np.nan)))  # above infinity
    for i in range(x.shape[0]):
        top = order(sign * x[i, 0])
        for j in range(x.shape[1]):
            value = sign * x[i, j]
            here = order(value) if value == value else nan
            top = here if here > top else top
        out[i] = sign * unorder(top)


def _total(x, count):
    return _sum_of(x) / count


def _mean_rows(x, count, out):
    for i in range(x.shape[0]):
        out[i] = _sum_of(x[i]) / count


def _mean_columns(x, count, out):
    _add_columns(x, out)
    if count != 1.0:
        for j in range(x.shape[1]):
            out[j] /= count


def _var_rows(x, degrees, out):
    for i in range(x.shape[0]):
        row, total = x[i], 0.0
        mean = x.dtype.type(_sum_of(row) / row.size)
        for start in range(0, row.size, _BLOCK):
            total += _add_squares(row[start : start + _BLOCK], mean)
        out[i] = total / degrees


def _var_columns(x, degrees, out):
    mean = np.empty_like(out)
    _add_columns(x, mean)
    for j in range(x.shape[1]):
        mean[j] /= x.shape[0]
    out[:] = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            deviation = x[i, j] - mean[j]
            out[j] += deviation * deviation
    for j in range(x.shape[1]):
        out[j] /= degrees


def _max_rows(x, out):
    _extremes(x, x.dtype.type(1), out)


def _min_rows(x, out):
    _extremes(x, x.dtype.type(-1), out)


def _prod_rows(x, out):
    for i in range(x.shape[0]):
        out[i] = _multiply(x[i])


def _cumsum_rows(x, backward, out):
    width = x.shape[1]
    for i in range(x.shape[0]):
        total = 0.0
        if backward:
            for j in range(width - 1, -1, -1):
                total += x[i, j]
                out[i, j] = total
        else:
            for j in range(width):
                total += x[i, j]
                out[i, j] = total


def _cumprod_rows(x, backward, out):
    width = x.shape[1]
    for i in range(x.shape[0]):
        product = 1.0
        if backward:
            for j in range(width - 1, -1, -1):
                product *= x[i, j]
                out[i, j] = product
        else:
            for j in range(width):
                product *= x[i, j]
                out[i, j] = product


def _prod_back(g, x, out):
    """The products of all others, along rows, times the row's cotangent."""
    last = x.shape[1] - 1
    for i in range(x.shape[0]):
        before = g[i]
        for j in range(last + 1):
            out[i, j] = before
            before *= x[i, j]
        after = x.dtype.type(1)
        for j in range(last, -1, -1):
            out[i, j] *= after
            after *= x[i, j]


def _cumprod_back(g, x, out):
    """The products of those before, along rows, times ``s[j] = g[j] + x[j + 1] s[j + 1]``."""
    last = x.shape[1] - 1
    for i in range(x.shape[0]):
        out[i, last] = g[i, last]
        for j in range(last - 1, -1, -1):
            out[i, j] = g[i, j] + x[i, j + 1] * out[i, j + 1]
        before = x[i, 0]
        for j in range(1, last + 1):
            out[i, j] *= before
            before *= x[i, j]


# The dimensions of the arguments, input and output; between them those with `count` or `degrees` take a float.
_KERNELS = {
    "total": lambda kind: float64(kind[::1], float64),
    "mean_rows": lambda kind: void(kind[:, ::1], float64, kind[::1]),
    "mean_columns": lambda kind: void(kind[:, ::1], float64, kind[::1]),
    "var_rows": lambda kind: void(kind[:, ::1], float64, kind[::1]),
    "var_columns": lambda kind: void(kind[:, ::1], float64, kind[::1]),
    "prod_rows": lambda kind: void(kind[:, ::1], kind[::1]),
    "cumsum_rows": lambda kind: void(kind[:, ::1], int64, kind[:, ::1]),
    "cumprod_rows": lambda kind: void(kind[:, ::1], int64, kind[:, ::1]),
    "prod_back": lambda kind: void(kind[::1], kind[:, ::1], kind[:, ::1]),
    "cumprod_back": lambda kind: void(kind[:, ::1], kind[:, ::1], kind[:, ::1]),
    "max_rows": lambda kind: void(kind[:, ::1], kind[::1]),
    "min_rows": lambda kind: void(kind[:, ::1], kind[::1]),
}

NAMES = tuple(_KERNELS)


def _make(name):
    return typed(globals()["_" + name], [_KERNELS[name](kind) for kind in (float32, float64)], nogil=False)


__getattr__ = on_first_use(globals(), _make)
