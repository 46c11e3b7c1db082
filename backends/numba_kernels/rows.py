"""The softmax family on the rows of matrices.

``softmax(x, out)``, ``softmax_vjp(g, y, out)``, ``log_softmax(x, out)`` and ``log_softmax_vjp(g, y, out)``, where ``y``
is the result of the forward step, take C-contiguous, writable float32 or float64 matrices of one shape with at least
one column, and write to ``out``. They raise TypeError for any other type or layout, and release the GIL. Each is
compiled or loaded when it is first asked for.
"""

from typing import Any

import numpy as np
from numba import float32, float64, void

from .cache import on_first_use, typed
from .compiled import helper
from .order import largest
from .parts import matrix
from .pointers import wide_vectors
from .scalar import exp, log

__all__ = ["NAMES", "PARTS"]

# A sum may be taken in any order, so in vector code; its terms are computed as they are written. A loop that sums
# stores nothing: else the order would be another one for arrays that lie close together. Every loop begins with the
# first number: of 64 there would otherwise be 31 left over that fill no vectors.
_sum = helper(forceinline=True, fastmath={"reassoc"})


@_sum
def _total(row):
    wide_vectors()
    total = row.dtype.type(0)
    for j in range(row.size):
        total += row[j]
    return total


@helper(forceinline=True)
def _exponentials(row, shift, out):
    """``exp(row - shift)`` to ``out``."""
    wide_vectors()
    for j in range(row.size):
        out[j] = exp(row[j] - shift)


@_sum
def _dot(a, b):
    total = a.dtype.type(0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@_sum
def _total_exp(row, shift):
    wide_vectors()
    total = row.dtype.type(0)
    for j in range(row.size):
        total += exp(row[j] - shift)
    return total


@helper(forceinline=True)
def _scale(row, factor):
    wide_vectors()
    for j in range(row.size):
        row[j] *= factor


def _softmax(x, out):
    for i in range(x.shape[0]):
        row, result = x[i], out[i]
        _exponentials(row, largest(row), result)
        _scale(result, x.dtype.type(1) / _total(result))


def _softmax_vjp(g, y, out):
    for i in range(g.shape[0]):
        cotangent, row, result = g[i], y[i], out[i]
        mean = _dot(cotangent, row)
        for j in range(row.size):
            result[j] = row[j] * (cotangent[j] - mean)


def _log_softmax(x, out):
    for i in range(x.shape[0]):
        row, result = x[i], out[i]
        top = largest(row)
        scale = log(_total_exp(row, top))
        for j in range(row.size):
            result[j] = row[j] - top - scale


def _log_softmax_vjp(g, y, out):
    wide_vectors()
    for i in range(g.shape[0]):
        cotangent, row, result = g[i], y[i], out[i]
        total = _total(cotangent)
        for j in range(row.size):
            result[j] = cotangent[j] - exp(row[j]) * total


KERNEL: Any = None  # another one for each kernel and type, like KIND
KIND = np.float32


def _two(job, start, stop):
    KERNEL(matrix(job, 0, start, stop, KIND), matrix(job, 1, start, stop, KIND))


def _three(job, start, stop):
    KERNEL(matrix(job, 0, start, stop, KIND), matrix(job, 1, start, stop, KIND), matrix(job, 2, start, stop, KIND))


_KERNELS = {
    "softmax": (_softmax, 2), "softmax_vjp": (_softmax_vjp, 3),
    "log_softmax": (_log_softmax, 2), "log_softmax_vjp": (_log_softmax_vjp, 3),
}  # fmt: skip

NAMES = tuple(_KERNELS)
PARTS = {name: _two if matrices == 2 else _three for name, (_, matrices) in _KERNELS.items()}


def _make(name):
    function, matrices = _KERNELS[name]
    signatures = [void(*[kind[:, ::1]] * matrices) for kind in (float32, float64)]
    return typed(function, signatures)


__getattr__ = on_first_use(globals(), _make)
