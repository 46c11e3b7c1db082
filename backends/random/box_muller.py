"""Normal numbers from uniform ones, sixteen at a time, as PyTorch makes them of large tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..numba_kernels.moshier import COSINE, LN2, LOGARITHM, OCTANTS, QUARTER_PI, ROOT_HALF, SINE, TWO_PI
from .engine import PIECE, affine

__all__ = ["BLOCK", "transform"]

Array = NDArray[Any]

BLOCK = 16  # PyTorch makes so many at a time, with eight in a register
_ONE, _HALF = np.float32(1), np.float32(0.5)


def transform(u: Array, mean: float, std: float) -> Array:
    """Normals in place of uniforms: in each block the first eight give radii, the others angles.

    G. E. P. Box and M. E. Muller, Annals of Mathematical Statistics 29 (1958).

    Args:
        u: in [0, 1), float32 or float64, a whole number of blocks of 16.
        mean, std: of the normals.
    """
    curve = _single if u.dtype == np.float32 else _double
    for i in range(0, u.size, PIECE):
        blocks = u[i : i + PIECE].reshape(-1, 2, BLOCK // 2)
        radius, cosine, sine = curve(1 - blocks[:, 0], blocks[:, 1])
        np.multiply(radius, cosine, out=blocks[:, 0])
        np.multiply(radius, sine, out=blocks[:, 1])
        if std != 1 or mean != 0:
            u[i : i + PIECE] = affine(u[i : i + PIECE], std, mean)
    return u


def _double(u: Array, turn: Array) -> tuple[Array, Array, Array]:
    angle = 2.0 * math.pi * turn
    return np.sqrt(-2.0 * np.log(u)), np.cos(angle), np.sin(angle)


def _single(u: Array, turn: Array) -> tuple[Array, Array, Array]:
    """The radius, and the cosine and the sine of the angle, to the last bit as the compiled kernel has them."""
    return np.sqrt(np.float32(-2) * _log(u)), *_cosine_and_sine(turn)


def _fused(a: Array, b: Any, c: Any) -> Array:
    """``a * b + c``, rounded once."""
    wide = np.multiply(a, b, dtype=np.float64)
    wide += c
    return wide.astype(np.float32)


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    *lower, total = [np.float32(c) for c in coefficients]
    made: Any = total
    for c in reversed(lower):
        made = _fused(x, made, c)
    return made


def _log(x: Array) -> Array:
    pattern = x.view(np.int32)
    e = ((pattern >> 23) - 126).astype(np.float32)
    m = ((pattern & 0x007FFFFF) | 0x3F000000).view(np.float32)
    small = m < np.float32(ROOT_HALF)
    e -= small
    m = (m - _ONE) + m * small
    z = m * m
    y = _fused(_polynomial(m, LOGARITHM) * m, z, e * np.float32(LN2[1]))
    y -= z * _HALF
    return _fused(e, np.float32(LN2[0]), m + y)


def _cosine_and_sine(turn: Array) -> tuple[Array, Array]:
    x = np.float32(TWO_PI) * turn
    j = ((x * np.float32(OCTANTS)).astype(np.int32) + 1) & 14
    y = j.astype(np.float32)
    for part in QUARTER_PI:
        x = _fused(y, np.float32(-part), x)
    z = x * x
    c = _fused(_polynomial(z, COSINE) * z, z, z * -_HALF) + _ONE
    s = _fused(_polynomial(z, SINE) * z, x, x)
    swapped = (j & 2) != 0
    cosine, sine = np.where(swapped, s, c), np.where(swapped, c, s)
    np.negative(cosine, out=cosine, where=((j + 2) & 4) != 0)
    np.negative(sine, out=sine, where=(j & 4) != 0)
    return cosine, sine
