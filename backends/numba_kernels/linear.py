"""What surrounds a matrix product in a linear layer: bias, activation, and their way back, in one pass each.

The product itself is the BLAS library's. ``out`` is what it gave: a contiguous matrix (rows, features).
"""

from typing import Any

import numpy as np

from .cache import instance
from .compiled import helper, kernel
from .pointers import wide_vectors
from .scalar import sigmoid, tanh

__all__ = ["ACTIVATE", "BACK", "column_sums"]

# Sums may be taken in any order, so that they run in vector registers; nan and inf keep their meaning.
OPTIONS = {"fastmath": {"reassoc", "contract", "nsz"}}


_TOGETHER = 256  # rows that are added before their sums are, so that long sums keep their digits


@kernel(**OPTIONS)
def column_sums(g, sums):
    """``sums = g.sum(0)``."""
    rows, columns = g.shape
    part = np.empty(columns, g.dtype)
    sums[:] = 0
    for first in range(0, rows, _TOGETHER):
        part[:] = 0
        for i in range(first, rows if rows - first < _TOGETHER else first + _TOGETHER):
            for j in range(columns):
                part[j] += g[i, j]
        for j in range(columns):
            sums[j] += part[j]


# Constants of the templates below: an activation of a number, and the cotangent before it from that after it and the
# activation's result.
CURVE: Any = None
SLOPE: Any = None


def _forward(out, bias):
    wide_vectors()
    rows, columns = out.shape
    for i in range(rows):
        for j in range(columns):
            out[i, j] = CURVE(out[i, j] + bias[j])


def _back(g, out, before, sums):
    rows, columns = g.shape
    line, part = np.empty(columns, g.dtype), np.empty(columns, g.dtype)
    sums[:] = 0
    for first in range(0, rows, _TOGETHER):
        part[:] = 0
        for i in range(first, rows if rows - first < _TOGETHER else first + _TOGETHER):
            for j in range(columns):
                line[j] = SLOPE(g[i, j], out[i, j])
            for j in range(columns):  # `before` may be `g`: a row between the two keeps the loops vector code
                before[i, j] = line[j]
                part[j] += line[j]
        for j in range(columns):
            sums[j] += part[j]


def _make(template, name, **formula):
    inlined = {key: helper(forceinline=True)(function) for key, function in formula.items()}
    return kernel(**OPTIONS)(instance(template, name, **inlined))


# (out, bias): ``out = act(out + bias)``. A nan stays; relu is not z * 0, which is nan for -inf.
identity = _make(_forward, "identity", CURVE=lambda z: z)
relu = _make(_forward, "relu", CURVE=lambda z: type(z)(0) if z < 0 else z)
hyperbolic = _make(_forward, "hyperbolic", CURVE=lambda z: tanh(z))
logistic = _make(_forward, "logistic", CURVE=lambda z: sigmoid(z))

# (g, out, before, sums): the cotangent ``before`` the activation, and its column sums, the bias's cotangent.
relu_back = _make(_back, "relu_back", SLOPE=lambda g, y: type(y)(0) if y <= 0 else g)
hyperbolic_back = _make(_back, "hyperbolic_back", SLOPE=lambda g, y: g * (type(y)(1) - y * y))
logistic_back = _make(_back, "logistic_back", SLOPE=lambda g, y: g * (y * (type(y)(1) - y)))

ACTIVATE = {None: identity, "relu": relu, "tanh": hyperbolic, "sigmoid": logistic}
BACK = {"relu": relu_back, "tanh": hyperbolic_back, "sigmoid": logistic_back}
