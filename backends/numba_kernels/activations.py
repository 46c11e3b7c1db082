"""Scalar bodies of the element-wise operations: activations, and derivatives in one step each.

Each is written once, in a ``_make_*`` function, for the constants of one float type, and compiled by
:func:`function`. A derivative ``*_vjp`` takes the cotangent ``g`` first and computes what the rule of its operation
says. Like the functions of :mod:`.scalar` that they are made of, all vectorise: no branch, no call.
"""

import math

import numpy as np
from numba.core.dispatcher import Dispatcher

from . import scalar
from .bits import copysign, fma, horner
from .coefficients import GELU_SLOPE, GELU_SLOPE_END, NORMAL, NORMAL_END
from .compiled import helper

__all__ = ["MAKERS", "function"]

_inline = helper(forceinline=True, error_model="numpy")


def _twin(name, dtype):
    """The function ``name`` of :mod:`.scalar` for one type."""
    return getattr(scalar, name + ("_f32" if dtype is np.float32 else "_f64"))


def _make_relu(dtype):
    zero = dtype(0)
    return lambda x: zero if x < zero else x  # a NaN stays, and so does -0


def _make_relu_vjp(dtype):
    zero = dtype(0)
    return lambda g, out: zero if out <= zero else g  # the slope at a NaN is 1


def _make_leaky_relu(dtype):
    zero = dtype(0)
    return lambda x, slope: x if x > zero else x * slope


def _make_leaky_relu_vjp(dtype):
    zero = dtype(0)
    return lambda g, x, slope: g if x > zero else g * slope


def _make_sign(dtype):
    zero, one = dtype(0), dtype(1)
    return lambda x: one if x > zero else (-one if x < zero else zero)


def _make_huber(dtype):
    half = dtype(0.5)

    def huber(x, target, delta):
        error = abs(x - target)
        return half * error * error if error <= delta else delta * (error - half * delta)

    return huber


def _make_huber_vjp(dtype):
    def huber_vjp(g, x, target, delta):
        error = x - target
        return g * (delta if error >= delta else (-delta if error <= -delta else error))

    return huber_vjp


def _make_bce(dtype):
    log, log1p, one, least = _twin("log", dtype), _twin("log1p", dtype), dtype(1), dtype(-100)

    def bce(x, target):
        positive, negative = log(x), log1p(-x)
        positive = least if positive < least else positive
        negative = least if negative < least else negative
        return (target - one) * negative - target * positive

    return bce


def _make_bce_vjp(dtype):
    one, least = dtype(1), dtype(1e-12)

    def bce_vjp(g, x, target):
        spread = (one - x) * x
        return g * ((x - target) / (least if spread < least else spread))

    return bce_vjp


def _make_bce_logits(dtype):
    softplus, one = _twin("softplus", dtype), dtype(1)
    return lambda x, target: (one - target) * x + softplus(-x)


def _make_bce_logits_vjp(dtype):
    sigmoid = _twin("sigmoid", dtype)
    return lambda g, x, target: g * (sigmoid(x) - target)


def _make_erf(dtype):
    return _twin("erf", dtype)


def _make_tanh_vjp(dtype):
    one = dtype(1)
    return lambda g, out: g * fma(-out, out, one)


def _make_sigmoid(dtype):
    return _twin("sigmoid", dtype)


def _make_sigmoid_vjp(dtype):
    one = dtype(1)
    return lambda g, out: g * (out * (one - out))


def _make_square_vjp(dtype):
    return lambda g, x: g * (x + x)


def _make_silu(dtype):
    sigmoid = _twin("sigmoid", dtype)
    return lambda x: x * sigmoid(x)


def _make_silu_vjp(dtype):
    sigmoid, one = _twin("sigmoid", dtype), dtype(1)

    def silu_vjp(g, x):
        s = sigmoid(x)
        return g * (s * fma(x, one - s, one))

    return silu_vjp


def _make_softplus(dtype):
    softplus = _twin("softplus", dtype)

    def softplus_of(x, beta, threshold):
        scaled = x * beta
        return x if scaled > threshold else softplus(scaled) / beta

    return softplus_of


def _make_softplus_vjp(dtype):
    sigmoid = _twin("sigmoid", dtype)

    def softplus_vjp(g, x, beta, threshold):
        scaled = x * beta
        return g if scaled > threshold else g * sigmoid(scaled)

    return softplus_vjp


def _make_odd(table, end):
    """An odd function in float32 that is half of the sign beyond ``end``, by one polynomial of the square."""
    scale, half, one, bound = (np.float32(v) for v in (2 / end**2, 0.5, 1, end))
    coefficients = tuple(np.float32(v) for v in table)

    @_inline
    def odd(x):
        y = x * horner(fma(x * x, scale, -one), coefficients)
        return copysign(half, x) if abs(x) > bound else y  # a NaN stays

    return odd


def _make_centred_cdf(dtype):
    """The normal distribution function less a half; in float32 without the exponential that ``erf`` takes."""
    if dtype is np.float32:
        return _make_odd(NORMAL, NORMAL_END)
    erf, half, root_half = _twin("erf", dtype), dtype(0.5), dtype(math.sqrt(0.5))
    return _inline(lambda x: half * erf(x * root_half))


def _make_gelu(dtype):
    centred, half = _make_centred_cdf(dtype), dtype(0.5)
    return lambda x: x * (centred(x) + half)


def _make_gelu_vjp(dtype):
    half, density = dtype(0.5), dtype(1 / math.sqrt(2 * math.pi))
    if dtype is np.float32:
        slope, zero = _make_odd(GELU_SLOPE, GELU_SLOPE_END), dtype(0)
        return lambda g, x: g * fma(x, zero, slope(x) + half)  # nan at infinity, where the formula has inf * 0
    centred, exp = _make_centred_cdf(dtype), _twin("exp", dtype)
    return lambda g, x: g * ((centred(x) + half) + x * (density * exp(-half * x * x)))


def _make_gate(dtype):
    """``(1 + tanh(u)) / 2 = sigmoid(2 u)`` with the ``u`` of the tanh approximation of GELU."""
    sigmoid, one = _twin("sigmoid", dtype), dtype(1)
    twice, cubic = dtype(2 * math.sqrt(2 / math.pi)), dtype(0.044715)
    return _inline(lambda x: sigmoid(twice * x * fma(cubic * x, x, one)))


def _make_gelu_tanh(dtype):
    gate = _make_gate(dtype)
    return lambda x: x * gate(x)


def _make_gelu_tanh_vjp(dtype):
    gate, one = _make_gate(dtype), dtype(1)
    twice, cubic = dtype(2 * math.sqrt(2 / math.pi)), dtype(3 * 0.044715)

    def gelu_tanh_vjp(g, x):
        s = gate(x)
        return g * fma(x * (s * (one - s)), twice * fma(cubic * x, x, one), s)

    return gelu_tanh_vjp


def _make_elu(dtype):
    expm1, zero = _twin("expm1", dtype), dtype(0)

    def elu(x, alpha, inner, scale):
        below = zero if x > zero else x
        return x * scale if x > zero else expm1(below * inner) * alpha

    return elu


def _make_elu_vjp(dtype):
    exp, zero = _twin("exp", dtype), dtype(0)

    def elu_vjp(g, x, alpha, inner, scale):
        below = zero if x > zero else x
        return g * scale if x > zero else g * (exp(below * inner) * (alpha * inner))

    return elu_vjp


def _make_clamp(dtype):
    def clamp(x, low, high):
        above = low if x < low else x  # a NaN stays
        return high if above > high else above

    return clamp


def _make_clamp_vjp(dtype):
    zero = dtype(0)
    return lambda g, x, low, high: g if (x >= low) & (x <= high) else zero


def _make_hardtanh_vjp(dtype):
    zero = dtype(0)
    return lambda g, x, low, high: g if (x > low) & (x < high) else zero


def _make_hardsigmoid(dtype):
    zero, three, six, sixth = (dtype(v) for v in (0, 3, 6, 1 / 6))

    def hardsigmoid(x):
        y = x + three
        y = zero if y < zero else y
        return (six if y > six else y) * sixth

    return hardsigmoid


def _make_hardsigmoid_vjp(dtype):
    zero, three, sixth = dtype(0), dtype(3), dtype(1 / 6)
    return lambda g, x: g * sixth if (x > -three) & (x < three) else zero


def _make_hardswish(dtype):
    zero, three, sixth = dtype(0), dtype(3), dtype(1 / 6)

    def hardswish(x):
        inside = x * ((x + three) * sixth)
        return zero if x <= -three else (inside if x < three else x)

    return hardswish


def _make_hardswish_vjp(dtype):
    zero, three, third, half = (dtype(v) for v in (0, 3, 1 / 3, 0.5))

    def hardswish_vjp(g, x):
        inside = g * fma(x, third, half)
        return zero if x <= -three else (g if x >= three else inside)

    return hardswish_vjp


def _make_mish(dtype):
    exp, two, far = _twin("exp", dtype), dtype(2), dtype(20)

    def mish(x):
        e = exp(far if x > far else x)  # beyond, tanh(log(1 + exp(x))) is 1
        n = e * (e + two)
        return x * (n / (n + two))

    return mish


def _make_mish_vjp(dtype):
    exp, one, two, four, far = _twin("exp", dtype), dtype(1), dtype(2), dtype(4), dtype(20)

    def mish_vjp(g, x):
        e = exp(far if x > far else x)
        n = e * (e + two)
        d = n + two
        bend = four * e * (one + e) / (d * d)  # sigmoid(x) (1 - tanh**2)
        return g * (n / d + (x * bend if x < far else bend))

    return mish_vjp


def _make_logsigmoid(dtype):
    softplus = _twin("softplus", dtype)
    return lambda x: -softplus(-x)


def _make_logsigmoid_vjp(dtype):
    sigmoid = _twin("sigmoid", dtype)
    return lambda g, x: g * sigmoid(-x)


def _make_threshold(dtype):
    return lambda x, bound, value: value if x <= bound else x


def _make_threshold_vjp(dtype):
    zero = dtype(0)
    return lambda g, x, bound: zero if x <= bound else g


def _make_hardshrink(dtype):
    zero = dtype(0)
    return lambda x, bound: zero if (x >= -bound) & (x <= bound) else x


def _make_hardshrink_vjp(dtype):
    zero = dtype(0)
    return lambda g, x, bound: g if (x < -bound) | (x > bound) else zero


def _make_softshrink(dtype):
    zero = dtype(0)
    return lambda x, bound: x - bound if x > bound else (x + bound if x < -bound else x * zero)


def _make_elementary(name):
    return lambda dtype: _twin(name, dtype)


MAKERS = {
    **{name: _make_elementary(name) for name in ("exp", "expm1", "log", "log1p", "tanh")},
    "clamp": _make_clamp,
    "clamp_vjp": _make_clamp_vjp,
    "elu": _make_elu,
    "elu_vjp": _make_elu_vjp,
    "hardshrink": _make_hardshrink,
    "hardshrink_vjp": _make_hardshrink_vjp,
    "hardsigmoid": _make_hardsigmoid,
    "hardsigmoid_vjp": _make_hardsigmoid_vjp,
    "hardswish": _make_hardswish,
    "hardswish_vjp": _make_hardswish_vjp,
    "hardtanh_vjp": _make_hardtanh_vjp,
    "logsigmoid": _make_logsigmoid,
    "logsigmoid_vjp": _make_logsigmoid_vjp,
    "mish": _make_mish,
    "mish_vjp": _make_mish_vjp,
    "softshrink": _make_softshrink,
    "threshold": _make_threshold,
    "threshold_vjp": _make_threshold_vjp,
    "bce": _make_bce,
    "bce_logits": _make_bce_logits,
    "bce_logits_vjp": _make_bce_logits_vjp,
    "bce_vjp": _make_bce_vjp,
    "erf": _make_erf,
    "gelu": _make_gelu,
    "gelu_tanh": _make_gelu_tanh,
    "gelu_tanh_vjp": _make_gelu_tanh_vjp,
    "gelu_vjp": _make_gelu_vjp,
    "huber": _make_huber,
    "huber_vjp": _make_huber_vjp,
    "leaky_relu": _make_leaky_relu,
    "leaky_relu_vjp": _make_leaky_relu_vjp,
    "relu": _make_relu,
    "relu_vjp": _make_relu_vjp,
    "sigmoid": _make_sigmoid,
    "sigmoid_vjp": _make_sigmoid_vjp,
    "sign": _make_sign,
    "silu": _make_silu,
    "silu_vjp": _make_silu_vjp,
    "softplus": _make_softplus,
    "softplus_vjp": _make_softplus_vjp,
    "square_vjp": _make_square_vjp,
    "tanh_vjp": _make_tanh_vjp,
}


def function(name, dtype):
    """The compiled scalar function ``name`` for ``np.float32`` or ``np.float64``; a ``KeyError`` for no such name."""
    made = MAKERS[name](dtype)
    return made if isinstance(made, Dispatcher) else _inline(made)  # those of `scalar` are compiled already
