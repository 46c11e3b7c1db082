"""Elementary functions that LLVM vectorises: no call into a math library, no branch.

``exp``, ``expm1``, ``log``, ``log1p``, ``tanh``, ``sigmoid``, ``softplus`` and ``erf`` take a ``float32`` or
``float64`` scalar and return the same type. Compiled code (``njit``, ``cfunc``, ``vectorize``) inlines them,
and a contiguous loop around them becomes vector code. The twins for one type end in ``_f32`` and ``_f64``.

Accuracy over the whole range, denormals included: 2 ulp in float32 (``tanh`` 2.1 where the processor has no fused
multiply-add), 4 ulp in float64. Zeros keep their sign where the function does, a NaN stays a NaN, infinities
give the limits. An argument may raise a floating-point flag; the ufuncs of :mod:`.ufunc` never look at them.

Each body is written once, in a ``_make_*`` function, for the constants of one float type. The methods are the
classic ones: reduce the argument by a power of two, evaluate a minimax polynomial (:mod:`.coefficients`) and
scale back. Numba's disk cache looks only at the file that holds a kernel: when this file changes, drop the
kernels that were cached with it.
"""

import numpy as np
from numba import njit, types
from numba.extending import overload

from .bits import bits, copysign, fma, from_bits, horner, lshr, magnitude
from .coefficients import ERF, ERFC, EXP, LN2, LOG
from .compiled import HELPER, helper

__all__ = [
    "erf",
    "erf_f32",
    "erf_f64",
    "exp",
    "exp_f32",
    "exp_f64",
    "expm1",
    "expm1_f32",
    "expm1_f64",
    "log",
    "log1p",
    "log1p_f32",
    "log1p_f64",
    "log_f32",
    "log_f64",
    "sigmoid",
    "sigmoid_f32",
    "sigmoid_f64",
    "softplus",
    "softplus_f32",
    "softplus_f64",
    "tanh",
    "tanh_f32",
    "tanh_f64",
]

# fastmath stands here as False because Numba otherwise compiles these functions with the fastmath flags of whoever
# calls them first, and under "reassoc" the rounding by x + magic - magic in `reduce` cancels to x.
_OPTIONS = {"forceinline": True, "error_model": "numpy", "fastmath": False}
_inline = helper(**_OPTIONS)
_scalar = njit(**_OPTIONS, no_cfunc_wrapper=True)
_INTEGER: dict[type, type] = {np.float32: np.int32, np.float64: np.int64}


def _magic(dtype):
    """``x + magic`` is ``x`` rounded to an integer, which then stands in the low bits of the sum."""
    return dtype(1.5 * 2.0 ** np.finfo(dtype).nmant)


def _pattern(dtype, value):
    """The bit pattern of ``value`` in ``dtype``, as a typed integer."""
    return dtype(value).view(_INTEGER[dtype])


def _typed(dtype, table):
    """A table of coefficients as scalars of ``dtype``."""
    return tuple(dtype(value) for value in table[dtype])


def _make_limit(dtype, lowest, highest):
    """``x`` within ``lowest`` and ``highest``; a NaN stays."""
    lowest, highest = dtype(lowest), dtype(highest)

    @_inline
    def limited(x):
        above = lowest if x < lowest else x
        return highest if above > highest else above

    return limited


def _make_power(dtype):
    """``2**n`` for an integral float ``n`` whose power is a normal number."""
    shift, magic, one, integer = np.finfo(dtype).nmant, _magic(dtype), _pattern(dtype, 1), _INTEGER[dtype]

    @_inline
    def power(n):
        return from_bits(integer((bits(n + magic) << shift) + one))

    return power


def _make_reduce(dtype, times=1, less=0):
    """For ``x = n ln2 + r``, finite or a NaN: the bit pattern of ``2**(n - less)``, and ``expm1(r)``.

    The number that rounds ``n`` brings the bias of the exponent along. Where it does so twice (``times``), half of the
    pattern is that of ``2**(n / 2)``, rounded down, also where ``2**n`` is too small or too large for a float.
    """
    info, integer, per_ln2 = np.finfo(dtype), _INTEGER[dtype], dtype(1 / np.log(2.0))
    magic, shift = dtype(_magic(dtype) + times * (info.maxexp - 1) - less), info.nmant
    (ln2_high, ln2_low), coefficients = _typed(dtype, LN2), _typed(dtype, EXP)

    @_inline
    def reduce(x):
        biased = fma(x, per_ln2, magic)
        n = biased - magic
        r = fma(n, -ln2_low, fma(n, -ln2_high, x))
        return integer(bits(biased) << shift), fma(r * r, horner(r, coefficients), r)

    return reduce


def _make_exp(dtype, lowest, highest):
    """``exp``: 0 from ``lowest`` down, infinity from ``highest`` up."""
    limited, reduce, integer = _make_limit(dtype, lowest, highest), _make_reduce(dtype, times=2), _INTEGER[dtype]
    exponent = integer(-1 << np.finfo(dtype).nmant)

    @_scalar
    def exp(x):
        square, p = reduce(limited(x))
        half = integer(lshr(square, 1) & exponent)  # scale twice: 2**n alone may be denormal or infinite
        s = from_bits(half)
        return fma(s, p, s) * from_bits(integer(square - half))

    return exp


def _make_expm1(dtype, lowest, highest):
    """``expm1``: -1 from ``lowest`` down, infinity from ``highest`` up."""
    limited, reduce, half, two = _make_limit(dtype, lowest, highest), _make_reduce(dtype, less=1), dtype(0.5), dtype(2)

    @_scalar
    def expm1(x):
        pattern, p = reduce(limited(x))
        s = from_bits(pattern)  # half of 2**n, which alone may be infinite
        y = p if s == half else two * fma(s, p, s - half)  # halving would lose a bit of a denormal p
        return copysign(y, x)

    return expm1


def _make_split(dtype):
    """``n``, ``f`` with ``x = 2**n (1 + f)``, ``1 + f`` in [sqrt(1/2), sqrt(2)]; ``x`` normal, positive."""
    info, integer, one = np.finfo(dtype), _INTEGER[dtype], dtype(1)
    shift, mantissa, root_half = info.nmant, integer(2**info.nmant - 1), _pattern(dtype, np.sqrt(0.5))
    offset = integer(_pattern(dtype, 1) - root_half)
    magic_bits, magic_and_bias = _pattern(dtype, _magic(dtype)), dtype(_magic(dtype) + info.maxexp - 1)

    @_inline
    def split(x):
        k = integer(bits(x) + offset)
        n = from_bits(integer(lshr(k, shift) + magic_bits)) - magic_and_bias
        return n, from_bits(integer((k & mantissa) + root_half)) - one

    return split


def _make_join(dtype):
    """``n ln2 + log(1 + f) + rest`` for a tiny ``rest``."""
    (ln2_high, ln2_low), coefficients = _typed(dtype, LN2), _typed(dtype, LOG)
    two, half = dtype(2), dtype(0.5)

    @_inline
    def join(n, f, rest):
        s = f / (two + f)
        z = s * s
        square = half * f * f
        tail = fma(s, fma(z, horner(z, coefficients), square), fma(n, ln2_low, rest))
        return fma(n, ln2_high, f - (square - tail))

    return join


def _make_log(dtype):
    split, join, info = _make_split(dtype), _make_join(dtype), np.finfo(dtype)
    zero, one, inf, nan = dtype(0), dtype(1), dtype(np.inf), dtype(np.nan)
    normal, lift, lift_log2 = info.smallest_normal, dtype(2.0 ** (info.nmant + 1)), dtype(info.nmant + 1)

    @_scalar
    def log(x):
        denormal = magnitude(x) < bits(normal)
        n, f = split(x * (lift if denormal else one))
        y = join(n - lift_log2 if denormal else n, f, zero)
        y = x if bits(x) >= bits(inf) else y
        y = nan if bits(x) < 0 else y
        return -inf if magnitude(x) == 0 else y

    return log


def _make_log1p(dtype):
    """``log1p``: the logarithm of ``u = 1 + x``, and what that sum lost as ``rest``."""
    split, join, power, info = _make_split(dtype), _make_join(dtype), _make_power(dtype), np.finfo(dtype)
    one, inf, nan, enough = (dtype(v) for v in (1, np.inf, np.nan, 2 * info.nmant))
    limited = _make_limit(dtype, -1, info.max)

    @_scalar
    def log1p(x):
        c = limited(x)
        u = one + c
        v = u - one
        lost = (one - (u - v)) + (c - v)
        n, f = split(u)
        rest = lost * power(-(n if n < enough else enough))  # beyond, the loss does not count
        y = copysign(join(n, f, fma(-f, rest, rest)), x)
        y = x if bits(x) >= bits(inf) else y
        y = -inf if bits(x) == bits(-one) else y
        return nan if bits(x) < 0 and magnitude(x) > bits(one) else y

    return log1p


def _make_tanh(dtype, highest):
    """``tanh``: ``h / (1 + h)`` with ``h = expm1(2 |x|) / 2``, as ``b - b q`` with ``b = min(h, 1)``; 1 in the end.

    ``q`` is ``b / (1 + h)``: this loses less than the plain quotient.
    """
    reduce, (one, two, half, highest) = _make_reduce(dtype, less=1), (dtype(v) for v in (1, 2, 0.5, highest))

    @_scalar
    def tanh(x):
        a = abs(x)
        pattern, p = reduce(two * (highest if a > highest else a))  # a NaN stays
        s = from_bits(pattern)
        h = fma(s, p, s - half)
        b = one if h > one else h
        return copysign(fma(-b, b / (one + h), b), x)

    return tanh


def _make_sigmoid(dtype, exp):
    """``sigmoid``: ``1 - q`` or ``e - e q`` with ``q = e / (1 + e)``: loses less than the plain quotients."""
    one = dtype(1)

    @_scalar
    def sigmoid(x):
        e = exp(-abs(x))
        base = e if bits(x) < 0 else one
        return fma(-base, e / (one + e), base)

    return sigmoid


def _make_softplus(dtype, exp, log1p):
    """``log(1 + exp(x))``, without its overflow."""
    zero = dtype(0)

    @_scalar
    def softplus(x):
        return (zero if bits(x) < 0 else x) + log1p(exp(-abs(x)))

    return softplus


def _make_erf(dtype, highest):
    """``erf``: odd polynomial up to 1, ``1 - exp(-P(x - 1))`` beyond, 1 from ``highest`` on."""
    reduce, near, far = _make_reduce(dtype), _typed(dtype, ERF), _typed(dtype, ERFC)
    one, highest = dtype(1), dtype(highest)

    @_scalar
    def erf(x):
        a = abs(x)
        a = highest if a > highest else a  # a NaN stays
        pattern, p = reduce(-horner(a - one, far))
        s = from_bits(pattern)
        y = one - fma(s, p, s)
        return copysign(fma(a, horner(a * a, near), a) if a < one else y, x)

    return erf


def _by_type(name, single, double, summary):
    """The function that runs ``single`` for a ``float32`` and ``double`` for a ``float64``."""

    def function(x):
        return single(x) if isinstance(x, np.float32) else double(x)

    def choose(x):
        twin = {types.float32: single, types.float64: double}.get(x)
        return None if twin is None else lambda x: twin(x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{summary} of a float32 or float64 scalar, in its type (accuracy: see the module)."
    overload(function, jit_options=HELPER | _OPTIONS)(choose)
    return function


exp_f32, exp_f64 = _make_exp(np.float32, -104, 89), _make_exp(np.float64, -746, 710)
expm1_f32, expm1_f64 = _make_expm1(np.float32, -20, 89), _make_expm1(np.float64, -40, 710)
log_f32, log_f64 = _make_log(np.float32), _make_log(np.float64)
log1p_f32, log1p_f64 = _make_log1p(np.float32), _make_log1p(np.float64)
tanh_f32, tanh_f64 = _make_tanh(np.float32, 10), _make_tanh(np.float64, 20)
sigmoid_f32, sigmoid_f64 = _make_sigmoid(np.float32, exp_f32), _make_sigmoid(np.float64, exp_f64)
softplus_f32 = _make_softplus(np.float32, exp_f32, log1p_f32)
softplus_f64 = _make_softplus(np.float64, exp_f64, log1p_f64)
erf_f32, erf_f64 = _make_erf(np.float32, 4), _make_erf(np.float64, 6)

exp = _by_type("exp", exp_f32, exp_f64, "The exponential")
expm1 = _by_type("expm1", expm1_f32, expm1_f64, "``exp(x) - 1``")
log = _by_type("log", log_f32, log_f64, "The natural logarithm")
log1p = _by_type("log1p", log1p_f32, log1p_f64, "``log(1 + x)``")
tanh = _by_type("tanh", tanh_f32, tanh_f64, "The hyperbolic tangent")
sigmoid = _by_type("sigmoid", sigmoid_f32, sigmoid_f64, "``1 / (1 + exp(-x))``")
softplus = _by_type("softplus", softplus_f32, softplus_f64, "``log(1 + exp(x))``")
erf = _by_type("erf", erf_f32, erf_f64, "The error function")
