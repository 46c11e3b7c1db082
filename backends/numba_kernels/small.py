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
from .compiled import helper, kernel, linked
from .linear import ACTIVATE, BACK, OPTIONS, column_sums
from .objects import address, data, dimensions, elements, item, matrix, side, size, usable
from .pointers import wide_vectors
from .tiles import VECTOR, product_tile, transpose_tile

__all__ = ["NAMES"]

_ROWS = 6  # of a tile, of up to two vectors: with AVX2 as many sums as there are registers beside them and a factor
_FEW = 4  # columns for which the weights are not put in order

# Constants of the templates below: types, and functions that the kernels of a type share.
ACT: Any = None
KIND: Any = None
SIZE: Any = None
MULTIPLY: Any = None
APPLY: Any = None
FIT: Any = None
APPLY_BACK: Any = None


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
    return rows


@helper(**OPTIONS)
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
def _rows(x, w, model):
    """How many rows of features an input has, or -1 where it is none or ``w`` is not the weight of a layer."""
    if not usable(x, model) or not usable(w, model) or dimensions(w) != 2 or dimensions(x) < 2:
        return -1
    inner = side(w, 1)
    return size(x) // inner if inner == side(x, dimensions(x) - 1) and inner > 0 else -1


def _apply(arrays, model):
    """The product of a layer to its output; returns the number of rows, or -1 where it cannot use the arrays."""
    x, w, b, out = item(arrays, 0), item(arrays, 1), item(arrays, 2), item(arrays, 3)
    rows = _rows(x, w, model)
    if rows < 0 or not usable(b, model) or dimensions(b) != 1 or size(b) != side(w, 0):
        return -1
    features, inner = side(w, 0), side(w, 1)
    weight = matrix(w, features, inner, KIND)
    if rows < _ROWS or features < _FEW:
        _dots(matrix(x, rows, inner, KIND), weight, matrix(out, rows, features, KIND))
        return rows
    ordered = _transposed(weight)
    MULTIPLY(data(x), inner, 1, ordered.ctypes.data, data(out), rows, inner, features)
    return rows if ordered.size > 0 else 0  # after the product: an array lives to where it is mentioned last


def _fit(arrays, model):
    """The number of rows of a layer on its way back, or -1 where it cannot use the arrays."""
    g, x, w, out = item(arrays, 0), item(arrays, 1), item(arrays, 2), item(arrays, 3)
    rows = _rows(x, w, model)
    if rows < 0 or not usable(g, model) or not usable(out, model):
        return -1
    return rows if size(g) == size(out) == rows * side(w, 0) else -1


def _apply_back(arrays, before, rows):
    """The cotangents of input and weight from that ``before`` the activation."""
    x, w, gx, gw = item(arrays, 1), item(arrays, 2), item(arrays, 4), item(arrays, 5)
    features, inner = side(w, 0), side(w, 1)
    if size(gx) > 0:
        MULTIPLY(before, features, 1, data(w), data(gx), rows, features, inner)
    if size(gw) > 0:
        MULTIPLY(before, 1, features, data(x), data(gw), features, rows, inner)
    return rows


def _forward(arrays, like):
    rows = APPLY(arrays, address(like))
    if rows < 0:
        return False
    features = side(item(arrays, 1), 0)
    ACT(matrix(item(arrays, 3), rows, features, like), elements(item(arrays, 2), 0, features, like))
    return True


def _back(arrays, like):
    rows = FIT(arrays, address(like))
    if rows < 0:
        return False
    features, sums = side(item(arrays, 2), 0), item(arrays, 6)
    g = matrix(item(arrays, 0), rows, features, like)
    if ACT is None:
        if size(sums) > 0:
            column_sums(g, elements(sums, 0, features, like))
        APPLY_BACK(arrays, data(item(arrays, 0)), rows)
        return True
    before = np.empty((rows, features), like.dtype)
    ACT(g, matrix(item(arrays, 3), rows, features, like), before, elements(sums, 0, features, like))
    APPLY_BACK(arrays, before.ctypes.data, rows)
    return before.size >= 0  # after the products, likewise


_TYPES = {"float32": float32, "float64": float64}
NAMES = tuple(f"{way}_{act or 'plain'}_{kind}" for way in ("forward", "back") for act in ACTIVATE for kind in _TYPES)


@functools.cache
def _shared(template, kind):
    """A function for a type that its kernels call rather than take a copy of it in."""
    name, words, called = f"{template.__name__[1:]}_{kind}", template.__code__.co_argcount, {}
    if template in (_apply, _apply_back):
        called["MULTIPLY"] = _shared(_multiply, kind)
    code = instance(template, name, KIND=np.dtype(kind).type, SIZE=np.dtype(kind).itemsize, **called)
    made = cfunc(types.intp(*[types.intp] * words), cache=True, error_model="numpy")(code)
    return linked(f"tapegrad_{name}", made)


_PARTS: dict[str, dict[str, Any]] = {"forward": {"APPLY": _apply}, "back": {"FIT": _fit, "APPLY_BACK": _apply_back}}


def _make(name):
    if name not in NAMES:
        raise KeyError(name)
    way, act, kind = name.split("_")
    act = None if act == "plain" else act
    template, function = {"forward": (_forward, ACTIVATE), "back": (_back, {None: None} | BACK)}[way]
    parts = {key: _shared(part, kind) for key, part in _PARTS[way].items()}
    code = instance(template, name, ACT=function[act], **parts)
    made = kernel([types.boolean(types.intp, _TYPES[kind][::1])], **OPTIONS)(code)
    made.disable_compile()
    return made


__getattr__ = on_first_use(globals(), _make)
