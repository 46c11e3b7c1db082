"""What surrounds a matrix product in a linear layer: bias, activation, and their way back, in one pass each.

The product itself is the BLAS library's. ``out`` is what it gave: a contiguous matrix (rows, features).
"""

import numpy as np
from numba import njit

from .compiled import KERNEL, helper
from .scalar import sigmoid, tanh

__all__ = ["ACTIVATE", "BACK", "column_sums"]

# Sums may be taken in any order, so that they run in vector registers; nan and inf keep their meaning.
OPTIONS = KERNEL | {"fastmath": {"reassoc", "contract", "nsz"}}


@njit(**OPTIONS)
def identity(out, bias):
    """``out += bias``."""
    rows, columns = out.shape
    for i in range(rows):
        for j in range(columns):
            out[i, j] += bias[j]


@njit(**OPTIONS)
def relu(out, bias):
    """``out = max(out + bias, 0)``, nan kept."""
    rows, columns = out.shape
    zero = out.dtype.type(0)  # not z * 0, which is nan for -inf
    for i in range(rows):
        for j in range(columns):
            z = out[i, j] + bias[j]
            out[i, j] = zero if z < 0 else z


@njit(**OPTIONS)
def hyperbolic(out, bias):
    """``out = tanh(out + bias)``."""
    rows, columns = out.shape
    for i in range(rows):
        for j in range(columns):
            out[i, j] = tanh(out[i, j] + bias[j])


@njit(**OPTIONS)
def logistic(out, bias):
    """``out = sigmoid(out + bias)``."""
    rows, columns = out.shape
    for i in range(rows):
        for j in range(columns):
            out[i, j] = sigmoid(out[i, j] + bias[j])


_TOGETHER = 256  # rows that are added before their sums are, so that long sums keep their digits


@helper(forceinline=True)
def _add(part, sums):
    """Add ``part`` to ``sums``, and begin it anew."""
    for j in range(part.size):
        sums[j] += part[j]
        part[j] = 0


@njit(**OPTIONS)
def column_sums(g, sums):
    """``sums = g.sum(0)``."""
    rows, columns = g.shape
    sums[:] = 0
    part = np.zeros(columns, g.dtype)
    for i in range(rows):
        for j in range(columns):
            part[j] += g[i, j]
        if i % _TOGETHER == _TOGETHER - 1:
            _add(part, sums)
    _add(part, sums)


# `before` may be `g`: a row between the two keeps the loops vector code.


@njit(**OPTIONS)
def relu_back(g, out, before, sums):
    """``before``: the cotangent before the activation; ``sums``: its column sums, the bias's cotangent."""
    rows, columns = g.shape
    zero = out.dtype.type(0)
    sums[:] = 0
    line, part = np.empty(columns, g.dtype), np.zeros(columns, g.dtype)
    for i in range(rows):
        for j in range(columns):
            line[j] = zero if out[i, j] <= 0 else g[i, j]
        for j in range(columns):
            before[i, j] = line[j]
            part[j] += line[j]
        if i % _TOGETHER == _TOGETHER - 1:
            _add(part, sums)
    _add(part, sums)


@njit(**OPTIONS)
def hyperbolic_back(g, out, before, sums):
    """As ``relu_back``, for tanh."""
    rows, columns = g.shape
    one = out.dtype.type(1)
    sums[:] = 0
    line, part = np.empty(columns, g.dtype), np.zeros(columns, g.dtype)
    for i in range(rows):
        for j in range(columns):
            line[j] = g[i, j] * (one - out[i, j] * out[i, j])
        for j in range(columns):
            before[i, j] = line[j]
            part[j] += line[j]
        if i % _TOGETHER == _TOGETHER - 1:
            _add(part, sums)
    _add(part, sums)


@njit(**OPTIONS)
def logistic_back(g, out, before, sums):
    """As ``relu_back``, for sigmoid."""
    rows, columns = g.shape
    one = out.dtype.type(1)
    sums[:] = 0
    line, part = np.empty(columns, g.dtype), np.zeros(columns, g.dtype)
    for i in range(rows):
        for j in range(columns):
            line[j] = g[i, j] * (out[i, j] * (one - out[i, j]))
        for j in range(columns):
            before[i, j] = line[j]
            part[j] += line[j]
        if i % _TOGETHER == _TOGETHER - 1:
            _add(part, sums)
    _add(part, sums)


ACTIVATE = {None: identity, "relu": relu, "tanh": hyperbolic, "sigmoid": logistic}
BACK = {"relu": relu_back, "tanh": hyperbolic_back, "sigmoid": logistic_back}
