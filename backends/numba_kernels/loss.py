"""Fused losses. Sums run in float64, whatever the type of the data.

``arrays`` is the address of a list, see ``objects``; ``like`` is any array of their type.
"""

import numpy as np

from .compiled import helper, kernel
from .linear import OPTIONS
from .objects import address, alike, elements, item, usable
from .order import largest
from .pointers import wide_vectors
from .scalar import exp, log

__all__ = ["mse", "mse_back", "nll", "nll_back", "within_unit", "xent", "xent_back"]


@kernel(**OPTIONS)
def mse(arrays, like):
    """The mean of ``(x - y)**2`` to a third array; whether the kernel could use the arrays of the list."""
    count = alike(arrays, 2, like)
    if count <= 0:
        return False
    a, b = elements(item(arrays, 0), 0, count, like), elements(item(arrays, 1), 0, count, like)
    total = 0.0
    for i in range(count):
        d = np.float64(a[i] - b[i])
        total += d * d
    elements(item(arrays, 2), 0, 1, like)[0] = total / count
    return True


@kernel(**OPTIONS)
def mse_back(arrays, like):
    """The cotangent of the first of two arrays to a third one, from that of the mean, the fourth; likewise."""
    count = alike(arrays, 3, like)
    if count <= 0 or not usable(item(arrays, 3), address(like)):
        return False
    a, b = elements(item(arrays, 0), 0, count, like), elements(item(arrays, 1), 0, count, like)
    slope = elements(item(arrays, 2), 0, count, like)
    factor = like.dtype.type(np.float64(elements(item(arrays, 3), 0, 1, like)[0]) * 2.0 / count)
    for i in range(count):
        slope[i] = (a[i] - b[i]) * factor
    return True


@kernel(**OPTIONS)
def within_unit(x):
    """Whether all elements lie within 0 and 1."""
    a = x.reshape(x.size)
    inside = 0
    for i in range(a.size):
        inside += (a[i] >= 0) & (a[i] <= 1)
    return inside == a.size


@kernel(**OPTIONS)
def nll(x, target, weight, ignore):
    """Minus the log-probabilities (rows, classes) of the targets, weighted by class; an empty weight counts all alike.

    Returns:
        Their sum, the sum of the weights, and the first row whose target is out of range, or -1.
    """
    rows, classes = x.shape
    total, mass = 0.0, 0.0
    for i in range(rows):
        t = target[i]
        if t != ignore:
            if t < 0 or t >= classes:
                return total, mass, i
            share = np.float64(weight[t]) if weight.size else 1.0
            total -= share * x[i, t]
            mass += share
    return total, mass, -1


@kernel(**OPTIONS)
def nll_back(target, weight, ignore, scale, slope):
    """``slope = -scale * weight`` at the targets, and 0 elsewhere."""
    factor, zero = slope.dtype.type(-scale), slope.dtype.type(0)
    rows, classes = slope.shape
    for i in range(rows):
        for j in range(classes):
            slope[i, j] = zero
        t = target[i]
        if t != ignore:
            slope[i, t] = factor * weight[t] if weight.size else factor


_TOGETHER = 1024  # exponentials at a time: those of a row of ten numbers fill no vectors


@helper(**OPTIONS, forceinline=True)
def _exponentials(matrix, first, stop):
    wide_vectors()
    values = matrix.reshape(matrix.size)[first:stop]
    for k in range(values.size):
        values[k] = exp(values[k])


@kernel(**OPTIONS)
def xent(x, target, ignore, weights):
    """Cross-entropy of logits (rows, classes), and their softmax into ``weights``.

    Returns:
        The sum of the losses, the number of rows that count, and the first row whose target is out of range, or -1.
    """
    rows, classes = x.shape
    total, count = 0.0, 0
    step = max(_TOGETHER // classes, 1)
    for first in range(0, rows, step):
        last = min(first + step, rows)
        for i in range(first, last):
            t = target[i]
            counts = t != ignore
            if counts and (t < 0 or t >= classes):
                return total, count, i
            top = largest(x[i])  # a NaN makes the sum of the exponentials NaN, and so the row
            for j in range(classes):
                weights[i, j] = x[i, j] - top
            # From memory: the compiler may reorder sums, and log(mass) + top would lose a large logit's digits.
            if counts:
                total -= np.float64(weights[i, t])
        _exponentials(weights, first * classes, last * classes)
        for i in range(first, last):
            mass = x.dtype.type(0)
            for j in range(classes):
                mass += weights[i, j]
            share = x.dtype.type(1) / mass
            for j in range(classes):
                weights[i, j] *= share
            if target[i] != ignore:
                total += np.float64(log(mass))
                count += 1
    return total, count, -1


@kernel(**OPTIONS)
def xent_back(weights, target, ignore, scale, slope):
    """``slope = (softmax - onehot(target)) * scale``, and 0 in rows that do not count."""
    rows, classes = weights.shape
    factor, zero = weights.dtype.type(scale), weights.dtype.type(0)
    for i in range(rows):
        f = zero if target[i] == ignore else factor
        for j in range(classes):
            slope[i, j] = weights[i, j] * f
        if target[i] != ignore:
            slope[i, target[i]] -= f
