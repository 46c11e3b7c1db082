"""Linear layers of small networks, each a single call: product, bias and activation, and all of their way back.

A BLAS library takes about a microsecond before its first multiplication, and so do NumPy's calls around it. ``arrays``
is the address of a list, see ``objects``; ``like`` is any array of their type.

- ``forward_ACT(arrays, like)`` with x, w, b and out: ``out = act(x @ w.T + b)``.
- ``back_ACT(arrays, like)`` with g, x, w, out, gx, gw and gb: the cotangents of the input, the weight and the bias. One
  that is not wanted is an empty array; ``gb`` only where ``ACT`` is ``plain``.

``ACT`` is ``plain``, ``relu``, ``tanh`` or ``sigmoid``. They return whether they could use the arrays as they are.
"""

from typing import Any

import numpy as np
from numba import njit

from .cache import instance, on_first_use
from .linear import ACTIVATE, BACK, OPTIONS, column_sums
from .objects import dimensions, elements, item, matrix, side, size, usable
from .pointers import wide_vectors
from .tiles import VECTOR, product_tile

__all__: list[str] = []

_ROWS = 6  # of a tile: with AVX2 as many sums as there are registers beside a line and a factor
_FEW = 4  # columns for which the weights are not put in order

# Constants of the templates below.
ACT: Any = None


@njit(nogil=True, error_model="numpy")
def _multiply(a, down, right, b, out):
    """``out = a @ b`` for contiguous matrices; of ``a`` the elements from row to row and from column to column."""
    wide_vectors()
    (rows, columns), depth, step, zero = out.shape, b.shape[0], out.itemsize, out.dtype.type(0)
    width = VECTOR // step
    for j in range(0, columns, width):
        lanes = min(width, columns - j)
        line, target = b.ctypes.data + j * step, out.ctypes.data + j * step
        if rows < _ROWS:
            for i in range(rows):
                x, y = a.ctypes.data + i * down * step, target + i * columns * step
                if lanes == width:
                    product_tile(zero, x, down, right, line, columns, y, columns, depth, lanes, 1, 1)
                else:
                    product_tile(zero, x, down, right, line, columns, y, columns, depth, lanes, 1, 0)
        else:
            for start in range(0, rows, _ROWS):
                i = min(start, rows - _ROWS)  # the last rows once more, with the same result
                x, y = a.ctypes.data + i * down * step, target + i * columns * step
                if lanes == width:
                    product_tile(zero, x, down, right, line, columns, y, columns, depth, lanes, _ROWS, 1)
                else:
                    product_tile(zero, x, down, right, line, columns, y, columns, depth, lanes, _ROWS, 0)


@njit(**OPTIONS)
def _dots(x, w, out):
    """``out = x @ w.T`` without other memory."""
    for i in range(x.shape[0]):
        for j in range(w.shape[0]):
            total = x.dtype.type(0)
            for k in range(x.shape[1]):
                total += x[i, k] * w[j, k]
            out[i, j] = total


@njit(nogil=True, error_model="numpy")
def _transposed(w):
    out = np.empty((w.shape[1], w.shape[0]), w.dtype)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            out[j, i] = w[i, j]
    return out


@njit(inline="always")
def _fit(x, w, like):
    """Whether this is an input with features in its last dimension, and the weight of a layer."""
    if not usable(x, like) or not usable(w, like) or dimensions(w) != 2 or dimensions(x) < 2:
        return False
    return side(w, 1) == side(x, dimensions(x) - 1) and side(w, 1) > 0


def _forward(arrays, like):
    x, w, b, out = item(arrays, 0), item(arrays, 1), item(arrays, 2), item(arrays, 3)
    if not _fit(x, w, like) or not usable(b, like) or dimensions(b) != 1 or size(b) != side(w, 0):
        return False
    features, inner = side(w, 0), side(w, 1)
    rows = size(x) // inner
    given, weight, made = matrix(x, rows, inner, like), matrix(w, features, inner, like), matrix(out, rows, features, like)
    if rows < _ROWS or features < _FEW:
        _dots(given, weight, made)
    else:
        _multiply(given, inner, 1, _transposed(weight), made)
    ACT(made, elements(b, 0, features, like))
    return True


def _back(arrays, like):
    g, x, w, out = item(arrays, 0), item(arrays, 1), item(arrays, 2), item(arrays, 3)
    gx, gw, gb = item(arrays, 4), item(arrays, 5), item(arrays, 6)
    if not _fit(x, w, like) or not usable(g, like):
        return False
    features, inner = side(w, 0), side(w, 1)
    rows = size(x) // inner
    given, weight, slope = matrix(x, rows, inner, like), matrix(w, features, inner, like), matrix(g, rows, features, like)
    sums = elements(gb, 0, features, like)
    if ACT is not None:
        before = np.empty((rows, features), like.dtype)
        ACT(slope, matrix(out, rows, features, like), before, sums)
        slope = before
    elif size(gb) > 0:
        column_sums(slope, sums)
    if size(gx) > 0:
        _multiply(slope, features, 1, weight, matrix(gx, rows, inner, like))
    if size(gw) > 0:
        _multiply(slope, 1, features, given, matrix(gw, features, inner, like))
    return True


def _make(name):
    way, _, act = name.partition("_")
    act = None if act == "plain" else act
    template, function = {"forward": (_forward, ACTIVATE), "back": (_back, {None: None} | BACK)}[way]
    return njit(**OPTIONS)(instance(template, name, ACT=function[act]))


__getattr__ = on_first_use(globals(), _make)
