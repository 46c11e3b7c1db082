"""Random numbers from the memory of NumPy's MT19937, as PyTorch makes them of its words.

``state`` is that memory, see ``mersenne``; ``out`` is contiguous.

- ``words(state, out)``: 32 bits in each uint64;
- ``unit(state, low, width, excluded, out)``: ``u * width + low`` for u in [0, 1), of 24 bits in float32 and of 53 in
  float64; ``low`` where rounding reaches ``excluded``;
- ``normal_blocks(state, mean, std, out)``: float32, sixteen at a time, the last sixteen anew where 16 does not divide;
- ``normal_pairs(state, kept, mean, std, out)``: one after another, computed in float64; ``kept`` is the standard normal
  number left over, and whether there is one;
- ``coins(state, p, out)``: ones with probability ``p``, else zeros;
- ``integers(state, low, span, out)``: ``low + word % span``, of one word, or of two from a span of 2^28 on;
- ``permutation(state, out)``: the numbers from 0 on, shuffled;
- ``choices(rows, u, out)``: for every row of weights, where each number of ``u`` falls among their sums; returns a row
  whose weights are no weights, or -1;
- ``races(state, rows, out)``: for every row of weights the place whose waiting time, of that rate, is the shortest.
"""

from math import cos, inf, log1p, pi, sin, sqrt

import numpy as np
from numba import float32, float64, int64, uint32, uint64, void

from .bits import fma
from .cache import on_first_use, typed
from .compiled import helper
from .mersenne import PIECE, log_of_unit, sine_and_cosine, take, uniform

__all__ = ["NAMES"]

_LOW24, _LOW53 = np.uint32(2**24 - 1), np.uint64(2**53 - 1)


@helper(forceinline=True)
def _joined(words, k):
    """The 64 bits of the pair ``k`` of words, the high ones first."""
    return np.uint64(np.uint64(words[2 * k]) << np.uint64(32)) | np.uint64(words[2 * k + 1])


@helper(forceinline=True)
def _fraction(word):
    """The number in [0, 1) of 24 bits."""
    return np.float32(np.int32(word & _LOW24)) * np.float32(2.0**-24)


def _words(state, out):
    take(state, out, out.size)


def _unit32(state, low, width, excluded, out):
    words = np.empty(min(out.size, PIECE), np.uint32)
    for i in range(0, out.size, PIECE):
        more = min(PIECE, out.size - i)
        take(state, words, more)
        for k in range(more):
            x = fma(_fraction(words[k]), width, low)
            out[i + k] = low if x == excluded else x


def _unit64(state, low, width, excluded, out):
    words = np.empty(min(2 * out.size, PIECE), np.uint32)
    for i in range(0, out.size, PIECE // 2):
        more = min(PIECE // 2, out.size - i)
        take(state, words, 2 * more)
        for k in range(more):
            x = np.float64(np.int64(_joined(words, k) & _LOW53)) * 2.0**-53 * width + low
            out[i + k] = low if x == excluded else x


def _normal_blocks(state, mean, std, out):
    size = out.size
    radius, angle = np.empty(PIECE // 2, np.float32), np.empty(PIECE // 2, np.float32)
    words = np.empty(PIECE, np.uint32)
    whole = size - size % 16
    start = 0
    while start < whole:
        more = min(PIECE, whole - start)
        take(state, words, more)
        _transform(words, radius, angle, mean, std, out[start : start + more])
        start += more
    if whole < size:
        take(state, words, size - whole)  # PyTorch has filled all with uniform numbers before
        take(state, words, 16)
        _transform(words, radius, angle, mean, std, out[size - 16 :])


@helper
def _transform(words, radius, angle, mean, std, out):
    """Box and Muller: of sixteen numbers the first eight give radii, the others angles."""
    for b in range(out.size // 16):
        for k in range(8):
            radius[8 * b + k] = np.float32(1) - _fraction(words[16 * b + k])
            angle[8 * b + k] = _fraction(words[16 * b + 8 + k])
    for k in range(out.size // 2):
        length = np.float32(sqrt(np.float32(-2) * log_of_unit(radius[k])))
        sine, cosine = sine_and_cosine(angle[k])
        radius[k], angle[k] = fma(length * cosine, std, mean), fma(length * sine, std, mean)
    for b in range(out.size // 16):
        for k in range(8):
            out[16 * b + k], out[16 * b + 8 + k] = radius[8 * b + k], angle[8 * b + k]


def _normal_pairs(state, kept, mean, std, out):
    for i in range(out.size):
        if kept[1]:
            number, kept[1] = kept[0], 0.0
        else:
            turn, u = uniform(state), uniform(state)
            radius, angle = sqrt(-2.0 * log1p(-u)), 2.0 * pi * turn
            number, kept[0], kept[1] = radius * cos(angle), radius * sin(angle), 1.0
        out[i] = number * std + mean


def _coins(state, p, out):
    words, level = np.empty(min(2 * out.size, PIECE), np.uint32), p * 2.0**53
    one, none = out.dtype.type(1), out.dtype.type(0)
    for i in range(0, out.size, PIECE // 2):
        more = min(PIECE // 2, out.size - i)
        take(state, words, 2 * more)
        for k in range(more):
            out[i + k] = one if np.float64(np.int64(_joined(words, k) & _LOW53)) < level else none


def _integers(state, low, span, out):
    words = np.empty(min(2 * out.size, PIECE), np.uint32)
    for i in range(0, out.size, PIECE // 2):
        more = min(PIECE // 2, out.size - i)
        if span < 2**28:
            take(state, words, more)
            for k in range(more):
                out[i + k] = low + np.int64(words[k] % np.uint32(span))
        else:
            take(state, words, 2 * more)
            for k in range(more):
                out[i + k] = low + np.int64(_joined(words, k) % span)


def _permutation(state, out):
    n = out.size
    for i in range(n):
        out[i] = i
    words = np.empty(PIECE, np.uint32)
    for start in range(0, n - 1, PIECE):
        more = min(PIECE, n - 1 - start)
        take(state, words, more)
        for k in range(more):
            i = start + k
            j = i + np.int64(words[k] % np.uint32(n - i))
            out[i], out[j] = out[j], out[i]


def _choices(rows, u, out):
    n = rows.shape[1]
    sums = np.empty(n, rows.dtype)
    for r in range(rows.shape[0]):
        total, fit = rows.dtype.type(0), True
        for k in range(n):
            weight = rows[r, k]
            fit &= 0 <= weight < inf
            total += weight
            sums[k] = total
        if not (fit and total > 0):
            return r
        for s in range(u.shape[1]):
            first, last = 0, n - 1  # the last one's share is 1, above every number
            while first < last:
                middle = (first + last) // 2
                if np.float64(sums[middle] / total) < u[r, s]:
                    first = middle + 1
                else:
                    last = middle
            out[r, s] = first
    return -1


def _races(state, rows, out):
    kind = rows.dtype.type
    for r in range(rows.shape[0]):
        best, found = kind(-1), 0
        for k in range(rows.shape[1]):
            wait = kind(-log1p(-uniform(state)))
            score = rows[r, k] / wait
            if score > best:
                best, found = score, k
        out[r] = found


_state = uint32[::1]

_KERNELS = {
    "words": (_words, [void(_state, uint64[::1])]),
    "unit32": (_unit32, [void(_state, float32, float32, float32, float32[::1])]),
    "unit64": (_unit64, [void(_state, float64, float64, float64, float64[::1])]),
    "normal_blocks": (_normal_blocks, [void(_state, float32, float32, float32[::1])]),
    "normal_pairs": (
        _normal_pairs,
        [void(_state, float64[::1], float64, float64, kind[::1]) for kind in (float32, float64)],
    ),
    "coins": (_coins, [void(_state, float64, kind[::1]) for kind in (float32, float64)]),
    "integers": (_integers, [void(_state, int64, uint64, int64[::1])]),
    "permutation": (_permutation, [void(_state, int64[::1])]),
    "choices": (_choices, [int64(kind[:, ::1], float64[:, ::1], int64[:, ::1]) for kind in (float32, float64)]),
    "races": (_races, [void(_state, kind[:, ::1], int64[::1]) for kind in (float32, float64)]),
}

NAMES = tuple(_KERNELS)


def _make(name):
    function, signatures = _KERNELS[name]
    return typed(function, signatures, nogil=False)


__getattr__ = on_first_use(globals(), _make)
