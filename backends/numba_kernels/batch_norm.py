"""Batch normalisation of the channels of images.

Images (N, C, L) and vectors are C-contiguous, of float32 or float64; ``moments`` (2, C) holds means and variances.
Each kernel works on the channels from ``start`` to ``stop``. Sums are taken in blocks and added up in float64.
"""

import numpy as np
from numba import boolean, float32, float64, int64, void

from .cache import on_first_use, typed
from .compiled import helper
from .normalize import _add, _add_squares

__all__ = ["NAMES"]

_BLOCK = 1024  # terms that are added in their own type, in vector code
_ROWS = 128  # likewise, of sums over examples
_COLUMNS = 256  # channels of one place each that are worked on together, so that they stay in the cache

_sum = helper(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract"})
_inline = helper(forceinline=True, error_model="numpy")


@_sum
def _add_slopes(g, x, mean):
    """The sums of ``g`` and of ``g (x - mean)``."""
    first = g[0]
    second = first * (x[0] - mean)
    for j in range(1, g.size):
        first += g[j]
        second += g[j] * (x[j] - mean)
    return first, second


@_inline
def _column_moments(x, moments, start, stop):
    """Of channels with one place in each example."""
    count, kind = x.shape[0], x.dtype.type
    total, part = np.empty(stop - start), np.empty(stop - start, x.dtype)
    mean = moments[0, start:stop]
    for step in range(2):
        total[:] = 0
        for first in range(0, count, _ROWS):
            part[:] = 0
            for n in range(first, min(first + _ROWS, count)):
                row = x[n, start:stop]
                if step == 0:
                    for j in range(part.size):
                        part[j] += row[j]
                else:
                    for j in range(part.size):
                        part[j] += (row[j] - mean[j]) * (row[j] - mean[j])
            for j in range(part.size):
                total[j] += part[j]
        for j in range(part.size):
            moments[step, start + j] = kind(total[j] / count)


def _moments(x, moments, start, stop):
    """Mean and variance of every channel."""
    count, places = x.shape[0], x.shape[2]
    if places == 1:
        rows = x.reshape(count, x.shape[1])
        for first in range(start, stop, _COLUMNS):
            _column_moments(rows, moments, first, min(first + _COLUMNS, stop))
        return
    for c in range(start, stop):
        total = 0.0
        for n in range(count):
            for p in range(0, places, _BLOCK):
                total += _add(x[n, c, p : p + _BLOCK])
        mean, total = x.dtype.type(total / (count * places)), 0.0
        for n in range(count):
            for p in range(0, places, _BLOCK):
                total += _add_squares(x[n, c, p : p + _BLOCK], mean)
        moments[0, c] = mean
        moments[1, c] = x.dtype.type(total / (count * places))


def _normalise(x, moments, weight, bias, eps, out, start, stop):
    """``out = (x - mean) / sqrt(variance + eps) * weight + bias``."""
    places, kind = x.shape[2], x.dtype.type
    scale = np.empty(stop - start, x.dtype)
    for c in range(start, stop):
        scale[c - start] = kind(1 / np.sqrt(moments[1, c] + eps)) * weight[c]
    mean, shift = moments[0, start:stop], bias[start:stop]
    if places == 1:
        rows, results = x.reshape(x.shape[0], x.shape[1]), out.reshape(x.shape[0], x.shape[1])
        for n in range(x.shape[0]):
            row, result = rows[n, start:stop], results[n, start:stop]
            for j in range(scale.size):
                result[j] = (row[j] - mean[j]) * scale[j] + shift[j]
        return
    for n in range(x.shape[0]):
        for c in range(scale.size):
            line, target, a, b, m = x[n, start + c], out[n, start + c], scale[c], shift[c], mean[c]
            for j in range(places):
                target[j] = (line[j] - m) * a + b


@_inline
def _column_back(g, x, moments, weight, eps, of_batch, slope, of_weight, of_bias, start, stop):
    """Of channels with one place in each example."""
    count, kind, size = x.shape[0], x.dtype.type, stop - start
    mean = moments[0, start:stop]
    first, second = np.zeros(size), np.zeros(size)
    p, q = np.empty(size, x.dtype), np.empty(size, x.dtype)
    for begin in range(0, count, _ROWS):
        p[:] = 0
        q[:] = 0
        for n in range(begin, min(begin + _ROWS, count)):
            row, cotangent = x[n, start:stop], g[n, start:stop]
            for j in range(size):
                p[j] += cotangent[j]
                q[j] += cotangent[j] * (row[j] - mean[j])
        for j in range(size):
            first[j] += p[j]
            second[j] += q[j]
    scale = np.empty(size, x.dtype)
    for j in range(size):
        inverse = 1 / np.sqrt(moments[1, start + j] + eps)
        of_bias[start + j] = kind(first[j])
        of_weight[start + j] = kind(second[j] * inverse)
        scale[j] = kind(inverse * weight[start + j])
        p[j] = kind(first[j] / count) if of_batch else kind(0)
        q[j] = kind(second[j] * inverse * inverse / count) if of_batch else kind(0)
    for n in range(count):
        row, cotangent, result = x[n, start:stop], g[n, start:stop], slope[n, start:stop]
        for j in range(size):
            result[j] = (cotangent[j] - p[j] - (row[j] - mean[j]) * q[j]) * scale[j]


def _back(g, x, moments, weight, eps, of_batch, slope, of_weight, of_bias, start, stop):
    """The cotangents of x, weight and bias."""
    count, places, kind = x.shape[0], x.shape[2], x.dtype.type
    if places == 1:
        shape = (count, x.shape[1])
        rows, given, result = x.reshape(shape), g.reshape(shape), slope.reshape(shape)
        for first in range(start, stop, _COLUMNS):
            last = min(first + _COLUMNS, stop)
            _column_back(given, rows, moments, weight, eps, of_batch, result, of_weight, of_bias, first, last)
        return
    for c in range(start, stop):
        mean, inverse = moments[0, c], 1 / np.sqrt(moments[1, c] + eps)
        a, b = 0.0, 0.0
        for n in range(count):
            for i in range(0, places, _BLOCK):
                p, q = _add_slopes(g[n, c, i : i + _BLOCK], x[n, c, i : i + _BLOCK], mean)
                a += p
                b += q
        of_bias[c] = kind(a)
        of_weight[c] = kind(b * inverse)
        along = kind(a / (count * places)) if of_batch else kind(0)
        across = kind(b * inverse * inverse / (count * places)) if of_batch else kind(0)
        scale = kind(inverse * weight[c])
        for n in range(count):
            line, cotangent, result = x[n, c], g[n, c], slope[n, c]
            for j in range(places):
                result[j] = (cotangent[j] - along - (line[j] - mean) * across) * scale


_KERNELS = {
    "moments": (_moments, lambda t, m, v: (t, m, int64, int64)),
    "normalise": (_normalise, lambda t, m, v: (t, m, v, v, float64, t, int64, int64)),
    "back": (_back, lambda t, m, v: (t, t, m, v, float64, boolean, t, v, v, int64, int64)),
}  # fmt: skip

NAMES = tuple(_KERNELS)


def _make(name):
    function, arguments = _KERNELS[name]
    signatures = [void(*arguments(kind[:, :, ::1], kind[:, ::1], kind[::1])) for kind in (float32, float64)]
    return typed(function, signatures)


__getattr__ = on_first_use(globals(), _make)
