"""The samples of every primitive: one line of the table, or a few, for each.

A primitive without samples fails the suite. To add some: pick inputs that reach every branch of its rule, 0-d, empty,
broadcast and strided ones among them; give another way to compute the answer (``expect``) where that is cheap; say
``smooth=False`` where finite differences make no sense, and give the ``slopes`` at kinks by hand.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .checks import CPU, HERE, Sample

__all__ = ["SAMPLES"]

nan, inf = math.nan, math.inf
# Past every threshold at which a backend may turn to a parallel kernel, and no multiple of a vector's width.
LARGE = 140_003


# Inputs


def real(*shape: int, low: float = -2.0, high: float = 2.0, salt: int = 0) -> np.ndarray:
    """Fixed irregular numbers, no two of them nearly equal and none within a hundredth of an integer."""
    rng = np.random.default_rng([len(shape), *shape, salt])
    count = math.prod(shape)
    values = low + (high - low) * (rng.permutation(count) + 0.2 + 0.6 * rng.random(count)) / max(count, 1)
    near = np.abs(values - np.rint(values)) < 0.01
    return np.where(near, values + 0.02, values).reshape(shape)


def strided(x: np.ndarray) -> np.ndarray:
    """The same numbers with gaps between them and the axes stored in reverse order."""
    memory = np.zeros(tuple(2 * n for n in reversed(x.shape)))
    view = memory.T[tuple(slice(0, 2 * n, 2) for n in x.shape)]
    view[...] = x
    return view


def backwards(x: np.ndarray) -> np.ndarray:
    """The same numbers, stored from the last to the first."""
    return np.flip(np.flip(x).copy())


def frozen(x: np.ndarray) -> np.ndarray:
    """The same numbers in read-only memory."""
    x = x.copy()
    x.flags.writeable = False
    return x


def array(*values: Any) -> np.ndarray:
    return np.array(values, np.float64)


def scalar(value: float) -> np.ndarray:
    return np.array(value, np.float64)


def ints(*values: Any) -> np.ndarray:
    return np.array(values, np.int64)


def bools(*values: Any) -> np.ndarray:
    return np.array(values, bool)


@functools.cache
def large(low: float, high: float, salt: int = 0) -> np.ndarray:
    values = np.random.default_rng([LARGE, salt]).random(LARGE)
    return low + (high - low) * values


# Families of samples

SPECIAL = array(nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 3e-39, 88.9, -88.9, 104.0, -104.0, 1e4, -1e4, 3e38)


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of Python numbers applied to every element of broadcast arrays."""
    return np.vectorize(lambda *v: float(function(*[float(x) for x in v])), otypes=[float])


def unary(
    function: Callable[[float], float] | None, low: float = -2.0, high: float = 2.0, attrs: tuple[Any, ...] = (),
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


def integers(function: Callable[..., Any], *rows: Any) -> list[Sample]:
    """Samples of int64 or bool inputs, with a function of Python integers."""
    return [Sample(inputs, (), lambda *v: np.vectorize(function)(*v)) for inputs in rows]


# The table

SAMPLES: dict[str, list[Sample]] = {}


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _floor_mod(a: float, b: float) -> float:
    return a - b * math.floor(a / b)


I3, J3 = ints(-5, 0, 7), ints(2, 3, -4)

SAMPLES |= {
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
    "sigmoid": unary(_sigmoid, wide=(-80, 80)),
    "relu": [*unary(lambda x: max(x, 0.0)), *integers(lambda x: max(x, 0), (I3,)),
             Sample((array(0.0, -0.0, 1.0),), slopes=(array(0, 0, 1),), smooth=False)],
    "leaky_relu": [*unary(lambda x, s: x if x > 0 else s * x, attrs=(0.1,)),
                   Sample((array(0.0, -1.0, 1.0),), (0.25,), slopes=(array(0.25, 0.25, 1),), smooth=False)],
    "silu": unary(lambda x: x * _sigmoid(x), wide=(-80, 80)),
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
                    for x in (array(0.0, -0.0, nan, 2.0), I3, bools(True, False), scalar(0.0))],
    "isnan": [Sample((x,), (), lambda x: np.vectorize(math.isnan, otypes=[bool])(x)) for x in (SPECIAL, scalar(nan), strided(real(2, 3)))],
    "isinf": [Sample((x,), (), lambda x: np.vectorize(math.isinf, otypes=[bool])(x)) for x in (SPECIAL, scalar(inf), real(0, 2))],
    "isfinite": [Sample((x,), (), lambda x: np.vectorize(math.isfinite, otypes=[bool])(x)) for x in (SPECIAL, I3)],
    "zeros_like": [Sample((x,), (), lambda x: x * 0) for x in (real(2, 3), real(), real(0, 2), strided(real(3, 2)), I3)],
    "cast": [
        *[Sample((x,), (np.dtype(np.float64),), lambda x, d: x) for x in (real(2, 3), real(), strided(real(3, 2)), real(0, 2))],
        Sample((real(2, 3),), (np.dtype(np.float32),), lambda x, d: x, smooth=False, slopes=(1.0,)),
        Sample((array(-1.7, 2.9),), (np.dtype(np.int64),), lambda x, d: ints(-1, 2), smooth=False, gradient=False),
        Sample((ints(3, -4),), (np.dtype(np.float64),), lambda x, d: array(3, -4)),
        Sample((array(0.0, -0.5),), (np.dtype(bool),), lambda x, d: bools(False, True), smooth=False, gradient=False),
    ],
    "copy": [Sample((x,), (), lambda x: x) for x in (real(2, 3), real(), strided(real(3, 2)), real(0, 2), frozen(real(2)), I3)],
    "transfer": [Sample((real(2, 3),), (HERE, CPU), lambda x, a, b: x), Sample((real(),), (HERE, HERE), lambda x, a, b: x)],
    "overwrite": [
        Sample((x, v), (), lambda x, v: np.zeros(x.shape) + v)
        for x, v in ((real(2, 3), real(2, 3, salt=1)), (real(2, 3), real(3)), (strided(real(2, 3)), real()), (real(), real(salt=1)), (real(0, 2), real(2)))
    ],
}  # fmt: skip


# Reductions


def folded(function: Callable[[list[float]], float]) -> Callable[..., np.ndarray]:
    """A reduction from a function of a list of Python numbers, applied to every group of elements."""

    def reduce(x: np.ndarray, dims: Any, *rest: Any) -> np.ndarray:
        *_, keepdim = rest
        dims = tuple(range(x.ndim)) if dims is None else (dims,) if isinstance(dims, int) else dims
        kept = tuple(1 if i in dims else n for i, n in enumerate(x.shape))
        out = np.zeros(kept)
        for place in np.ndindex(kept):
            group = x[tuple(slice(None) if i in dims else slice(p, p + 1) for i, p in enumerate(place))]
            out[place] = function([float(v) for v in group.ravel()])
        return out if keepdim else out.reshape([n for i, n in enumerate(kept) if i not in dims])

    return reduce


DIMS: tuple[tuple[Any, tuple[int, ...] | None, bool], ...] = (
    (real(3, 4), None, False), (real(3, 4), None, True), (real(3, 4), (0,), False), (real(3, 4), (1,), True),
    (real(2, 3, 4), (0, 2), False), (real(2, 3, 4), (1,), False), (real(2, 3, 4), (0, 1, 2), True), (real(), None, False),
    (real(5), (0,), False), (strided(real(3, 4)), (1,), False), (strided(real(3, 4)), None, False),
    (backwards(real(2, 3)), (0,), True), (frozen(real(4)), None, False), (real(3, 1, 2), (1,), False),
)  # fmt: skip
EMPTY_DIMS = ((real(0, 3), None, False), (real(0, 3), (0,), False), (real(0, 3), (1,), False), (real(2, 0), (1,), True))
BIG = np.random.default_rng(5).random((300, 467)) - 0.25
BIG_DIMS = ((BIG, None, False), (BIG, (0,), False), (BIG, (1,), True), (strided(BIG), (1,), False))


def reduction(function: Callable[[list[float]], float], *extra: Any, empty: bool = True, **options: Any) -> list[Sample]:
    """Samples of a reduction; ``extra`` stands between its ``dims`` and ``keepdim``."""
    expect = folded(function)
    rows = (*DIMS, *EMPTY_DIMS) if empty else DIMS
    samples = [Sample((x,), (dims, *extra, keep), expect, atol=8, **options) for x, dims, keep in rows]
    if extra:  # the variance of nothing is nan for every cotangent, which differences over no element cannot see
        samples = [replace(s, smooth=s.inputs[0].size > 0) for s in samples]
    return samples + [Sample((x,), (d, *extra, k), atol=64, rtol=64, **{**options, "smooth": False}) for x, d, k in BIG_DIMS]


def _variance(correction: float) -> Callable[[list[float]], float]:
    def variance(v: list[float]) -> float:
        mean = math.fsum(v) / len(v) if v else nan
        degrees = max(len(v) - correction, 0)
        total = math.fsum((x - mean) ** 2 for x in v)
        return total / degrees if degrees else (nan if not total else inf)

    return variance


def _log_sum(v: list[float]) -> float:
    if not v:
        return -inf
    top = max(v)
    return top if math.isinf(top) else top + math.log(math.fsum(math.exp(x - top) for x in v))


def flags(*shape: int) -> np.ndarray:
    return real(*shape) > 0.5


def along(function: Callable[[list[float]], list[float]]) -> Callable[..., np.ndarray]:
    """What a function of a list of numbers makes of every line along ``dim``."""
    return lambda x, dim, *rest: np.apply_along_axis(lambda v: np.array(function(v.tolist())), dim, x) if x.size else x


def _softmax(v: list[float]) -> list[float]:
    top = max(v)
    total = math.fsum(math.exp(x - top) for x in v)
    return [math.exp(x - top) / total for x in v]


def _log_softmax(v: list[float]) -> list[float]:
    top = max(v)
    total = _log_sum([x - top for x in v])
    return [x - top - total for x in v]


LINES = ((real(3, 4), 1), (real(3, 4), 0), (real(2, 3, 4), 1), (real(5), 0), (strided(real(3, 4)), 1), (backwards(real(2, 3)), 0), (real(0, 3), 1), (frozen(real(2, 2)), 1))
FAR = array([1000.0, 1001.0, -1000.0], [-1e4, 0.0, 1e4])


def lines(function: Callable[[list[float]], list[float]], **options: Any) -> list[Sample]:
    samples = [Sample((x,), (dim,), along(function), **options) for x, dim in LINES]
    return samples + [Sample((x,), (d,), smooth=False, **{**options, "atol": 256, "rtol": 64}) for x, d in ((BIG, 1), (BIG, 0), (strided(BIG), 1))]


def _pick(best: Callable[..., Any]) -> Callable[..., np.ndarray]:
    def pick(x: np.ndarray, dim: int | None, keepdim: bool) -> np.ndarray:
        line = lambda v: v.index(best(v))
        if dim is None:
            return np.full((1,) * x.ndim if keepdim else (), line(x.ravel().tolist()))
        out = np.apply_along_axis(lambda v: line(v.tolist()), dim, x)
        return np.expand_dims(out, dim) if keepdim else out

    return pick


CHOICES = ((real(3, 4), 1, False), (real(3, 4), 0, True), (real(3, 4), None, False), (real(), None, False), (strided(real(3, 4)), 1, False),
           (array(2.0, 5.0, 5.0, 1.0, 1.0), 0, False), (I3, 0, False), (array([3.0, 3.0], [1.0, 1.0]), None, False))  # fmt: skip
TIES = array([3.0, 1.0, 3.0], [1.0, 1.0, 2.0])
ZEROS = array([2.0, 0.0, 3.0], [0.0, 0.0, 1.5], [1.0, 2.0, -3.0])


def _prefixes(v: list[float]) -> list[float]:
    return list(itertools.accumulate(v, lambda a, b: a * b))


def _truth(decide: Callable[..., Any]) -> list[Sample]:
    rows = ((flags(3, 4), None, False), (flags(3, 4), (0,), True), (flags(2, 3, 2), (0, 2), False), (array(0.0, nan), None, False),
            (I3, (0,), False), (np.zeros((0, 2), bool), (0,), False), (np.array(False), None, False), (strided(real(2, 3)), (1,), False))  # fmt: skip
    return [Sample((x,), (d, k), lambda x, d, k: folded(lambda v: decide(v))(x, d, k) != 0) for x, d, k in rows]


SAMPLES |= {
    "sum": [*reduction(math.fsum), Sample((I3,), (None, False), lambda x, d, k: np.array(2)), Sample((bools(True, True),), ((0,), False), lambda x, d, k: np.array(2))],
    "mean": reduction(lambda v: math.fsum(v) / len(v) if v else nan),
    "var": [*reduction(_variance(1), 1), *reduction(_variance(0), 0), Sample((real(3, 1),), ((1,), 1, False), folded(_variance(1)), smooth=False)],
    "amax": [*reduction(max, empty=False), Sample((TIES,), ((1,), False), folded(max), smooth=False, slopes=(array([0.5, 0, 0.5], [0, 0, 1]),)),
             Sample((TIES,), (None, False), smooth=False, slopes=(array([0.5, 0, 0.5], [0, 0, 0]),)), Sample((array(1.0, nan, 2.0),), ((0,), False), smooth=False, gradient=False),
             Sample((real(0, 3),), ((1,), False)), Sample((I3,), ((0,), False), lambda *_: np.array(7))],
    "amin": [*reduction(min, empty=False), Sample((TIES,), ((1,), True), folded(min), smooth=False, slopes=(array([0, 1, 0], [0.5, 0.5, 0]),)),
             Sample((array(1.0, nan, 2.0),), (None, False), smooth=False, gradient=False), Sample((real(0, 3),), ((1,), True))],
    "logsumexp": [*reduction(_log_sum, empty=False), Sample((FAR,), ((1,), False), folded(_log_sum), smooth=False),
                  Sample((array([-inf, -inf], [0.0, -inf], [inf, 1.0]),), ((1,), True), folded(_log_sum), smooth=False, gradient=False)],
    "prod": [Sample((x,), (dim, keep), folded(math.prod)) for x, dim, keep in (
                 (real(3, 4), 1, False), (real(3, 4), 0, True), (strided(real(2, 3)), 0, False), (ZEROS, 1, False), (ZEROS, 0, True),
                 (real(4), 0, False), (real(0, 3), 0, False), (real(2, 0), 0, True), (real(3, 1), 1, False), (I3, 0, False))],
    "cumprod": [*lines(_prefixes)[: len(LINES)], Sample((ZEROS,), (1,), along(_prefixes)), Sample((ZEROS,), (0,), along(_prefixes)), Sample((real(0, 3),), (0,))],
    "cumsum": [*lines(lambda v: list(itertools.accumulate(v)), atol=8), Sample((I3,), (0,), lambda x, d: ints(-5, -5, 2)), Sample((real(0, 3),), (0,))],
    "softmax": [*lines(_softmax), Sample((FAR,), (1,), along(_softmax), smooth=False)],
    "log_softmax": [*lines(_log_softmax, atol=8), Sample((FAR,), (1,), along(_log_softmax), smooth=False)],
    "argmax": [Sample((x,), (d, k), _pick(max)) for x, d, k in CHOICES] + [Sample((array(1.0, nan, 2.0),), (0, False), lambda *_: np.array(1)), Sample((BIG,), (1, False))],
    "argmin": [Sample((x,), (d, k), _pick(min)) for x, d, k in CHOICES] + [Sample((BIG,), (0, True))],
    "any": _truth(any),
    "all": _truth(all),
    "count_nonzero": [Sample((x,), (d,), lambda x, d: folded(lambda v: sum(e != 0 for e in v))(x, d, False).astype(np.int64))
                      for x, d in ((flags(3, 4), None), (array(0.0, nan, 1.0), (0,)), (strided(real(2, 3)), (1,)), (np.zeros((0, 2), bool), (0,)))],
    "argsort": [Sample((x,), (dim, down, True), lambda x, dim, down, s: np.apply_along_axis(
                    lambda v: np.array(sorted(range(len(v)), key=lambda i: -v[i] if down else v[i])), dim, x))
                for x in (real(3, 4), array([2.0, 1.0, 2.0, 1.0], [3.0, 3.0, 0.0, 3.0]), strided(real(3, 4))) for dim in (0, 1) for down in (False, True)],
}  # fmt: skip

# Shapes and indices


def s(*bounds: Any) -> slice:
    return slice(*bounds)


ALL = slice(None)
STEPS = (("slice", ((ALL, s(1, 3)),)), ("permute", ((1, 0),)))
DEEP = (("reshape", ((6, 2),)), ("slice", ((s(0, 6, 2),),)), ("slice", ((ALL, 1),)))
CORNER = (("diagonal", (1, 0, 1)),)


def _walk(x: np.ndarray, steps: Any) -> np.ndarray:
    ways = {"slice": lambda x, i: x[(*i, ...)], "permute": np.transpose, "reshape": np.reshape, "diagonal": np.diagonal}
    for name, attributes in steps:
        x = ways[name](x, *attributes)
    return x


def _scattered(base: np.ndarray, value: Any, steps: Any) -> np.ndarray:
    """``base`` with ``value`` at the places that the view sees, by numbering all places."""
    out = base.copy().ravel()
    out[_walk(np.arange(base.size).reshape(base.shape), steps)] = value
    return out.reshape(base.shape)


def _put(x: np.ndarray, value: Any, where: list[Any], places: Any, accumulate: bool) -> np.ndarray:
    numbers = np.arange(x.size).reshape(x.shape)[tuple(where[p[0]] if isinstance(p, tuple) else p for p in places)]
    out = x.ravel().tolist()
    for i, v in zip(numbers.ravel().tolist(), np.broadcast_to(value, numbers.shape).ravel().tolist()):
        out[i] = out[i] + v if accumulate else v
    return np.array(out, x.dtype).reshape(x.shape)


INDICES: tuple[tuple[tuple[int, ...], list[np.ndarray], tuple[Any, ...]], ...] = (
    ((4, 3), [ints(2, 0, 2, -1)], ((0,),)), ((4, 3), [ints([1, 0], [2, 2])], (ALL, (0,))), ((2, 3, 4), [ints(0, 1, 1), ints(2, 2, 0)], ((0,), (1,))),
    ((2, 3, 4), [ints(1, 0, 0), ints(3, 3, 1)], ((0,), s(1, 3), (1,))), ((3, 2), [bools(True, False, True)], ((0,),)),
    ((2, 3), [bools([True, False, True], [False, False, True])], ((0,),)), ((4,), [ints()], ((0,),)), ((4,), [np.array(-2)], ((0,),)),
    ((2, 3, 2), [ints(1, 1)], (0, (0,), None)), ((), [np.array(True)], ((0,),)), ((3, 2), [ints([0], [2]), ints(0, 1)], ((0,), (1,))),
)  # fmt: skip

GATHERS = (
    ((3, 4), ints([0, 1, 3, 3], [2, 2, 0, 1], [1, 0, 0, 3]), 1), ((3, 4), ints([0, 2, 0, 1]), 0), ((3, 4), ints([0, 0], [3, 2]), 1),
    ((5,), ints(4, 4, 0), 0), ((2, 3, 2), ints([[0, 1]], [[1, 1]]), 1), ((4,), ints(), 0),
)  # fmt: skip


def _gathered(x: np.ndarray, index: np.ndarray, dim: int) -> np.ndarray:
    out = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(index.shape):
        out[place] = x[(*place[:dim], index[place], *place[dim + 1 :])]
    return out


def _scatter(x: np.ndarray, index: np.ndarray, value: np.ndarray, dim: int, add: bool) -> np.ndarray:
    out = x.copy()
    for place in np.ndindex(index.shape):
        at = (*place[:dim], index[place], *place[dim + 1 :])
        out[at] = out[at] + value[place] if add else value[place]
    return out


ROWS = (((5, 3), ints(4, 0, 0, 2)), ((5, 3), ints([1, 2], [2, 2])), ((3,), ints(2, 2)), ((4, 2), np.array(3)), ((4, 2, 2), ints()))


def _lengths(widths: Any, x: np.ndarray, value: float) -> np.ndarray:
    return np.pad(x, widths, constant_values=value) if x.ndim else x


SAMPLES |= {
    "reshape": [Sample((x,), (shape,), lambda x, shape: np.array(x.ravel().tolist()).reshape(shape)) for x, shape in (
        (real(3, 4), (2, 6)), (real(3, 4), (12,)), (real(), (1, 1)), (real(1), ()), (strided(real(3, 4)), (4, 3)), (real(0, 3), (3, 0)),
        (strided(real(3, 4)), (3, 2, 2)), (backwards(real(2, 3)), (6,)))],
    "permute": [Sample((x,), (order,), np.transpose) for x, order in (
        (real(3, 4), (1, 0)), (real(2, 3, 4), (2, 0, 1)), (real(), ()), (real(4), (0,)), (strided(real(2, 3)), (1, 0)), (real(0, 3), (1, 0)))],
    "expand": [Sample((x,), (shape,), lambda x, shape: x + np.zeros(shape)) for x, shape in (
        (real(3, 1), (3, 4)), (real(3), (2, 3)), (real(), (2, 2)), (real(2, 1, 3), (2, 2, 2, 3)), (real(1), (0,)), (real(2, 3), (2, 3)), (real(1, 1), (1, 3)), (strided(real(2, 1)), (2, 2)))],
    "slice": [Sample((x,), (index,), lambda x, index: x[index]) for x, index in (
        (real(4, 3), (s(1, 3),)), (real(4, 3), (ALL, s(0, 3, 2))), (real(4, 3), (1,)), (real(4, 3), (1, -1)), (real(4, 3), ()), (real(), ()), (real(), (None,)),
        (real(4), (None, s(1, None), None)), (real(4, 3), (s(5, 9),)), (strided(real(4, 3)), (s(0, 4, 3), 2)), (real(0, 3), (ALL, 1)))],
    "unslice": [Sample((g,), (shape, index), lambda g, shape, index: _put(np.zeros(shape), g, [], (*index,), False)) for g, shape, index in (
        (real(2, 3), (4, 3), (s(1, 3),)), (real(3), (4, 3), (1,)), (real(), (4, 3), (1, -1)), (real(4, 2), (4, 3), (ALL, s(0, 3, 2))), (real(2, 1), (3,), (s(0, 2), None)), (strided(real(2, 3)), (4, 3), (s(0, 2),)))],
    "diagonal": [Sample((x,), a, np.diagonal) for x, a in (
        (real(3, 4), (0, 0, 1)), (real(3, 4), (1, 0, 1)), (real(4, 3), (-2, 0, 1)), (real(2, 3, 3), (0, 1, 2)), (real(2, 3, 3), (1, 2, 0)), (strided(real(3, 3)), (0, 1, 0)))],
    "undiagonal": [Sample((g,), a, lambda g, shape, *w: _scattered(np.zeros(shape), g, (("diagonal", w),))) for g, a in (
        (real(3), ((3, 4), 0, 0, 1)), (real(2), ((4, 3), -2, 0, 1)), (real(2, 3), ((2, 3, 3), 0, 1, 2)), (strided(real(2, 3)), ((2, 3, 3), 0, 1, 2)))],
    "view_scatter": [Sample((base, value), (steps,), _scattered) for base, value, steps in (
        (real(4, 3), real(2, 4), STEPS), (real(3, 4), real(3), DEEP), (real(4, 4), real(3), CORNER), (real(3), real(), (("slice", ((1,),)),)), (real(2), real(2), ()))],
    "zero_view": [Sample((x,), (steps,), lambda x, steps: _scattered(x, 0.0, steps)) for x, steps in (
        (real(4, 3), STEPS), (real(3, 4), DEEP), (strided(real(4, 4)), CORNER), (real(), (("reshape", ((1,),)),)))],
    "cat": [Sample((xs,), (dim,), lambda xs, dim: np.moveaxis(np.array([r.tolist() for x in xs for r in np.moveaxis(x, dim, 0)]), 0, dim)) for xs, dim in (
        ([real(2, 3), real(1, 3)], 0), ([real(2, 3), real(2, 1), strided(real(2, 2))], 1), ([real(2)], 0), ([real(3), ints(1, 2).astype(float)], 0), ([ints(1, 2), ints(3)], 0), ([real(0, 2), real(1, 2)], 0))],
    "stack": [Sample((xs,), (dim,), lambda xs, dim: np.moveaxis(np.array([x.tolist() for x in xs]), 0, dim)) for xs, dim in (
        ([real(2, 3), real(2, 3, salt=1)], 0), ([real(2, 3), strided(real(2, 3, salt=1))], 2), ([real(), real(salt=1)], 0), ([real(2)], 1))],
    "flip": [Sample((x,), (dims,), lambda x, dims: x[tuple(s(None, None, -1) if i in dims else ALL for i in range(x.ndim))]) for x, dims in (
        (real(3, 4), (0,)), (real(3, 4), (0, 1)), (real(3), (0,)), (strided(real(2, 3)), (1,)), (real(0, 2), (0,)), (real(2, 2), ()))],
    "roll": [Sample((x,), a, lambda x, shifts, dims: x[np.ix_(*[(np.arange(n) - dict(zip(dims, shifts)).get(i, 0)) % n for i, n in enumerate(x.shape)])]) for x, a in (
        (real(3, 4), ((1,), (0,))), (real(3, 4), ((-1, 2), (0, 1))), (real(5), ((7,), (0,))), (strided(real(2, 3)), ((2,), (1,))))],
    "tril": [Sample((x,), (k,), lambda x, k: x * [[float(j <= i + k) for j in range(x.shape[-1])] for i in range(x.shape[-2])]) for x in (real(3, 4), real(2, 3, 3), strided(real(3, 2))) for k in (0, 1, -1)],
    "triu": [Sample((x,), (k,), lambda x, k: x * [[float(j >= i + k) for j in range(x.shape[-1])] for i in range(x.shape[-2])]) for x in (real(3, 4), real(2, 3, 3), strided(real(3, 2))) for k in (0, 1, -1)],
    "pad": [Sample((x,), (widths, value), lambda x, widths, value: _lengths(widths, x, value)) for x, widths, value in (
        (real(2, 3), ((1, 2), (0, 1)), 0.0), (real(3), ((2, 0),), -1.5), (strided(real(2, 2)), ((0, 0), (1, 1)), 1.0), (real(0, 2), ((1, 0), (0, 0)), 7.0), (real(), (), 0.0))],
    "index": [Sample((real(*shape), where), (places,), lambda x, where, places: x[tuple(where[p[0]] if isinstance(p, tuple) else p for p in places)]) for shape, where, places in INDICES],
    "unindex": [Sample((real(*np.zeros(shape)[tuple(w[p[0]] if isinstance(p, tuple) else p for p in places)].shape), w), (places, shape),
                       lambda g, w, places, shape: _put(np.zeros(shape), g, w, places, True)) for shape, w, places in INDICES],
    "index_put": [Sample((real(*shape), v, w), (places, add), _put) for add in (False, True) for shape, v, w, places in (
        ((4, 3), real(2, 3), [ints(2, 0)], ((0,),)), ((4, 3), real(3), [ints(2, 0, 1)], ((0,),)), ((4, 3), real(), [ints(0, -1)], (ALL, (0,))),
        ((2, 3), real(3), [bools([True, False, True], [False, False, True])], ((0,),)), ((4,), real(1), [ints(0, 3)], ((0,),)), ((), real(), [np.array(True)], ((0,),)), ((3, 2), real(2, 1), [ints([0], [2]), ints(0, 1)], ((0,), (1,))))]
        + [Sample((real(3, 2), real(4, 2), [ints(0, 0, 2, 0)]), (((0,),), True), _put)],
    "gather": [Sample((real(*shape), index), (dim,), _gathered) for shape, index, dim in GATHERS],
    "ungather": [Sample((real(*index.shape), index), (shape, dim), lambda g, index, shape, dim: _scatter(np.zeros(shape), index, g, dim, True)) for shape, index, dim in GATHERS],
    "scatter_add": [Sample((real(*shape), index, real(*index.shape, salt=1)), (dim,), lambda *a: _scatter(*a, True)) for shape, index, dim in GATHERS]
        + [Sample((real(3, 4), ints([0, 1], [2, 2]), real(3, 4, salt=1)), (0,), lambda *a: _scatter(*a, True))],
    "scatter": [Sample((real(3, 4), ints([0, 2, 1, 0]), real(1, 4, salt=1)), (0,), lambda *a: _scatter(*a, False)),
                Sample((real(3, 4), ints([0, 1], [2, 0]), real(3, 4, salt=1)), (1,), lambda *a: _scatter(*a, False)),
                Sample((real(4), ints(3, 0), real(2, salt=1)), (0,), lambda *a: _scatter(*a, False)), Sample((real(4), ints(), real(0)), (0,))],
    "take": [Sample((real(*shape), rows), (), lambda x, rows: np.array([x[i] for i in rows.ravel()]).reshape(*rows.shape, *x.shape[1:])) for shape, rows in ROWS],
    "untake": [Sample((real(*rows.shape, *shape[1:]), rows), (shape[0],), lambda g, rows, n: _put(np.zeros((n, *g.shape[rows.ndim :])), g, [rows], ((0,),), True)) for shape, rows in ROWS],
    "nonzero": [Sample((x,), (), lambda x: np.array([p for p in np.ndindex(x.shape) if x[p]], np.int64).reshape(np.count_nonzero(x), x.ndim)) for x in (
        array([0.0, 1.0], [nan, 0.0]), bools(True, False, True), np.zeros((0, 2)), scalar(3.0), scalar(0.0), strided(real(2, 3)), I3)],
}  # fmt: skip

# Products and losses


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("...ij,...jk->...ik", a, b)


def _dense(x: np.ndarray, w: np.ndarray, b: Any, act: str | None) -> np.ndarray:
    ways: dict[Any, Any] = {None: lambda v: v, "relu": lambda v: max(v, 0.0), "tanh": math.tanh, "sigmoid": _sigmoid}
    return each(ways[act])(np.einsum("...i,oi->...o", x, w) + (0.0 if b is None else b))


def _cross_entropy(x: np.ndarray, target: np.ndarray, ignore: int) -> float:
    terms = [-_log_softmax(row.tolist())[t] for row, t in zip(x, target) if t != ignore]
    return math.fsum(terms) / len(terms) if terms else nan


MATRICES = (
    (real(3, 4), real(4, 2)), (real(1, 1), real(1, 1)), (real(3, 4).T, real(3, 2)), (strided(real(2, 3)), strided(real(3, 2))), (real(2, 3, 4), real(4, 2)),
    (real(2, 3, 4), real(2, 4, 2)), (real(2, 1, 2, 3), real(3, 3, 2)), (real(0, 3), real(3, 2)), (real(2, 0), real(0, 3)), (real(2, 3), real(1, 3, 2)), (backwards(real(2, 3)), real(3, 1)),
)  # fmt: skip
LAYERS = (
    (real(3, 4), real(2, 4), real(2)), (real(3, 4), real(2, 4), None), (real(2, 2, 3), real(4, 3), real(4)), (real(0, 3), real(2, 3), real(2)),
    (strided(real(3, 2)), strided(real(4, 2)), real(4)), (real(1, 3), real(1, 3), real(1)), (real(3), real(2, 3), real(2)),
)  # fmt: skip
PAIRS = ((real(3, 4), real(3, 4, salt=1)), (real(), real(salt=1)), (strided(real(2, 3)), real(2, 3, salt=1)), (real(5), real(5, salt=1)))
LOGITS = ((real(4, 3), ints(0, 2, 1, 1)), (real(4, 3), ints(0, -100, 1, -100)), (real(1, 5), ints(4)), (strided(real(3, 4)), ints(3, 0, 0)), (real(2, 1), ints(0, 0)))
WIDE = np.random.default_rng(6).standard_normal((257, 131))

SAMPLES |= {
    "matmul": [Sample(p, (), _product, atol=8) for p in MATRICES] + [Sample((WIDE, WIDE.T), atol=256, smooth=False)],
    "linear": [Sample(layer, (act,), _dense, atol=8) for layer in LAYERS for act in (None, "relu", "tanh", "sigmoid")]
        + [Sample((WIDE, WIDE[:130], b), (act,), atol=256, smooth=False) for act, b in ((None, None), ("relu", WIDE[0, :130]), ("tanh", WIDE[0, :130]), ("sigmoid", None))]
        + [Sample((BIG, BIG[:3], None), (act,), atol=256, smooth=False) for act in (None, "relu")],
    "mse": [Sample(p, (), lambda x, y: math.fsum(((x - y) ** 2).ravel()) / x.size, atol=8) for p in PAIRS]
        + [Sample((real(0, 2), real(0, 2)), (), lambda x, y: np.array(nan), smooth=False), Sample((large(-1, 1), large(-2, 2, 1)), atol=64, smooth=False)],
    "softmax_xent": [Sample(p, (-100,), _cross_entropy, atol=8) for p in LOGITS]
        + [Sample((real(4, 3), ints(0, 2, 1, 1)), (1,), _cross_entropy, atol=8), Sample((FAR, ints(0, 2)), (-100,), _cross_entropy, smooth=False),
           Sample((real(2, 3), ints(7, 7)), (7,), lambda *_: np.array(nan), smooth=False), Sample((real(0, 3), ints()), (-100,), lambda *_: np.array(nan), smooth=False),
           Sample((BIG, np.arange(300) % 467), (-100,), atol=64, smooth=False)],
    "out_of_range": [Sample((t,), (3, -100), lambda t, n, i: np.array(any(v != i and not 0 <= v < n for v in t.ravel().tolist())))
                     for t in (ints(0, 2, 1), ints(0, 3), ints(-1), ints(-100, 0), ints(), np.array(2), ints([0, 5], [1, 1]))],
}  # fmt: skip
