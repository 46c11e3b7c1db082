"""Optimizer updates: one pass over all parameters, their gradients and their states.

``rows`` is the address of a list of lists of arrays, the parameters, their gradients and their states; ``numbers`` is
that of a list of floats, see ``objects``. A call works on the elements ``start:stop`` of all parameters seen as one
vector; with ``start`` -1 on all of them, unless they are ``SHARED`` or more. It returns how many there are, or -1 where
an array does not fit: then nothing was done. ``like`` is any array of the parameters' type. The formulas are those of
``backends/array/update.py``, with options that hold for a whole call worked out before the loop.
"""

import numpy as np

from .compiled import kernel
from .linear import OPTIONS
from .objects import elements, fitting, item, length, number, overlap

__all__ = ["SHARED", "adam", "amsgrad", "rmsprop", "scale", "sgd", "sgd_momentum", "squares"]

SHARED = 1 << 18  # from so many elements on threads share an update

# Every operation rounds by itself, or a last bit would depend on where a thread's share begins.


@kernel()
def sgd(rows, numbers, like, start, stop):
    """``param -= lr * (sign * grad + decay * param)``."""
    params, grads = item(rows, 0), item(rows, 1)
    total = fitting(params, (grads,), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    rate, penalty, way = one(number(numbers, 0)), one(number(numbers, 1)), one(number(numbers, 2))
    if start < 0:
        start, stop = 0, total
    begin = 0
    for k in range(length(params)):
        i, j, begin = overlap(begin, item(params, k), start, stop)
        p, g = elements(item(params, k), i, j, like), elements(item(grads, k), i, j, like)
        for n in range(p.size):
            p[n] -= (g[n] * way + p[n] * penalty) * rate
    return total


@kernel()
def sgd_momentum(rows, numbers, like, start, stop):
    """Gradient descent with momentum."""
    params, grads, moments = item(rows, 0), item(rows, 1), item(rows, 2)
    total = fitting(params, (grads, moments), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    rate, keep, take = one(number(numbers, 0)), one(number(numbers, 1)), one(1 - number(numbers, 2))
    penalty, nesterov, way = one(number(numbers, 3)), number(numbers, 4) != 0, one(number(numbers, 5))
    ahead = keep if nesterov else one(0)
    if start < 0:
        start, stop = 0, total
    begin = 0
    for k in range(length(params)):
        i, j, begin = overlap(begin, item(params, k), start, stop)
        p, g = elements(item(params, k), i, j, like), elements(item(grads, k), i, j, like)
        m = elements(item(moments, k), i, j, like)
        for n in range(p.size):
            slope = g[n] * way + p[n] * penalty
            m[n] = m[n] * keep + slope * take
            p[n] -= (slope + m[n] * ahead if nesterov else m[n]) * rate
    return total


@kernel()
def adam(rows, numbers, like, start, stop):
    """Adam; ``shrink``: what is left of a parameter, ``root``: the correction of the root, ``way``: the sign."""
    params, grads, firsts, seconds = item(rows, 0), item(rows, 1), item(rows, 2), item(rows, 3)
    total = fitting(params, (grads, firsts, seconds), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    shrink, penalty, rate = one(number(numbers, 0)), one(number(numbers, 1)), one(number(numbers, 2))
    root, new1, keep2 = one(number(numbers, 3)), one(number(numbers, 4)), one(number(numbers, 5))
    new2, small, way = one(number(numbers, 6)), one(number(numbers, 7)), one(number(numbers, 8))
    if start < 0:
        start, stop = 0, total
    begin = 0
    for k in range(length(params)):
        i, j, begin = overlap(begin, item(params, k), start, stop)
        p, g = elements(item(params, k), i, j, like), elements(item(grads, k), i, j, like)
        m, v = elements(item(firsts, k), i, j, like), elements(item(seconds, k), i, j, like)
        for n in range(p.size):
            x = p[n] * shrink
            slope = g[n] * way + x * penalty
            a = m[n] + (slope - m[n]) * new1
            b = v[n] * keep2 + slope * slope * new2
            m[n], v[n] = a, b
            p[n] = x - a / (np.sqrt(b) * root + small) * rate
    return total


@kernel()
def amsgrad(rows, numbers, like, start, stop):
    """As ``adam``, dividing by the largest mean square so far."""
    params, grads, firsts, seconds, peaks = item(rows, 0), item(rows, 1), item(rows, 2), item(rows, 3), item(rows, 4)
    total = fitting(params, (grads, firsts, seconds, peaks), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    shrink, penalty, rate = one(number(numbers, 0)), one(number(numbers, 1)), one(number(numbers, 2))
    root, new1, keep2 = one(number(numbers, 3)), one(number(numbers, 4)), one(number(numbers, 5))
    new2, small, way = one(number(numbers, 6)), one(number(numbers, 7)), one(number(numbers, 8))
    if start < 0:
        start, stop = 0, total
    begin = 0
    for k in range(length(params)):
        i, j, begin = overlap(begin, item(params, k), start, stop)
        p, g = elements(item(params, k), i, j, like), elements(item(grads, k), i, j, like)
        m, v = elements(item(firsts, k), i, j, like), elements(item(seconds, k), i, j, like)
        top = elements(item(peaks, k), i, j, like)
        for n in range(p.size):
            x = p[n] * shrink
            slope = g[n] * way + x * penalty
            a = m[n] + (slope - m[n]) * new1
            b = v[n] * keep2 + slope * slope * new2
            c = top[n] if top[n] >= b else b  # b too where it is nan
            m[n], v[n], top[n] = a, b, c
            p[n] = x - a / (np.sqrt(c) * root + small) * rate
    return total


@kernel()
def rmsprop(rows, numbers, like, start, stop):
    """RMSprop; the rows of moments and means are looked at where ``moving`` and ``centred`` say so."""
    params, grads, squares, moments, means = item(rows, 0), item(rows, 1), item(rows, 2), item(rows, 3), item(rows, 4)
    total = fitting(params, (grads, squares, moments, means), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    penalty, rate, keep = one(number(numbers, 0)), one(number(numbers, 1)), one(number(numbers, 2))
    new, small, inertia = one(1 - number(numbers, 2)), one(number(numbers, 3)), one(number(numbers, 4))
    way, moving, centred = one(number(numbers, 5)), number(numbers, 6) != 0, number(numbers, 7) != 0
    if start < 0:
        start, stop = 0, total
    begin = 0
    for k in range(length(params)):
        i, j, begin = overlap(begin, item(params, k), start, stop)
        p, g = elements(item(params, k), i, j, like), elements(item(grads, k), i, j, like)
        s, v = elements(item(squares, k), i, j, like), elements(item(moments, k), i, j, like)
        m = elements(item(means, k), i, j, like)
        for n in range(p.size):
            slope = g[n] * way + p[n] * penalty
            b = s[n] * keep + slope * slope * new
            s[n] = b
            if centred:
                a = m[n] + (slope - m[n]) * new
                m[n] = a
                b -= a * a
            step = slope / (np.sqrt(b) + small)
            if moving:
                step += v[n] * inertia
                v[n] = step
            p[n] -= step * rate
    return total


@kernel(**OPTIONS)
def squares(arrays, like):
    """The sum of the squares of all elements in float64, or -1 where an array does not fit."""
    if fitting(arrays, (arrays,), like) < 0:
        return -1.0
    total = 0.0
    for k in range(length(arrays)):
        a, part = elements(item(arrays, k), 0, overlap(0, item(arrays, k), 0, 0)[2], like), 0.0
        for n in range(a.size):
            part += np.float64(a[n]) * np.float64(a[n])
        total += part
    return total


@kernel(**OPTIONS)
def scale(arrays, like, factor):
    """``x *= factor`` for all arrays."""
    by = like.dtype.type(factor)
    for k in range(length(arrays)):
        a = elements(item(arrays, k), 0, overlap(0, item(arrays, k), 0, 0)[2], like)
        for n in range(a.size):
            a[n] *= by
