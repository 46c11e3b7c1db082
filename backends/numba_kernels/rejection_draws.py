"""Draws by rejection, compiled: the formulas of ``rejections``, one number after another.

``state`` and ``kept`` are as in ``draws``; the parameters and ``out`` are float64 and of the same size.
"""

from math import cos, log1p, pi, sin, sqrt

from numba import float64, uint32, void
from numba.extending import overload

from . import rejections
from .cache import on_first_use, typed
from .compiled import HELPER, helper
from .mersenne import uniform

__all__ = ["NAMES"]

# A call would count the references to the arrays that it hands over.
INLINED = {"forceinline": True, "error_model": "numpy"}


@overload(rejections.uniform, jit_options=HELPER | INLINED)
def _uniform(source):
    return lambda source: uniform(source[0])


@overload(rejections.normal, jit_options=HELPER | INLINED)
def _normal(source):
    def normal(source):
        kept = source[1]
        if kept[1]:
            kept[1] = 0.0
            return kept[0]
        angle = 2.0 * pi * uniform(source[0])
        radius = sqrt(-2.0 * log1p(-uniform(source[0])))
        kept[0], kept[1] = radius * sin(angle), 1.0
        return radius * cos(angle)

    return normal


_inlined = helper(**INLINED)
_gamma_of = _inlined(rejections.gamma)
_poisson_small, _poisson_large = _inlined(rejections.poisson_of_small_rate), _inlined(rejections.poisson_of_large_rate)
_binomial_small = _inlined(rejections.binomial_of_small_mean)
_binomial_large = _inlined(rejections.binomial_of_large_mean)


def _gamma(state, kept, concentration, out):
    source = state, kept
    for i in range(out.size):
        out[i] = _gamma_of(source, concentration[i])


def _poisson(state, kept, rate, out):
    source = state, kept
    for i in range(out.size):
        if rate[i] >= 10:
            out[i] = _poisson_large(source, rate[i])
        else:
            out[i] = _poisson_small(source, rate[i])


def _binomial(state, kept, count, prob, out):
    source = state, kept
    for i in range(out.size):
        if count[i] <= 0 or prob[i] <= 0:
            out[i] = 0.0
        elif prob[i] >= 1:
            out[i] = count[i]
        else:
            rarer = min(prob[i], 1.0 - prob[i])
            if count[i] * rarer >= 10:
                found = _binomial_large(source, count[i], rarer)
            else:
                found = _binomial_small(source, count[i], rarer)
            out[i] = found if prob[i] <= 0.5 else count[i] - found


_line = float64[::1]
_KERNELS = {
    "gamma": (_gamma, void(uint32[::1], _line, _line, _line)),
    "poisson": (_poisson, void(uint32[::1], _line, _line, _line)),
    "binomial": (_binomial, void(uint32[::1], _line, _line, _line, _line)),
}

NAMES = tuple(_KERNELS)


def _make(name):
    function, signature = _KERNELS[name]
    return typed(function, [signature], nogil=False)


__getattr__ = on_first_use(globals(), _make)
