"""Samples of complex numbers: of the primitives that are about them, and of others that take them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..sample import Sample
from .inputs import array, ints, real, scalar, strided

__all__ = ["MORE", "SAMPLES"]


def z(*shape: int, salt: int = 0) -> np.ndarray:
    """Fixed complex numbers off the axes, none near zero."""
    return np.asarray(real(*shape, low=0.4, high=2.0, salt=salt) + 1j * real(*shape, low=0.3, high=1.6, salt=salt + 5))


def turned(*shape: int, salt: int = 0) -> np.ndarray:
    """Fixed complex numbers of every direction."""
    return np.asarray(z(*shape, salt=salt) * np.exp(1j * real(*shape, low=-3.0, high=3.0, salt=salt + 7)))


def _one(function: Callable[..., Any] | None, *attrs: Any) -> list[Sample]:
    return [Sample((x,), attrs, function) for x in (turned(2, 3), turned(), turned(0, 2), strided(turned(2, 2)))]


def _two(function: Callable[..., Any]) -> list[Sample]:
    pairs = ((turned(2, 3), turned(3, salt=1)), (turned(), turned(2, salt=1)), (turned(2), 1.5), (0.75, z(2)))
    return [Sample(pair, (), function) for pair in pairs]


SAMPLES: dict[str, list[Sample]] = {
    "conj": [*_one(lambda x: x.real - 1j * x.imag), Sample((real(2, 3),), (), lambda x: x)],
    "sgn": [
        *_one(lambda x: np.exp(1j * np.angle(x))),
        Sample((np.array([0.0, 2j]),), (), lambda x: np.array([0, 1j]), smooth=False, gradient=False),
        Sample((array(-2.0, 0.0, 3.0),), (), lambda x: array(-1, 0, 1), smooth=False, slopes=(0.0,)),
        Sample((ints(-2, 0, 3),), (), lambda x: ints(-1, 0, 1)),
    ],
    "view_as_real": _one(lambda x: np.stack([x.real, x.imag], -1)),
    "view_as_complex": [
        Sample((x,), (), lambda x: x[..., 0] + 1j * x[..., 1]) for x in (real(3, 2), real(2), real(0, 2), real(2, 3, 2)[::2])
    ],
}  # fmt: skip

# Further samples of primitives that have some of real numbers.
MORE: dict[str, list[Sample]] = {
    "add": _two(np.add), "sub": _two(np.subtract), "mul": _two(np.multiply), "div": _two(np.divide),
    "pow": [Sample(p, (), np.power) for p in ((z(2, 3), z(3, salt=1)), (z(2), 3.0), (1.5, z(2)), (z(2), z(salt=1)))],
    "neg": _one(np.negative), "abs": _one(np.abs), "square": _one(np.square), "reciprocal": _one(np.reciprocal),
    "sqrt": _one(np.sqrt), "rsqrt": _one(lambda x: 1 / np.sqrt(x)), "exp": _one(np.exp), "log": _one(np.log),
    "sin": _one(np.sin), "cos": _one(np.cos), "tanh": _one(np.tanh), "sigmoid": _one(lambda x: 1 / (1 + np.exp(-x))),
    "acosh": _one(np.arccosh), "sum": _one(None, (0,), True)[:1] + _one(None, None, False), "copy": _one(np.copy),
    "mean": _one(None, None, False), "reshape": [Sample((z(2, 3),), ((3, 2),))], "permute": [Sample((z(2, 3),), ((1, 0),))],
    "prod": [Sample((z(2, 3),), (1, False), lambda x, d, k: x.prod(d))],
    "var": [Sample((z(2, 3),), ((1,), 1, False), lambda x, d, c, k: x.var(1, ddof=c))],
    "matmul": [Sample((z(2, 3), turned(3, 2, salt=1)), (), np.matmul)],
    "slice": [Sample((z(3, 2),), ((slice(0, 2), 1),))], "where": [Sample((np.array([True, False]), z(2), z(2, salt=1)))],
    "cat": [Sample(([z(2), z(1, salt=1)],), (0,), lambda xs, d: np.concatenate(xs))],
    "view_scatter": [Sample((z(3, 2), real(3)), ((("view_as_real", ()), ("slice", ((slice(None), 0, 1),))),))],
    "zero_view": [Sample((z(3),), ((("view_as_real", ()), ("slice", ((slice(None), 0),))),))],
    "cast": [Sample((scalar(2.0),), (np.dtype(np.complex128),), lambda x, d: x + 0j)],
}  # fmt: skip
