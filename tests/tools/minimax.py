"""Derive the tables of ``backends/numba_kernels/coefficients.py`` with mpmath (Remez exchange).

``python tests/tools/minimax.py`` prints each table with the largest weighted error before rounding.
"""

import mpmath as mp
import numpy as np

from tapegrad.backends.numba_kernels.coefficients import GELU_SLOPE_END, NORMAL_END

mp.mp.dps = 40


def minimax(f, weight, lo, hi, count, rounds=12):
    """Coefficients c of the polynomial minimising max |weight * (f - sum c_k x^k)| on [lo, hi]."""
    lo, hi = mp.mpf(lo), mp.mpf(hi)

    def chebyshev(k, n):
        return lo + (hi - lo) * (1 - mp.cos(mp.pi * k / n)) / 2

    nodes = [chebyshev(2 * i + 1, 2 * count + 2) for i in range(count + 1)]
    grid = [chebyshev(i, 60 * count) for i in range(60 * count + 1)]
    exact = [(x, f(x), weight(x)) for x in grid]
    for _ in range(rounds):
        rows = [[x**k for k in range(count)] + [(-1) ** i / weight(x)] for i, x in enumerate(nodes)]
        coefs = list(mp.lu_solve(mp.matrix(rows), mp.matrix([f(x) for x in nodes])))[:count]
        error = [(w * (y - mp.polyval(coefs[::-1], x)), x) for x, y, w in exact]
        runs = [[error[0]]]
        for pair in error[1:]:
            same_sign = pair[0] * runs[-1][-1][0] >= 0
            runs[-1].append(pair) if same_sign else runs.append([pair])
        peaks = [max(run, key=lambda p: abs(p[0])) for run in runs]
        while len(peaks) > count + 1:
            peaks.pop(0 if abs(peaks[0][0]) < abs(peaks[-1][0]) else -1)
        if len(peaks) < count + 1:
            break
        nodes = [x for _, x in peaks]
    return coefs, max(abs(e) for e, _ in error)


def even(f):
    return lambda z: f(mp.sqrt(z))  # an even function of x, as a function of z = x^2


def centred(highest, curve):
    """An odd function of x over x, as a function of u in [-1, 1], where ``1 + u = 2 (x / highest)^2``; and ``x``."""

    def place(u):
        return highest * mp.sqrt(max((1 + u) / 2, tiny))

    return lambda u: curve(place(u)) / place(u), lambda u: place(u) + mp.mpf("0.05")


half_ln2 = mp.log(2) / 2
s_max = (mp.sqrt(2) - 1) ** 2
tiny = mp.mpf(10) ** -8
# name: function, weight (error measure), interval, number of coefficients in float32 and, where it has them, float64
TABLES = {
    "EXP": (lambda r: (mp.expm1(r) - r) / r**2, abs, -half_ln2, half_ln2 * (1 + tiny), 5, 10),
    "LOG": (even(lambda s: (2 * mp.atanh(s) - 2 * s) / s**3), lambda z: z, tiny, s_max**2, 3, 7),
    "ERF": (even(lambda x: mp.erf(x) / x - 1), lambda z: 1, tiny, 1, 7, 12),
    "ERFC": (lambda u: -mp.log(mp.erfc(1 + u)), lambda u: mp.erfc(1 + u), 0, 5, 7, 18),
    "NORMAL": (*centred(NORMAL_END, lambda x: mp.ncdf(x) - 0.5), -1, 1, 15),
    "GELU_SLOPE": (*centred(GELU_SLOPE_END, lambda x: mp.ncdf(x) - 0.5 + x * mp.npdf(x)), -1, 1, 19),
}
if __name__ == "__main__":
    for name, (f, weight, lo, hi, *counts) in TABLES.items():
        for count, dtype in zip(counts, (np.float32, np.float64)):
            coefs, error = minimax(f, weight, lo, hi, count)
            print(name, dtype.__name__, mp.nstr(error, 3), "2^", mp.nstr(mp.log(error, 2), 4))
            print("   ", ", ".join(repr(dtype(c)) for c in coefs))
