"""Optimizer updates: one pass over a parameter, its gradient and its state.

All arrays of a call have one shape and are contiguous. The formulas are those of ``backends/array/update.py``, with
options that hold for a whole call worked out before the loop.
"""

import numpy as np
from numba import njit

from .linear import OPTIONS

__all__ = ["adam", "amsgrad", "rmsprop", "scale", "sgd", "sgd_momentum", "squares"]


@njit(**OPTIONS)
def sgd(param, grad, lr, decay, sign):
    """``param -= lr * (sign * grad + decay * param)``."""
    p, g = param.reshape(param.size), grad.reshape(grad.size)
    one = p.dtype.type
    rate, penalty, way = one(lr), one(decay), one(sign)
    for i in range(p.size):
        p[i] -= (g[i] * way + p[i] * penalty) * rate


@njit(**OPTIONS)
def sgd_momentum(param, grad, moment, lr, momentum, dampening, decay, nesterov, sign):
    """Gradient descent with momentum."""
    p, g, m = param.reshape(param.size), grad.reshape(grad.size), moment.reshape(moment.size)
    one = p.dtype.type
    rate, keep, take, penalty, way = one(lr), one(momentum), one(1 - dampening), one(decay), one(sign)
    ahead = keep if nesterov else one(0)
    for i in range(p.size):
        slope = g[i] * way + p[i] * penalty
        m[i] = m[i] * keep + slope * take
        p[i] -= (slope + m[i] * ahead if nesterov else m[i]) * rate


@njit(**OPTIONS)
def adam(param, grad, first, second, numbers):
    """Adam; ``numbers``: shrink, penalty, rate, root, 1 - beta1, beta2, 1 - beta2, eps and the gradient's sign."""
    p, g = param.reshape(param.size), grad.reshape(grad.size)
    m, v = first.reshape(first.size), second.reshape(second.size)
    shrink, penalty, rate, root = numbers[0], numbers[1], numbers[2], numbers[3]
    new1, keep2, new2, small, way = numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]
    for i in range(p.size):
        x = p[i] * shrink
        slope = g[i] * way + x * penalty
        a = m[i] + (slope - m[i]) * new1
        b = v[i] * keep2 + slope * slope * new2
        m[i], v[i] = a, b
        p[i] = x - a / (np.sqrt(b) * root + small) * rate


@njit(**OPTIONS)
def amsgrad(param, grad, first, second, peak, numbers):
    """As ``adam``, dividing by the largest mean square so far."""
    p, g, top = param.reshape(param.size), grad.reshape(grad.size), peak.reshape(peak.size)
    m, v = first.reshape(first.size), second.reshape(second.size)
    shrink, penalty, rate, root = numbers[0], numbers[1], numbers[2], numbers[3]
    new1, keep2, new2, small, way = numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]
    for i in range(p.size):
        x = p[i] * shrink
        slope = g[i] * way + x * penalty
        a = m[i] + (slope - m[i]) * new1
        b = v[i] * keep2 + slope * slope * new2
        c = top[i] if top[i] >= b else b  # b too where it is nan
        m[i], v[i], top[i] = a, b, c
        p[i] = x - a / (np.sqrt(c) * root + small) * rate


@njit(**OPTIONS)
def rmsprop(param, grad, square, moment, mean, numbers):
    """RMSprop; ``numbers``: penalty, rate, alpha, 1 - alpha, eps, momentum and the gradient's sign.

    ``moment`` and ``mean`` are empty where there is no momentum and where the variance is not centred.
    """
    p, g, s = param.reshape(param.size), grad.reshape(grad.size), square.reshape(square.size)
    v, m = moment.reshape(moment.size), mean.reshape(mean.size)
    penalty, rate, keep, new = numbers[0], numbers[1], numbers[2], numbers[3]
    small, momentum, way = numbers[4], numbers[5], numbers[6]
    moving, centred = v.size > 0, m.size > 0
    for i in range(p.size):
        slope = g[i] * way + p[i] * penalty
        b = s[i] * keep + slope * slope * new
        s[i] = b
        if centred:
            a = m[i] + (slope - m[i]) * new
            m[i] = a
            b -= a * a
        step = slope / (np.sqrt(b) + small)
        if moving:
            step += v[i] * momentum
            v[i] = step
        p[i] -= step * rate


@njit(**OPTIONS)
def squares(x):
    """The sum of squares, in float64."""
    a = x.reshape(x.size)
    total = 0.0
    for i in range(a.size):
        total += np.float64(a[i]) * np.float64(a[i])
    return total


@njit(**OPTIONS)
def scale(x, factor):
    """``x *= factor``."""
    a = x.reshape(x.size)
    by = a.dtype.type(factor)
    for i in range(a.size):
        a[i] *= by
