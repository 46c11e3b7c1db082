"""Samples of decompositions, solvers, Fourier transforms, and the special functions that came with them."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..sample import Sample
from .complex import turned, z
from .elementwise import each
from .inputs import array, ints, real, strided

__all__ = ["SAMPLES"]


def _steady(*shape: int, salt: int = 0) -> np.ndarray:
    """Matrices whose eigenvalues and singular values lie well apart."""
    m, n = shape[-2:]
    return np.asarray(real(*shape, low=-0.5, high=0.5, salt=salt) + np.eye(m, n) * np.arange(1.0, 2.0 * n, 2.0))


def _spread(*shape: int, salt: int = 0) -> np.ndarray:
    """The same, complex."""
    return np.asarray(_steady(*shape, salt=salt) + 0.3j * real(*shape, low=-1, high=1, salt=salt + 3))


def _positive(x: np.ndarray) -> np.ndarray:
    return np.asarray(x @ np.swapaxes(x, -1, -2).conj() + np.eye(x.shape[-1]))


def _determinant(x: np.ndarray) -> Any:
    """By Laplace's expansion along the first row."""
    if x.ndim > 2:
        return np.array([_determinant(m) for m in x])
    if not x.shape[0]:
        return 1.0
    rest = [_determinant(np.delete(x[1:], j, 1)) for j in range(x.shape[1])]
    return sum((-1) ** j * x[0, j] * minor for j, minor in enumerate(rest))


def _cofactors(x: np.ndarray) -> np.ndarray:
    out = np.zeros_like(x)
    for *lead, i, j in np.ndindex(x.shape):
        minor = np.delete(np.delete(x[tuple(lead)], i, 0), j, 1)
        out[(*lead, i, j)] = (-1) ** (i + j) * _determinant(minor)
    return out


def _elimination(x: np.ndarray) -> np.ndarray:
    """Doolittle's algorithm, by sums."""
    a = np.array(x)
    for *lead, i, j in np.ndindex(x.shape):
        row, column = a[tuple(lead)][i], a[tuple(lead)][:, j]
        k = min(i, j)
        value = row[j] - (row[:k] * column[:k]).sum()
        a[(*lead, i, j)] = value / a[tuple(lead)][j, j] if i > j else value
    return a


def _roots(x: np.ndarray) -> np.ndarray:
    """Cholesky's algorithm, by sums."""
    out = np.zeros_like(x)
    for *lead, i, j in np.ndindex(x.shape):
        if j <= i:
            a = out[tuple(lead)]
            left = x[(*lead, i, j)] - (a[i, :j] * a[j, :j].conj()).sum()
            a[i, j] = np.sqrt(left) if i == j else left / a[j, j]
    return out


def _wave(x: np.ndarray, dims: Any, forward: bool) -> np.ndarray:
    """A transform by its sums."""
    for d in dims:
        n = x.shape[d]
        turn = np.exp((-2j if forward else 2j) * math.pi * np.outer(np.arange(n), np.arange(n)) / n)
        x = np.moveaxis(np.tensordot(turn, x, (1, d)), 0, d)
    return x


def _half_wave(x: np.ndarray, dim: int) -> np.ndarray:
    whole = np.take(_wave(x + 0j, (dim,), True), np.arange(x.shape[dim] // 2 + 1), dim)
    return np.stack([whole.real, whole.imag], -1)


def _real_wave(x: np.ndarray, n: int, dim: int) -> np.ndarray:
    half = np.moveaxis(x[..., 0] + 1j * x[..., 1], dim, 0)
    other = half[1 : (n + 1) // 2][::-1].conj()
    return _wave(np.moveaxis(np.concatenate([half, other]), 0, dim), (dim,), False).real


def _substituted(a: np.ndarray, b: np.ndarray, upper: bool, unit: bool) -> np.ndarray:
    kept = np.triu(a) if upper else np.tril(a)
    if unit:
        kept = kept - np.eye(a.shape[-1]) * a + np.eye(a.shape[-1])
    return np.linalg.inv(kept) @ b


SQUARE = (_steady(3, 3), _steady(2, 3, 3), _steady(1, 1), strided(_steady(3, 3, salt=1)), _spread(3, 3))
EMPTY = (real(0, 0), real(0, 2, 2))
TALL = (_steady(4, 2), _steady(3, 3, salt=2), _steady(2, 3, 2), strided(_steady(4, 2, salt=4)))
ANY = (*TALL, _steady(2, 4), _steady(2, 2, 3))
SYMMETRIC = np.array([[0.1, 2.0, 1.0, -1.5], [2.0, 0.3, -2.5, 0.7], [1.0, -2.5, 1.4, 3.0], [-1.5, 0.7, 3.0, -0.2]])
HERMITIAN = SYMMETRIC + 0.4j * (np.tril(SYMMETRIC, -1) - np.triu(SYMMETRIC, 1))
LOOSE: dict[str, Any] = {"atol": 256.0}


def _each(inputs: Any, expect: Any, *attrs: Any, smooth: bool = True) -> list[Sample]:
    return [Sample((x,), attrs, expect, smooth=smooth, **LOOSE) for x in inputs]


_legendre = functools.cache(np.polynomial.legendre.leggauss)


def _gamma_share(a: float, x: float) -> float:
    """By Gauss's rule, of the density in log(t)."""
    nodes, weights = _legendre(400)
    width = 60 / a + 2
    t = math.log(x) + width * (nodes - 1) / 2
    return float(width / 2 * (weights * np.exp(a * t - np.exp(t) - math.lgamma(a))).sum())


def _bessel(order: int) -> Any:
    """The power series, scaled."""

    def value(x: float) -> float:
        half = abs(x) / 2
        terms = [half ** (2 * m + order) / (math.factorial(m) * math.factorial(m + order)) for m in range(60)]
        return math.fsum(terms) * math.exp(-abs(x)) * (math.copysign(1, x) if order else 1)

    return value


CURVED = (real(3, 4, low=-6, high=6), real(low=1, high=2), strided(real(2, 3)), real(0, 2))
SHARES = (real(3, 4, low=0.05, high=0.95), strided(real(2, 3, low=0.1, high=0.9)), real(0, 2))


def _quantile(share: float) -> float:
    low, high = -10.0, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(-middle / math.sqrt(2)) / 2 < share else (low, middle)
    return low


GAMMAS = (
    (real(3, 4, low=0.4, high=4), real(3, 4, low=0.3, high=6, salt=1)),
    (real(2, low=1, high=5), real(low=2, high=3)),
    (array(40.0, 3.0), array(50.0, 0.2)),
)

SAMPLES: dict[str, list[Sample]] = {
    "solve": [Sample((a, b), (), lambda a, b: np.linalg.inv(a) @ b, **LOOSE) for a, b in
              ((_steady(3, 3), real(3, 2)), (_steady(2, 3, 3), real(2, 3, 1)), (_spread(3, 3), z(3, 2)), (strided(_steady(2, 2)), strided(real(2, 3))), (real(0, 2, 2), real(0, 2, 1)), (real(0, 0), real(0, 1)))],
    "inverse": [*_each(SQUARE, np.linalg.inv), *_each(EMPTY, None)],
    "solve_triangular": [Sample((a, b), (upper, unit), _substituted, **LOOSE) for upper in (True, False) for unit in (True, False) for a, b in
                         ((_steady(3, 3), real(3, 2)), (_steady(2, 5, 5), real(2, 5, 1)), (_spread(3, 3), z(3, 2)), (strided(_steady(2, 2)), strided(real(2, 3))), (_steady(1, 1), real(1, 2)))]
        + [Sample((real(0, 2, 2), real(0, 2, 1)), (True, False))],
    "det": [*_each(SQUARE, _determinant), *_each(EMPTY, None), Sample((np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]),), (), smooth=False, slopes=(np.array([[4.0, 4.0, -4.0], [-2.0, -2.0, 2.0], [0.0, 0.0, 0.0]]),), atol=1e6)],
    "cofactor": _each(SQUARE, _cofactors) + _each(EMPTY[1:], None),
    "log_det": [*_each(SQUARE[:4], lambda x: np.log(np.abs(_determinant(x)))), *_each(SQUARE[4:], lambda x: np.log(_determinant(x)))],
    "det_sign": _each((*SQUARE[:4], np.diag([1.0, -2.0])), lambda x: np.sign(_determinant(x))),
    "cholesky": [*_each([_positive(x) for x in SQUARE[:4]], _roots), *_each([_positive(SQUARE[4])], _roots, smooth=False), *_each(EMPTY, None)],
    "cholesky_info": [Sample((x,), (), lambda x: np.array([next((k for k in range(1, m.shape[0] + 1) if np.linalg.det(m[:k, :k]) <= 0), 0) for m in x.reshape(-1, *x.shape[-2:])], np.int32).reshape(x.shape[:-2]))
                      for x in (_positive(_steady(3, 3)), np.stack([_positive(_steady(3, 3)), np.diag([1.0, -1.0, 2.0])]), -np.eye(2), np.array([[4.0, 2.0, 2.0], [2.0, 2.0, 0.0], [2.0, 0.0, 1.0]]))],
    "eigh": [*_each((_positive(_steady(3, 3)), _positive(_steady(2, 2, 2)), real(1, 1)), None, "L"), Sample((_positive(_spread(3, 3)),), ("U",), smooth=False, **LOOSE), *_each(EMPTY, None, "U")],
    "eig": [*_each((_positive(_steady(3, 3)) + 0.1 * real(3, 3), _positive(_steady(2, 2, 2))), None), Sample((_spread(3, 3),), smooth=False, **LOOSE)],
    "svd": [*_each(ANY, None), *_each((_spread(3, 2), _spread(2, 3), _spread(2, 2)), None, smooth=False), *_each((real(0, 2, 3),), None)],
    "svd_rest": _each((_steady(4, 2), _steady(2, 4), _steady(2, 3, 2)), None),
    "pinv": [Sample((x, c), (), lambda x, c: np.linalg.pinv(x), **LOOSE) for x, c in ((_steady(3, 2), np.array(1e-9)), (_steady(2, 2, 3), array(1e-9, 1e-9)), (_spread(3, 3), np.array(1e-9)))],
    "qr_q": [*_each(TALL, None), *_each((_spread(3, 2),), None), *_each((real(0, 2, 2), real(3, 0)), None)],
    "qr_whole": _each((_steady(4, 2), _steady(2, 3, 2)), None),
    "geqrf": _each((_steady(4, 2), _steady(2, 3), _steady(2, 3, 3), _spread(3, 2)), None),
    "lu": [*_each((*ANY, _spread(3, 2), _spread(2, 3)), _elimination), *_each((real(0, 2, 2),), None)],
    "ldl": [Sample((x,), (h,), **LOOSE) for x, h in ((SYMMETRIC, False), (np.stack([SYMMETRIC, -SYMMETRIC]), True), (HERMITIAN, True), (HERMITIAN + 0.5j, False))],
    "ldl_pivots": [Sample((x,), (h,)) for x, h in ((SYMMETRIC, False), (HERMITIAN, True))] + [Sample((np.array([[0.0, 1.0], [1.0, 0.0]]),), (False,), lambda x, h: np.array([-2, -2], np.int32))],
    "ldl_solve": [Sample((np.array([[4.0, 0.0], [0.5, 2.0]]), np.array([1, 2], np.int32), real(2, 3)), (False,), lambda a, p, b, h: np.linalg.inv(np.array([[4.0, 2.0], [2.0, 3.0]])) @ b, **LOOSE),
                  Sample((np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([-2, -2], np.int32), real(2, 3)), (False,), lambda a, p, b, h: b[::-1], **LOOSE)],
    "lu_pivots": _each((np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 1.0], [0.0, 5.0, 1.0]])), lambda x: np.array([2, 2] if x.shape[0] == 2 else [1, 3, 3], np.int32)),
    "pivot_order": [Sample((ints(3, 3).astype(np.int32),), (4,), lambda p, n: ints(2, 0, 1, 3)), Sample((ints([1, 2], [2, 2]).astype(np.int32),), (3,), lambda p, n: ints([0, 1, 2], [1, 0, 2]))],
    "fft_c2c": [Sample((x,), (dims, forward), _wave, **LOOSE) for forward in (True, False) for x, dims in ((turned(5), (0,)), (turned(2, 3), (0, 1)), (turned(3, 2, 4), (2, 0)), (strided(turned(2, 3)), (1,)), (turned(0, 3), (1,)))],
    "fft_r2c": [Sample((x,), (dim,), _half_wave, **LOOSE) for x, dim in ((real(5), 0), (real(4), 0), (real(3, 4), 0), (strided(real(2, 6)), 1), (real(0, 4), 1), (real(2, 1), 1))],
    "fft_c2r": [Sample((x,), (n, dim), _real_wave, **LOOSE) for x, n, dim in ((real(3, 2), 5, 0), (real(3, 2), 4, 0), (real(2, 3, 2), 2, 0), (strided(real(2, 3, 2)), 5, 1), (real(1, 2, 2), 1, 0), (real(0, 3, 2), 4, 1))],
    "i0e": [Sample((x,), (), each(_bessel(0)), rtol=64) for x in CURVED] + [Sample((array(0.0, 40.0, -700.0, 1e4),), (), smooth=False)],
    "i1e": [Sample((x,), (), each(_bessel(1)), rtol=64) for x in CURVED] + [Sample((array(0.0, 40.0, -700.0, 1e-9),), (), smooth=False)],
    "erfcx": [Sample((x,), (), each(lambda v: math.exp(v * v) * math.erfc(v)), rtol=64) for x in (real(3, 4, low=-3, high=5), strided(real(2, 3)), real(0, 2))],
    "ndtri": [Sample((x,), (), each(_quantile), rtol=256, atol=16) for x in SHARES],
    "entr": [Sample((x,), (), each(lambda v: -v * math.log(v))) for x in SHARES] + [Sample((array(0.0, -1.0, math.nan),), (), lambda x: array(0.0, -math.inf, math.nan), smooth=False, gradient=False)],
    "igamma": [Sample(p, (), each(_gamma_share), rtol=256, atol=8192) for p in GAMMAS],
    "igammac": [Sample(p, (), each(lambda a, x: 1 - _gamma_share(a, x)), rtol=256, atol=8192) for p in GAMMAS],
}  # fmt: skip
