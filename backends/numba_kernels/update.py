"""Optimizer updates: one pass over all parameters, their gradients and their states.

Parameters, gradients and states are lists of arrays, given by their addresses, see ``objects``. A call works on the
elements ``start:stop`` of all parameters seen as one vector; with ``start`` -1 on all of them, unless they are
``SHARED`` or more. It returns how many there are, or -1 where an array does not fit: then nothing was done. ``like`` is
any array of the parameters' type. The formulas are those of ``backends/array/update.py``, with options that hold for a
whole call worked out before the loop.
"""

import numpy as np
from numba import njit

from .linear import OPTIONS
from .objects import elements, fitting, item, length, overlap

__all__ = ["SHARED", "adam", "amsgrad", "rmsprop", "scale", "sgd", "sgd_momentum", "squares"]

# Every operation rounds by itself, or a last bit would depend on where a thread's share begins.
EXACT = {"cache": True, "nogil": True, "error_model": "numpy"}
SHARED = 1 << 18  # from so many elements on threads share an update


@njit(**EXACT)
def sgd(params, grads, like, start, stop, lr, decay, sign):
    """``param -= lr * (sign * grad + decay * param)``."""
    total = fitting(params, (grads,), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    rate, penalty, way = one(lr), one(decay), one(sign)
    if start < 0:
        start, stop = 0, total
    begin = 0
    for k in range(length(params)):
        i, j, begin = overlap(begin, item(params, k), start, stop)
        p, g = elements(item(params, k), i, j, like), elements(item(grads, k), i, j, like)
        for n in range(p.size):
            p[n] -= (g[n] * way + p[n] * penalty) * rate
    return total


@njit(**EXACT)
def sgd_momentum(params, grads, moments, like, start, stop, lr, momentum, dampening, decay, nesterov, sign):
    """Gradient descent with momentum."""
    total = fitting(params, (grads, moments), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    rate, keep, take, penalty, way = one(lr), one(momentum), one(1 - dampening), one(decay), one(sign)
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


@njit(**EXACT)
def adam(params, grads, firsts, seconds, like, start, stop, shrink, penalty, rate, root, new1, keep2, new2, small, way):
    """Adam; ``shrink``: what is left of a parameter, ``root``: the correction of the root, ``way``: the sign."""
    total = fitting(params, (grads, firsts, seconds), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    shrink_, penalty_, rate_, root_ = one(shrink), one(penalty), one(rate), one(root)
    new1_, keep2_, new2_, small_, way_ = one(new1), one(keep2), one(new2), one(small), one(way)
    if start < 0:
        start, stop = 0, total
    begin = 0
    for k in range(length(params)):
        i, j, begin = overlap(begin, item(params, k), start, stop)
        p, g = elements(item(params, k), i, j, like), elements(item(grads, k), i, j, like)
        m, v = elements(item(firsts, k), i, j, like), elements(item(seconds, k), i, j, like)
        for n in range(p.size):
            x = p[n] * shrink_
            slope = g[n] * way_ + x * penalty_
            a = m[n] + (slope - m[n]) * new1_
            b = v[n] * keep2_ + slope * slope * new2_
            m[n], v[n] = a, b
            p[n] = x - a / (np.sqrt(b) * root_ + small_) * rate_
    return total


@njit(**EXACT)
def amsgrad(
    params, grads, firsts, seconds, peaks, like, start, stop, shrink, penalty, rate, root, new1, keep2, new2, small, way
):
    """As ``adam``, dividing by the largest mean square so far."""
    total = fitting(params, (grads, firsts, seconds, peaks), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    shrink_, penalty_, rate_, root_ = one(shrink), one(penalty), one(rate), one(root)
    new1_, keep2_, new2_, small_, way_ = one(new1), one(keep2), one(new2), one(small), one(way)
    if start < 0:
        start, stop = 0, total
    begin = 0
    for k in range(length(params)):
        i, j, begin = overlap(begin, item(params, k), start, stop)
        p, g = elements(item(params, k), i, j, like), elements(item(grads, k), i, j, like)
        m, v = elements(item(firsts, k), i, j, like), elements(item(seconds, k), i, j, like)
        top = elements(item(peaks, k), i, j, like)
        for n in range(p.size):
            x = p[n] * shrink_
            slope = g[n] * way_ + x * penalty_
            a = m[n] + (slope - m[n]) * new1_
            b = v[n] * keep2_ + slope * slope * new2_
            c = top[n] if top[n] >= b else b  # b too where it is nan
            m[n], v[n], top[n] = a, b, c
            p[n] = x - a / (np.sqrt(c) * root_ + small_) * rate_
    return total


@njit(**EXACT)
def rmsprop(
    params, grads, squares, moments, means, like, start, stop, decay, lr, alpha, eps, momentum, sign, moving, centred
):
    """RMSprop; the rows of moments and means are looked at where ``moving`` and ``centred`` say so."""
    total = fitting(params, (grads, squares, moments, means), like)
    if total < 0 or (start < 0 and total >= SHARED):
        return total
    one = like.dtype.type
    penalty, rate, keep, new = one(decay), one(lr), one(alpha), one(1 - alpha)
    small, inertia, way = one(eps), one(momentum), one(sign)
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


@njit(**OPTIONS)
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


@njit(**OPTIONS)
def scale(arrays, like, factor):
    """``x *= factor`` for all arrays."""
    by = like.dtype.type(factor)
    for k in range(length(arrays)):
        a = elements(item(arrays, k), 0, overlap(0, item(arrays, k), 0, 0)[2], like)
        for n in range(a.size):
            a[n] *= by
