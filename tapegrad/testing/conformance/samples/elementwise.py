"""Samples of the element-wise primitives."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..sample import CPU, HERE, Sample
from .inputs import (
    I3,
    J3,
    LARGE,
    SPECIAL,
    array,
    backwards,
    bools,
    frozen,
    inf,
    ints,
    large,
    nan,
    real,
    scalar,
    strided,
)

__all__ = ["SAMPLES", "each", "plain", "sigmoid"]


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of Python numbers applied to every element of broadcast arrays."""
    return np.vectorize(lambda *v: float(function(*[float(x) for x in v])), otypes=[float])


def unary(
    function: Callable[..., Any] | None, low: float = -2.0, high: float = 2.0, attrs: tuple[Any, ...] = (),
    *, wide: tuple[float, float] | None = None, special: bool = True, smooth: bool = True, **options: Any,
) -> list[Sample]:  # fmt: skip
    """Samples of an element-wise primitive of one input, with values between ``low`` and ``high``.

    ``wide`` is the range of the large sample, beyond which a kernel may go another way; by default the narrow one.
    """
    expect = None if function is None else lambda x, *attrs: each(lambda v: function(v, *attrs))(x)
    several = [
        real(3, 4, low=low, high=high), real(low=low, high=high), real(0, 3), strided(real(3, 2, low=low, high=high)),
        backwards(real(5, low=low, high=high)), frozen(real(2, 3, low=low, high=high)),
        np.broadcast_to(real(3, 1, low=low, high=high), (3, 2)),
    ]  # fmt: skip
    samples = [Sample((x,), attrs, expect, smooth=smooth, **options) for x in several]
    big = {**options, "atol": max(options.get("atol", 0), 0)}
    samples.append(Sample((large(*(wide or (low, high))),), attrs, smooth=False, **big))
    if special:
        samples.append(Sample((SPECIAL,), attrs, smooth=False, gradient=False, **options))
    return samples


def binary(
    function: Callable[[float, float], Any] | None, a: tuple[float, float] = (-2.0, 2.0),
    b: tuple[float, float] = (-2.0, 2.0), *, special: bool = True, smooth: bool = True, **options: Any,
) -> list[Sample]:  # fmt: skip
    """Samples of an element-wise primitive of two inputs, with values in the ranges ``a`` and ``b``."""

    def left(*shape: int) -> np.ndarray:
        return real(*shape, low=a[0], high=a[1], salt=1)

    def right(*shape: int) -> np.ndarray:
        return real(*shape, low=b[0], high=b[1], salt=2)

    pairs: list[tuple[Any, Any]] = [
        (left(3, 4), right(3, 4)), (left(3, 1), right(4)), (left(), right(3)), (left(2, 1, 3), right(2, 1)),
        (left(), right()), (left(0, 3), right(1, 3)), (left(0), right()), (strided(left(3, 2)), right(3, 2)),
        (strided(left(2, 3)), strided(right(3))), (backwards(left(5)), frozen(right(5))),
        (left(3), float(right())), (float(left()), right(2, 2)), (left(2), int(max(1, b[1]))),
        (np.broadcast_to(left(2, 1), (2, 3)), right(2, 3)),
    ]  # fmt: skip
    expect = None if function is None else each(function)
    samples = [Sample(p, (), expect, smooth=smooth, **options) for p in pairs]
    samples.append(Sample((large(*a, salt=1), large(*b, salt=2)), smooth=False, **options))
    samples.append(Sample((large(*a, salt=1), float(right())), smooth=False, **options))
    if special:
        grid = np.array(list(itertools.product(SPECIAL, SPECIAL)))
        samples.append(Sample((grid[:, 0].copy(), grid[:, 1].copy()), smooth=False, gradient=False, **options))
    return samples


def comparison(function: Callable[[float, float], bool]) -> list[Sample]:
    equal = array(1.5, -0.0, nan, inf), array(1.5, 0.0, nan, inf)
    expect = lambda a, b: np.vectorize(lambda x, y: bool(function(x, y)), otypes=[bool])(a, b)
    floats = [Sample(s.inputs, (), None if np.size(s.inputs[0]) == LARGE else expect) for s in binary(None)]
    return [*floats, Sample(equal, (), expect), Sample((ints(1, 2, 3), ints(3, 2, 1)), (), expect),
            Sample((bools(True, False), bools(True, True)), (), expect)]  # fmt: skip


@functools.cache  # the same samples for every backend, so that their references are computed once
def plain(rule: Any) -> list[Sample]:
    """What an element-wise primitive is run on that has no samples of its own; nothing for another primitive."""
    makers = {1: unary, 2: binary}
    if rule.kind is None or rule.attrs or rule.kind == "bits" or len(rule.inputs) not in makers:
        return []
    return makers[len(rule.inputs)](None)  # type: ignore[operator]


def integers(function: Callable[..., Any], *rows: Any) -> list[Sample]:
    """Samples of int64 or bool inputs, with a function of Python integers."""
    return [Sample(inputs, (), lambda *v: np.vectorize(function)(*v)) for inputs in rows]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _floor_mod(a: float, b: float) -> float:
    return a - b * math.floor(a / b)


SAMPLES: dict[str, list[Sample]] = {
    "add": [*binary(lambda a, b: a + b), *integers(lambda a, b: a + b, (I3, J3), (I3, 2), (3, I3))],
    "sub": [*binary(lambda a, b: a - b), *integers(lambda a, b: a - b, (I3, J3), (I3, 2), (3, I3))],
    "mul": [*binary(lambda a, b: a * b), *integers(lambda a, b: a * b, (I3, J3))],
    "div": binary(lambda a, b: a / b, b=(0.5, 2.5)),
    "pow": [
        *binary(lambda a, b: a**b, a=(0.3, 3.0), atol=0, rtol=64),
        *integers(lambda a, b: a**b, (I3, ints(0, 2, 3))),
        Sample((array(-1.5, 0.0, 2.0, -2.0), 2.0), (), each(pow), slopes=(array(-3.0, 0.0, 4.0, -4.0),), smooth=False),
        Sample((array(-1.5, 0.0, 2.0), 3), (), each(pow), slopes=(array(6.75, 0.0, 12.0),), smooth=False),
        Sample((array(0.0, -2.0, 3.0), 0.0), (), each(pow), slopes=(0.0,), smooth=False),
        Sample((array(0.0, 3.0), array(2.0, 0.0)), (), each(pow), smooth=False, slopes=(0.0, array(0.0, math.log(3)))),
        Sample((2.0, array(0.0, 3.0)), (), each(pow), slopes=(array(math.log(2), 8 * math.log(2)),)),
    ],
    "neg": [*unary(lambda x: -x), *integers(lambda x: -x, (I3,))],
    "reciprocal": unary(lambda x: 1 / x, 0.4, 3.0),
    "square": [*unary(lambda x: x * x), *integers(lambda x: x * x, (I3,))],
    "sqrt": unary(math.sqrt, 0.3, 4.0),
    "rsqrt": unary(lambda x: 1 / math.sqrt(x), 0.3, 4.0),
    "abs": [*unary(abs), *integers(abs, (I3,)), Sample((array(0.0, -0.0),), slopes=(0.0,), smooth=False)],
    "sign": [*unary(lambda x: math.copysign(1, x)), *integers(lambda x: int(x > 0) - int(x < 0), (I3,)),
             Sample((array(0.0, 3.0),), (), lambda x: array(0, 1), slopes=(0.0,), smooth=False)],
    "fmod": [*binary(math.fmod, (2.1, 2.9), (0.6, 0.9)), *integers(math.fmod, (I3, J3)),
             Sample((array(-7.0, 7.0, -7.5), array(3.0, -3.0, 2.0)), (), each(math.fmod), smooth=False, slopes=(1.0, array(2, 2, 3)))],
    "remainder": [*binary(_floor_mod, (2.1, 2.9), (0.6, 0.9), atol=8), *integers(lambda a, b: a % b, (I3, J3)),
                  Sample((array(-7.0, 7.0, -7.5), array(3.0, -3.0, 2.0)), (), each(_floor_mod), smooth=False, slopes=(1.0, array(3, 3, 4)))],
    "atan2": [*binary(math.atan2, (0.3, 2.0), (-2.0, 2.0)), Sample((array(-1.0, 1.0), array(-2.0, 0.0)), (), each(math.atan2))],
    "exp": unary(math.exp, wide=(-80, 80)),
    "expm1": unary(math.expm1, wide=(-80, 80)),
    "log": unary(math.log, 0.2, 5.0, wide=(1e-30, 1e6)),
    "log1p": unary(math.log1p, -0.7, 5.0, wide=(-0.9, 1e6)),
    "log2": unary(math.log2, 0.2, 5.0),
    "log10": unary(math.log10, 0.2, 5.0),
    "erf": unary(math.erf, wide=(-7, 7)),
    "sin": unary(math.sin, wide=(-300, 300), atol=1),
    "cos": unary(math.cos, wide=(-300, 300), atol=1),
    "tan": unary(math.tan, -1.3, 1.3),
    "asin": unary(math.asin, -0.9, 0.9),
    "acos": unary(math.acos, -0.9, 0.9),
    "atan": unary(math.atan, wide=(-50, 50)),
    "sinh": unary(math.sinh, wide=(-80, 80)),
    "cosh": unary(math.cosh, wide=(-80, 80)),
    "tanh": unary(math.tanh, wide=(-20, 20)),
    "asinh": unary(math.asinh, wide=(-1e6, 1e6)),
    "acosh": unary(math.acosh, 1.2, 5.0, wide=(1.05, 1e6)),
    "atanh": unary(math.atanh, -0.9, 0.9),
    "sigmoid": unary(sigmoid, wide=(-80, 80)),
    "relu": [*unary(lambda x: max(x, 0.0)), *integers(lambda x: max(x, 0), (I3,)),
             Sample((array(0.0, -0.0, 1.0),), slopes=(array(0, 0, 1),), smooth=False)],
    "leaky_relu": [*unary(lambda x, s: x if x > 0 else s * x, attrs=(0.1,)),
                   Sample((array(0.0, -1.0, 1.0),), (0.25,), slopes=(array(0.25, 0.25, 1),), smooth=False)],
    "silu": unary(lambda x: x * sigmoid(x), wide=(-80, 80)),
    "elu": [*unary(lambda x, a, i, s: x * s if x > 0 else a * math.expm1(x * i), attrs=(1.25, 0.75, 1.5), wide=(-80, 80)),
            Sample((array(0.0, -1e4, 1e4),), (2.0, 0.5, 3.0), slopes=(array(1, 0, 3),), smooth=False)],
    "hardtanh": [*unary(lambda x, a, b: min(max(x, a), b), attrs=(-0.507, 1.209)),
                 Sample((array(-1.0, 1.0, 0.0, -2.0, 2.0),), (-1.0, 1.0), slopes=(array(0, 0, 1, 0, 0),), smooth=False)],
    "hardsigmoid": [*unary(lambda x: min(max(x + 3, 0), 6) / 6, -2.9, 2.9, wide=(-9, 9), atol=2),
                    Sample((array(-3.0, 3.0, 0.0, -4.0, 4.0),), slopes=(array(0, 0, 1 / 6, 0, 0),), smooth=False)],
    "hardswish": [*unary(lambda x: x * min(max(x + 3, 0), 6) / 6, -2.9, 2.9, wide=(-9, 9), atol=2),
                  Sample((array(-3.0, 3.0, 0.0, -4.0, 4.0),), slopes=(array(0, 1, 0.5, 0, 1),), smooth=False)],
    "mish": unary(lambda x: x * math.tanh(max(x, 0) + math.log1p(math.exp(-abs(x)))), wide=(-80, 80), atol=4),
    "logsigmoid": unary(lambda x: min(x, 0) - math.log1p(math.exp(-abs(x))), wide=(-80, 80)),
    "threshold": [*unary(lambda x, t, v: v if x <= t else x, attrs=(0.317, 2.5)),
                  Sample((array(0.0, -1.0, 1.0),), (0.0, 0.5), slopes=(array(0, 0, 1),), smooth=False)],
    "hardshrink": [*unary(lambda x, b: 0.0 if abs(x) <= b else x, attrs=(0.5078125,)),
                   Sample((array(0.5, -0.5, 0.0, 1.0, -1.0),), (0.5,), slopes=(array(0, 0, 0, 1, 1),), smooth=False)],
    "softshrink": [*unary(lambda x, b: math.copysign(max(abs(x) - b, 0.0), x), attrs=(0.5078125,)),
                   Sample((array(0.5, -0.5, 0.0, 1.0, -1.0),), (0.5,), slopes=(array(0, 0, 0, 1, 1),), smooth=False)],
    "softplus": [*unary(lambda x, b, t: x if b * x > t else math.log1p(math.exp(b * x)) / b, attrs=(1.0, 20.0), wide=(-80, 80)),
                 *unary(lambda x, b, t: x if b * x > t else math.log1p(math.exp(b * x)) / b, attrs=(2.5, 3.0))],
    "gelu": unary(lambda x: 0.5 * x * math.erfc(-x / math.sqrt(2)), atol=4, wide=(-8, 8)),
    "gelu_tanh": unary(lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))), atol=4, wide=(-8, 8)),
    "maximum": [*binary(max), *integers(max, (I3, J3)),
                Sample((array(1.0, 2.0, 3.0), array(1.0, 3.0, 2.0)), smooth=False, slopes=(array(0.5, 0, 1), array(0.5, 1, 0)))],
    "minimum": [*binary(min), *integers(min, (I3, J3)),
                Sample((array(1.0, 2.0, 3.0), array(1.0, 3.0, 2.0)), smooth=False, slopes=(array(0.5, 1, 0), array(0.5, 0, 1)))],
    "clamp": [
        *unary(lambda x, a, b: min(max(x, a), b), attrs=(-0.507, 1.209)),
        *unary(lambda x, a, b: max(x, a), attrs=(-0.507, None), special=False),
        *unary(lambda x, a, b: min(x, b), attrs=(None, 1.209), special=False),
        *[Sample((I3,), a, lambda x, lo, hi: np.clip(x, lo, hi)) for a in ((-1, 5), (None, 2))],
        Sample((array(-1.0, 1.0, 0.0, -2.0, 2.0),), (-1.0, 1.0), slopes=(array(1, 1, 1, 0, 0),), smooth=False),
    ],
    "where": [
        Sample((c, a, b), (), lambda c, a, b: np.array([x if t else y for t, x, y in zip(*map(np.ravel, np.broadcast_arrays(c, a, b)))]).reshape(np.broadcast_shapes(np.shape(c), np.shape(a), np.shape(b))))
        for c, a, b in (
            (bools(True, False, True), real(3), real(3, salt=1)), (bools([True], [False]), real(3), real(2, 1, salt=1)),
            (np.array(True), real(2), real()), (bools(True, False), real(2), np.array(-1.5)), (bools(False, True), real(), real(2)),
            (strided(real(2, 3)) > 0, strided(real(2, 3)), real(3, salt=1)), (np.zeros((0, 2), bool), real(0, 2), real(1, 2)),
            (np.array(False), real(), real(salt=1)), (bools(True, False, False), I3, J3), (bools(True, False), 1.0, real(2)),
        )
    ] + [Sample((large(-1, 1) > 0, large(-1, 1), large(-2, 2, 1)), smooth=False)],
    "floor": [*unary(lambda x: math.floor(x)), Sample((array(-1.0, 2.0, 0.0),), slopes=(0.0,), smooth=False)],
    "ceil": unary(lambda x: math.ceil(x)),
    "trunc": unary(lambda x: math.trunc(x)),
    "round": [*unary(lambda x: round(x), -1.4, 1.4), Sample((array(0.5, 1.5, 2.5, -0.5, -1.5),), (), lambda x: array(0, 2, 2, 0, -2), smooth=False)],
}  # fmt: skip


SAMPLES |= {
    "eq": comparison(lambda a, b: a == b), "ne": comparison(lambda a, b: a != b),
    "lt": comparison(lambda a, b: a < b), "le": comparison(lambda a, b: a <= b),
    "gt": comparison(lambda a, b: a > b), "ge": comparison(lambda a, b: a >= b),
    "logical_and": comparison(lambda a, b: bool(a) and bool(b)),
    "logical_or": comparison(lambda a, b: bool(a) or bool(b)),
    "logical_xor": comparison(lambda a, b: bool(a) != bool(b)),
    "floor_divide": [*binary(lambda a, b: a // b, special=False), *integers(lambda a, b: a // b, (I3, J3), (I3, 2))],
    "bitwise_and": integers(lambda a, b: a & b, (I3, J3), (I3, 6), (bools(True, False), bools(True, True))),
    "bitwise_or": integers(lambda a, b: a | b, (I3, J3), (bools(True, False), bools(False, False))),
    "bitwise_xor": integers(lambda a, b: a ^ b, (I3, J3), (bools(True, False), bools(True, True))),
    "bitwise_not": [*integers(lambda a: ~a, (I3,)), Sample((bools(True, False),), (), lambda x: bools(False, True))],
    "logical_not": [Sample((x,), (), lambda x: np.array([not v for v in x.ravel()]).reshape(x.shape))
                    for x in (array(0.0, -0.0, nan, 2.0), I3, bools(True, False), scalar(0.0), real(0, 2))],
    "isnan": [Sample((x,), (), lambda x: np.vectorize(math.isnan, otypes=[bool])(x)) for x in (SPECIAL, scalar(nan), strided(real(2, 3)), real(0, 2))],
    "isinf": [Sample((x,), (), lambda x: np.vectorize(math.isinf, otypes=[bool])(x)) for x in (SPECIAL, scalar(inf), real(0, 2))],
    "isfinite": [Sample((x,), (), lambda x: np.vectorize(math.isfinite, otypes=[bool])(x)) for x in (SPECIAL, I3, scalar(inf), real(0, 2))],
    "zeros_like": [Sample((x,), (), lambda x: x * 0) for x in (real(2, 3), real(), real(0, 2), strided(real(3, 2)), I3)],
    "cast": [
        *[Sample((x,), (np.dtype(np.float64),), lambda x, d: x) for x in (real(2, 3), real(), strided(real(3, 2)), real(0, 2))],
        Sample((real(2, 3),), (np.dtype(np.float32),), lambda x, d: x, smooth=False, slopes=(1.0,)),
        Sample((array(-1.7, 2.9),), (np.dtype(np.int64),), lambda x, d: ints(-1, 2), smooth=False, gradient=False),
        Sample((ints(3, -4),), (np.dtype(np.float64),), lambda x, d: array(3, -4)),
        Sample((SPECIAL,), (np.dtype(np.float64),), smooth=False, gradient=False), Sample((large(-1, 1),), (np.dtype(np.float64),), smooth=False),
        Sample((array(0.0, -0.5),), (np.dtype(bool),), lambda x, d: bools(False, True), smooth=False, gradient=False),
    ],
    "copy": [Sample((x,), (), lambda x: x) for x in (real(2, 3), real(), strided(real(3, 2)), real(0, 2), frozen(real(2)), I3)] + [Sample((large(-1, 1),), smooth=False)],
    "transfer": [Sample((real(2, 3),), (HERE, CPU, False), lambda x, a, b, n: x), Sample((real(),), (HERE, HERE, True), lambda x, a, b, n: x), Sample((real(0, 2),), (HERE, CPU, True))],
    "overwrite": [
        Sample((x, v), (), lambda x, v: np.zeros(x.shape) + v)
        for x, v in ((real(2, 3), real(2, 3, salt=1)), (real(2, 3), real(3)), (strided(real(2, 3)), real()), (real(), real(salt=1)), (real(0, 2), real(2)))
    ],
}  # fmt: skip
