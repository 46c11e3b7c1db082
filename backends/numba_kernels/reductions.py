"""Reductions of matrices over their rows or columns, and of vectors to a number.

All take C-contiguous, writable float32 or float64 arrays and raise TypeError for any other type or layout; each is
compiled or loaded when it is first asked for:

- ``total(x, count)``: the sum of a vector over ``count``, as a float;
- ``mean_rows(x, count, out)``, ``mean_columns(x, count, out)``: the sum of each row, of each column, over ``count``;
- ``var_rows(x, degrees, out)``, ``var_columns(x, degrees, out)``: the squared deviations over ``degrees``;
- ``max_rows(x, out)``, ``min_rows(x, out)``: the extremes of rows of at least one element; NaN where there is a NaN.

``count`` and ``degrees`` are floats; with ``count`` 1 a mean is a sum, with 0 it is NaN or infinite.
"""

import numpy as np
from numba import float32, float64, njit, void

from .cache import on_first_use
from .order import order, unorder

_BLOCK = 1024  # so many terms are added in their own type, in vector code; the blocks' sums in float64

_sum = njit(forceinline=True, fastmath={"reassoc"})


@_sum
def _add(row, start, stop):
    total = row[start]
    for j in range(start + 1, stop):
        total += row[j]
    return total


@_sum
def _add_squares(row, start, stop, mean):
    first = row[start] - mean
    total = first * first
    for j in range(start + 1, stop):
        deviation = row[j] - mean
        total += deviation * deviation
    return total


@njit
def _sum_of(row):
    total = 0.0
    for start in range(0, row.size, _BLOCK):
        total += _add(row, start, min(start + _BLOCK, row.size))
    return total


def _total(x, count):
    return _sum_of(x) / count


def _mean_rows(x, count, out):
    for i in range(x.shape[0]):
        out[i] = _sum_of(x[i]) / count


def _mean_columns(x, count, out):
    out[:] = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[j] += x[i, j]
    if count != 1:
        for j in range(x.shape[1]):
            out[j] /= count


def _var_rows(x, degrees, out):
    for i in range(x.shape[0]):
        row, total = x[i], 0.0
        mean = x.dtype.type(_sum_of(row) / row.size)
        for start in range(0, row.size, _BLOCK):
            total += _add_squares(row, start, min(start + _BLOCK, row.size), mean)
        out[i] = total / degrees


def _var_columns(x, degrees, out):
    mean = np.empty_like(out)
    _mean_columns(x, x.shape[0], mean)
    out[:] = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            deviation = x[i, j] - mean[j]
            out[j] += deviation * deviation
    for j in range(x.shape[1]):
        out[j] /= degrees
