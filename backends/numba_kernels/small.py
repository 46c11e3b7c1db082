"""Linear layers of small networks, each a single call: product, bias and activation, and all of their way back.

A BLAS library takes about a microsecond before its first multiplication, and so do NumPy's calls around it. ``arrays``
is the address of a list, see ``objects``; ``like`` is any array of their type.

- ``forward_ACT_TYPE(arrays, like)`` with x, w, b and out: ``out = act(x @ w.T + b)``.
- ``back_ACT_TYPE(arrays, like)`` with g, x, w, out, gx, gw and gb: the cotangents of the input, the weight and the
  bias. One that is not wanted is an empty array; ``gb`` only where ``ACT`` is ``plain``.

``ACT`` is ``plain``, ``relu``, ``tanh`` or ``sigmoid``, ``TYPE`` is ``float32`` or ``float64``. They return whether
they could use the arrays as they are.
"""

import functools
from typing import Any

import numpy as np
from numba import cfunc, float32, float64, njit, types

from .cache import instance, on_first_use
from .compiled import helper, linked
from .linear import ACTIVATE, BACK, OPTIONS, column_sums
from .objects import data, dimensions, elements, item, matrix, side, size, usable
from .pointers import wide_vectors
from .tiles import VECTOR, product_tile, transpose_tile

__all__ = ["NAMES"]

_ROWS = 6  # of a tile, of up to two vectors: with AVX2 as many sums as there are registers beside them and a factor
_FEW = 4  # columns for which the weights are not put in order
_PRODUCT = types.void(*[types.intp] * 8)

# Constants of the templates below.
ACT: Any = None
KIND: Any = None
SIZE: Any = None
MULTIPLY: Any = None


@njit(inline="always")
def _strip(zero, size, a, down, right, line, columns, target, rows, depth, lanes, vectors):
    """Some columns of ``_multiply``: as many as the constant ``vectors`` have, or ``lanes`` where that is 0."""
    if rows < _ROWS:
        for i in range(rows):
            x, y = a + i * down * size, target + i * columns * size
            product_tile(zero, x, down, right, line, columns, y, columns, depth, lanes, 1, vectors)
    else:
        for start in range(0, rows, _ROWS):
            i = min(start, rows - _ROWS)  # the last rows once more, with the same result
            x, y = a + i * down * size, target + i * columns * size
            product_tile(zero, x, down, right, line, columns, y, columns, depth, lanes, _ROWS, vectors)


def _multiply(a, down, right, b, out, rows, depth, columns):
    """``out = a @ b`` for contiguous matrices of ``KIND``; of ``a`` the elements from row to row and across."""
    wide_vectors()
    width, j = VECTOR // SIZE, 0
    while j < columns:
        line, target, left = b + j * SIZE, out + j * SIZE, columns - j
        if left >= 2 * width:
            _strip(KIND(0), SIZE, a, down, right, line, columns, target, rows, depth, left, 2)
            j += 2 * width
        elif left >= width:
            _strip(KIND(0), SIZE, a, down, right, line, columns, target, rows, depth, left, 1)
            j += width
        else:
            _strip(KIND(0), SIZE, a, down, right, line, columns, target, rows, depth, left, 0)
            j = columns


@functools.cache
def _product(kind):
    """``_multiply`` for a type as the kernels call it."""
    code = instance(_multiply, f"multiply_{kind}", KIND=np.dtype(kind).type, SIZE=np.dtype(kind).itemsize)
    return linked(f"tapegrad_multiply_{kind}", cfunc(_PRODUCT, cache=True, error_model="numpy")(code))


@njit(**OPTIONS)
def _dots(x, w, out):
    """``out = x @ w.T`` without other memory."""
    for i in range(x.shape[0]):
        for j in range(w.shape[0]):
            total = x.dtype.type(0)
            for k in range(x.shape[1]):
                total += x[i, k] * w[j, k]
            out[i, j] = total


@helper(error_model="numpy")
def _transposed(w):
    wide_vectors()
    (rows, columns), out, step = w.shape, np.empty((w.shape[1], w.shape[0]), w.dtype), VECTOR // w.itemsize
    high, wide = rows // step * step, columns // step * step
    for i in range(0, high, step):
        for j in range(0, wide, step):
            source = w.ctypes.data + (i * columns + j) * w.itemsize
            target = out.ctypes.data + (j * rows + i) * w.itemsize
            transpose_tile(w.dtype.type(0), source, columns, target, rows)
    for i in range(rows):
        for j in range(wide if i < high else 0, columns):
            out[j, i] = w[i, j]
    return out


@helper
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
    weight, made = matrix(w, features, inner, like), matrix(out, rows, features, like)
    if rows < _ROWS or features < _FEW:
        _dots(matrix(x, rows, inner, like), weight, made)
    else:
        ordered = _transposed(weight)
        MULTIPLY(data(x), inner, 1, ordered.ctypes.data, data(out), rows, inner, features)
    ACT(made, elements(b, 0, features, like))
    return True


def _back(arrays, like):
    g, x, w, out = item(arrays, 0), item(arrays, 1), item(arrays, 2), item(arrays, 3)
    gx, gw, gb = item(arrays, 4), item(arrays, 5), item(arrays, 6)
    if not _fit(x, w, like) or not usable(g, like):
        return False
    features, inner = side(w, 0), side(w, 1)
    rows = size(x) // inner
    if size(g) != rows * features or not usable(out, like) or size(out) != rows * features:
        return False
    before, sums = matrix(g, rows, features, like), elements(gb, 0, features, like)
    if ACT is not None:
        before = np.empty((rows, features), like.dtype)
        ACT(matrix(g, rows, features, like), matrix(out, rows, features, like), before, sums)
    elif size(gb) > 0:
        column_sums(before, sums)
    if size(gx) > 0:
        MULTIPLY(before.ctypes.data, features, 1, data(w), data(gx), rows, features, inner)
    if size(gw) > 0:
        MULTIPLY(before.ctypes.data, 1, features, data(x), data(gw), features, rows, inner)
    return True


_TYPES = {"float32": float32, "float64": float64}
NAMES = tuple(f"{way}_{act or 'plain'}_{kind}" for way in ("forward", "back") for act in ACTIVATE for kind in _TYPES)


def _make(name):
    if name not in NAMES:
        raise KeyError(name)
    way, act, kind = name.split("_")
    act = None if act == "plain" else act
    template, function = {"forward": (_forward, ACTIVATE), "back": (_back, {None: None} | BACK)}[way]
    kernel = instance(template, name, ACT=function[act], MULTIPLY=_product(kind))
    made = njit([types.boolean(types.intp, _TYPES[kind][::1])], **OPTIONS)(kernel)
    made.disable_compile()
    return made


__getattr__ = on_first_use(globals(), _make)
