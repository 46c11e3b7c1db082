"""MT19937 in compiled code, on the memory of NumPy's generator: 624 words and the number of those that are used up.

M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM Transactions on Modeling and Computer Simulation 8 (1998).
"""

import numpy as np

from .bits import bits, fma, from_bits, horner
from .compiled import helper
from .moshier import COSINE, LN2, LOGARITHM, OCTANTS, QUARTER_PI, ROOT_HALF, SINE, TWO_PI

__all__ = ["PIECE", "log_of_unit", "sine_and_cosine", "take", "uniform"]

PIECE = 2048  # so many words are made at a time: they stay in the processor's nearest cache

_SIZE, _FAR = 624, 397
_TOP, _REST, _MATRIX = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0x9908B0DF)
_MASK7, _MASK15 = np.uint32(0x9D2C5680), np.uint32(0xEFC60000)
_ONE, _ZERO = np.uint32(1), np.uint32(0)

_inline = helper(forceinline=True)


@_inline
def _mixed(here, behind, far):
    joined = np.uint32((here & _TOP) | (behind & _REST))
    return np.uint32(far ^ np.uint32(joined >> _ONE) ^ (_MATRIX if behind & _ONE else _ZERO))


@helper
def _refill(state):
    """The next 624 words; in three loops, each of which vector code can run."""
    for k in range(_SIZE - _FAR):
        state[k] = _mixed(state[k], state[k + 1], state[k + _FAR])
    for k in range(_SIZE - _FAR, _SIZE - 1):
        state[k] = _mixed(state[k], state[k + 1], state[k + _FAR - _SIZE])
    state[_SIZE - 1] = _mixed(state[_SIZE - 1], state[0], state[_FAR - 1])


@_inline
def _tempered(word):
    y = np.uint32(word ^ np.uint32(word >> np.uint32(11)))
    y = np.uint32(y ^ (np.uint32(y << np.uint32(7)) & _MASK7))
    y = np.uint32(y ^ (np.uint32(y << np.uint32(15)) & _MASK15))
    return np.uint32(y ^ np.uint32(y >> np.uint32(18)))


@helper
def take(state, out, count):
    """``out[:count]``: the next words."""
    done = 0
    while done < count:
        used = np.intp(state[_SIZE])
        if used >= _SIZE:
            _refill(state)
            used = np.intp(0)
        more = min(count - done, _SIZE - used)
        for k in range(more):
            out[done + k] = _tempered(state[used + k])
        done += more
        state[_SIZE] = np.uint32(used + more)


@_inline
def _word(state):
    used = np.intp(state[_SIZE])
    if used >= _SIZE:
        _refill(state)
        used = np.intp(0)
    state[_SIZE] = np.uint32(used + 1)
    return np.uint64(_tempered(state[used]))


@_inline
def uniform(state):
    """One number in [0, 1) of 53 bits."""
    high = _word(state)
    return np.float64(np.int64(((high << np.uint64(32)) | _word(state)) & np.uint64(2**53 - 1))) * 2.0**-53


def _single(values):
    return tuple([np.float32(v) for v in values])


_LOGARITHM, _SINE, _COSINE = _single(LOGARITHM), _single(SINE), _single(COSINE)
(_LN2, _LN2_REST), (_PART1, _PART2, _PART3) = _single(LN2), _single([-v for v in QUARTER_PI])
_OCTANTS, _ROOT_HALF, _TWO_PI, _HALF, _WHOLE, _NONE = _single([OCTANTS, ROOT_HALF, TWO_PI, 0.5, 1, 0])
_MANTISSA, _EXPONENT_OF_HALF = np.int32(0x007FFFFF), np.int32(0x3F000000)


@_inline
def log_of_unit(x):
    """The logarithm of a normal float32 that is not above 1."""
    pattern = bits(x)
    e = np.float32(np.int32((pattern >> 23) - 126))
    m = from_bits(np.int32((pattern & _MANTISSA) | _EXPONENT_OF_HALF))
    small = m < _ROOT_HALF
    e = e - (_WHOLE if small else _NONE)
    m = (m - _WHOLE) + (m if small else _NONE)
    z = m * m
    y = fma(horner(m, _LOGARITHM) * m, z, e * _LN2_REST)
    y = fma(-z, _HALF, y)
    return fma(e, _LN2, m + y)


@_inline
def sine_and_cosine(turn):
    """Sine and cosine of ``2 pi turn``, for a float32 in [0, 1)."""
    x = _TWO_PI * turn
    j = np.int32(np.int32(x * _OCTANTS) + 1) & np.int32(14)
    y = np.float32(j)
    x = fma(y, _PART1, x)
    x = fma(y, _PART2, x)
    x = fma(y, _PART3, x)
    z = x * x
    c = fma(horner(z, _COSINE) * z, z, -(z * _HALF)) + _WHOLE
    s = fma(horner(z, _SINE) * z, x, x)
    swapped = (j & np.int32(2)) != 0
    sine, cosine = (c, s) if swapped else (s, c)
    return (-sine if j & np.int32(4) else sine), (-cosine if (j + np.int32(2)) & np.int32(4) else cosine)
