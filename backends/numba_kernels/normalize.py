"""Normalisation of the rows of matrices.

All arrays are C-contiguous, of float32 or float64. Sums are taken in blocks and added up in float64.
"""

from typing import Any

import numpy as np
from numba import float32, float64, void

from .cache import on_first_use, typed
from .compiled import helper
from .parts import matrix, number, vector

__all__ = ["NAMES", "PARTS"]

_BLOCK = 1024  # terms that are added in their own type, in vector code
_ROWS = 128  # likewise, of the sums over rows

_sum = helper(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract"})


@_sum
def _add(row):
    total = row.dtype.type(0)
    for j in range(row.size):
        total += row[j]
    return total


@_sum
def _add_squares(row, mean):
    total = row.dtype.type(0)
    for j in range(row.size):
        total += (row[j] - mean) * (row[j] - mean)
    return total


@_sum
def _add_slopes(g, x, weight, mean, inverse):
    """The sums of ``g weight`` and of ``g weight (x - mean) / deviation``."""
    first = second = g.dtype.type(0)
    for j in range(g.size):
        scaled = g[j] * weight[j]
        first += scaled
        second += scaled * ((x[j] - mean) * inverse)
    return first, second


@_sum
def _add_plain_slopes(g, x, mean, inverse):
    first = second = g.dtype.type(0)
    for j in range(g.size):
        first += g[j]
        second += g[j] * ((x[j] - mean) * inverse)
    return first, second


def _layer_norm(x, weight, bias, eps, out, means, inverses):
    """``out = (x - mean) / sqrt(variance + eps) * weight + bias`` row by row; mean and factor of each row beside it.

    Where the weight is empty, there is neither weight nor bias.
    """
    columns, plain = x.shape[1], weight.size == 0
    for i in range(x.shape[0]):
        row, result, total = x[i], out[i], 0.0
        for start in range(0, columns, _BLOCK):
            total += _add(row[start : start + _BLOCK])
        mean, total = x.dtype.type(total / columns), 0.0
        for start in range(0, columns, _BLOCK):
            total += _add_squares(row[start : start + _BLOCK], mean)
        inverse = x.dtype.type(1 / np.sqrt(total / columns + eps))
        means[i], inverses[i] = mean, inverse
        if plain:
            for j in range(columns):
                result[j] = (row[j] - mean) * inverse
        else:
            for j in range(columns):
                result[j] = (row[j] - mean) * inverse * weight[j] + bias[j]


def _layer_norm_vjp(g, x, weight, means, inverses, slope, weight_slope, bias_slope):
    """The cotangents of x, weight and bias."""
    rows, columns = x.shape
    weight_slope[:] = 0
    bias_slope[:] = 0
    first, second = np.zeros_like(weight_slope), np.zeros_like(bias_slope)
    for i in range(rows):
        cotangent, row, result, mean, inverse = g[i], x[i], slope[i], means[i], inverses[i]
        a, b = 0.0, 0.0
        for start in range(0, columns, _BLOCK):
            stop = start + _BLOCK
            p, q = _add_slopes(cotangent[start:stop], row[start:stop], weight[start:stop], mean, inverse)
            a += p
            b += q
        along, across = x.dtype.type(a / columns), x.dtype.type(b / columns)
        for j in range(columns):
            normal = (row[j] - mean) * inverse
            result[j] = (cotangent[j] * weight[j] - along - normal * across) * inverse
            first[j] += cotangent[j] * normal
            second[j] += cotangent[j]
        if i % _ROWS == _ROWS - 1 or i == rows - 1:
            for j in range(columns):
                weight_slope[j] += first[j]
                bias_slope[j] += second[j]
                first[j] = 0
                second[j] = 0


def _plain_vjp(g, x, means, inverses, slope):
    """The cotangent of x where there is neither weight nor bias."""
    columns = x.shape[1]
    for i in range(x.shape[0]):
        cotangent, row, result, mean, inverse = g[i], x[i], slope[i], means[i], inverses[i]
        a, b = 0.0, 0.0
        for start in range(0, columns, _BLOCK):
            p, q = _add_plain_slopes(cotangent[start : start + _BLOCK], row[start : start + _BLOCK], mean, inverse)
            a += p
            b += q
        along, across = x.dtype.type(a / columns), x.dtype.type(b / columns)
        for j in range(columns):
            result[j] = (cotangent[j] - along - (row[j] - mean) * inverse * across) * inverse


KERNEL: Any = None  # another one for each kernel and type, like KIND
KIND = np.float32


def _layer_norm_part(job, start, stop):
    x, out = matrix(job, 0, start, stop, KIND), matrix(job, 4, start, stop, KIND)
    given = x.shape[1] if number(job, 7) > 0 else 0
    weight, bias = vector(job, 1, 0, given, KIND), vector(job, 2, 0, given, KIND)
    means, inverses = vector(job, 5, start, stop, KIND), vector(job, 6, start, stop, KIND)
    KERNEL(x, weight, bias, number(job, 3), out, means, inverses)


def _plain_vjp_part(job, start, stop):
    g, x = matrix(job, 0, start, stop, KIND), matrix(job, 1, start, stop, KIND)
    slope = matrix(job, 4, start, stop, KIND)
    KERNEL(g, x, vector(job, 2, start, stop, KIND), vector(job, 3, start, stop, KIND), slope)


_KERNELS = {
    "plain_vjp": (
        _plain_vjp, lambda m, v: (m, m, v, v, m),
    ),
    "layer_norm": (
        _layer_norm, lambda m, v: (m, v, v, float64, m, v, v),
    ),
    "layer_norm_vjp": (
        _layer_norm_vjp, lambda m, v: (m, m, v, v, v, m, v, v),
    ),
}  # fmt: skip

NAMES = tuple(_KERNELS)
PARTS = {"layer_norm": _layer_norm_part, "plain_vjp": _plain_vjp_part}


def _make(name):
    function, arguments = _KERNELS[name]
    signatures = [void(*arguments(kind[:, ::1], kind[::1])) for kind in (float32, float64)]
    return typed(function, signatures)


__getattr__ = on_first_use(globals(), _make)
