"""Tensors of other sizes: one dimension after the other, each element a weighted sum of places."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import accumulate
from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor, not_for
from .avg_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .factories import arange
from .memory_order import row_by_row

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

# One tap: for each place of the result, where to look and how much that counts; None counts fully.
Tap = tuple[list[int], "list[float] | None"]

RANK = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
STEPS = {
    "nearest": "UpsampleNearest{}DBackward0", "nearest-exact": "UpsampleNearestExact{}DBackward0",
    "linear": "UpsampleLinear1DBackward0", "bilinear": "UpsampleBilinear2DBackward0",
    "bicubic": "UpsampleBicubic2DBackward0", "trilinear": "UpsampleTrilinear3DBackward0",
}  # fmt: skip


# Where to look


def _ratio(size: int, count: int, scale: float | None, corners: bool) -> float:
    """How far apart, in places of the input, neighbours of the result lie."""
    if corners:
        return (size - 1) / (count - 1) if count > 1 else 0.0
    return 1.0 / scale if scale else size / count


def _spaced(kind: dtypes.dtype, count: int, shift: float, ratio: float) -> list[float]:
    """``(0 + shift) ratio, (1 + shift) ratio, ...``, rounded as the type ``kind`` rounds."""
    line = P.mul(P.add(arange(count, dtype=kind, device="cpu"), shift), ratio)
    return list(line.tolist())


def _nearest(
    kind: dtypes.dtype, size: int, count: int, scale: float | None, corners: bool, exact: bool = False
) -> list[Tap]:
    if size == count:
        return [(list(range(size)), None)]
    where = _spaced(dtypes.float32, count, 0.5 if exact else 0.0, _ratio(size, count, scale, False))
    return [([min(int(w), size - 1) for w in where], None)]


def _sources(kind: dtypes.dtype, size: int, count: int, scale: float | None, corners: bool, clip: bool) -> list[float]:
    """Where each element of the result lies among the places of the input."""
    ratio = _ratio(size, count, scale, corners)
    if corners:
        return _spaced(kind, count, 0.0, ratio)
    where = [w - 0.5 for w in _spaced(kind, count, 0.5, ratio)]
    return [max(w, 0.0) for w in where] if clip else where


def _linear(kind: dtypes.dtype, size: int, count: int, scale: float | None, corners: bool) -> list[Tap]:
    where = _sources(kind, size, count, scale, corners, True)
    first = [min(int(w), size - 1) for w in where]
    second = [min(i + 1, size - 1) for i in first]
    parts = [min(max(w - i, 0.0), 1.0) for w, i in zip(where, first, strict=True)]
    return [(first, [1 - p for p in parts]), (second, parts)]


def _cubic_weights(t: Any, a: float = -0.75) -> tuple[Any, Any, Any, Any]:
    """The weights of the four nearest places, ``t`` behind the second: cubic convolution (Keys, 1981)."""

    def inner(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def outer(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return outer(t + 1), inner(t), inner(1 - t), outer(2 - t)


def _cubic(kind: dtypes.dtype, size: int, count: int, scale: float | None, corners: bool) -> list[Tap]:
    where = _sources(kind, size, count, scale, corners, False)
    base = [math.floor(w) for w in where]
    rows = [_cubic_weights(w - b) for w, b in zip(where, base, strict=True)]
    return [
        ([min(max(b + k - 1, 0), size - 1) for b in base], [row[k] for row in rows]) for k in range(4)
    ]  # fmt: skip


def _triangle(d: float) -> float:
    return max(1 - abs(d), 0.0)


def _keys(d: float) -> float:
    d, a = abs(d), -0.5
    if d < 1:
        return ((a + 2) * d - (a + 3)) * d * d + 1
    return (((d - 5) * d + 8) * d - 4) * a if d < 2 else 0.0


def _smoothed(
    kind: dtypes.dtype,
    size: int,
    count: int,
    scale: float | None,
    corners: bool,
    filter: Callable[[float], float],
    reach: int,
) -> list[Tap]:
    """Taps of a filter that is stretched over all places that one of the result stands for."""
    ratio = _ratio(size, count, scale, corners)
    stretch = max(ratio, 1.0)
    support = reach * stretch
    windows = []
    for o in range(count):
        centre = ratio * (o + 0.5)
        begin = max(int(centre - support + 0.5), 0)
        end = min(int(centre + support + 0.5), size)
        weights = [filter((k - centre + 0.5) / stretch) for k in range(begin, end)]
        total = sum(weights) or 1.0
        windows.append((begin, [w / total for w in weights]))
    most = max(len(w) for _, w in windows)
    return [
        (
            [min(begin + k, size - 1) for begin, _ in windows],
            [weights[k] if k < len(weights) else 0.0 for _, weights in windows],
        )
        for k in range(most)
    ]


def _taps(mode: str, antialias: bool) -> Callable[..., list[Tap]]:
    if mode in ("nearest", "nearest-exact"):
        return partial(_nearest, exact=mode != "nearest")
    if antialias:
        filter, reach = (_keys, 2) if mode == "bicubic" else (_triangle, 1)
        return partial(_smoothed, filter=filter, reach=reach)
    return _cubic if mode == "bicubic" else _linear


@lru_cache(maxsize=256)
def _plan(
    mode: str, antialias: bool, kind: dtypes.dtype, size: int, count: int, scale: float | None, corners: bool
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]]:
    """The taps of each place of the result as `P.resample` wants them: where they begin, places, weights."""
    taps = _taps(mode, antialias)(kind, size, count, scale, corners)
    terms = [[(where[j], 1.0 if w is None else w[j]) for where, w in taps] for j in range(count)]
    if antialias:  # of filters of several lengths the shorter ones are filled up with zeros
        terms = [[(p, w) for p, w in row if w] for row in terms]
    starts = tuple(accumulate(map(len, terms), initial=0))
    weights = () if taps[0][1] is None else tuple([w for row in terms for _, w in row])
    return starts, tuple([p for row in terms for p, _ in row]), weights


# The interface


@not_for("bic")
def interpolate(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """(N, C, ...) with other sizes behind N and C.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the new sizes, or one for all.
        scale_factor: instead of ``size``, what to multiply the sizes by.
        mode: "nearest", "nearest-exact", "linear" (3-d), "bilinear" and "bicubic" (4-d), "trilinear" (5-d), "area".
        align_corners: whether the first and last elements stay where they are; for the linear and cubic modes.
        recompute_scale_factor: take the factor from the sizes instead of ``scale_factor``.
        antialias: smooth where the result is smaller; for "bilinear" and "bicubic".

    Raises:
        ValueError, RuntimeError: arguments that do not go together.
    """
    check_tensor("interpolate", "input", input)
    n = input.ndim - 2
    _check_mode(input, mode, n, align_corners, antialias)
    have = input._array.shape[2:]
    counts, scales = _counts(input, have, size, scale_factor, recompute_scale_factor)
    if 0 in input._array.shape[1:] or min(counts) < 1:
        raise RuntimeError(f"interpolate: sizes must be positive, got {describe(input)} and {counts}")
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[n - 1](input, counts)
    whole = input._array.dtype.kind in "biu"
    if whole and (mode not in ("nearest", "nearest-exact") and input.dtype.name != "uint8"):
        raise RuntimeError(f"interpolate: mode {mode!r} needs a floating tensor, got {describe(input)}; use .float()")
    rounded = whole and mode not in ("nearest", "nearest-exact")
    x = input.float() if rounded else input
    kind = dtypes.float64 if x.dtype is dtypes.float64 else dtypes.float32
    # First where that leaves less to do; where it makes no difference, across, since what lies below is added faster
    for i in sorted(range(n), key=lambda i: (counts[i] / have[i], -i)):
        if mode not in ("nearest", "nearest-exact") or have[i] != counts[i]:
            plan = _plan(mode, antialias, kind, have[i], counts[i], scales[i], bool(align_corners))
            x = P.resample(x, 2 + i, *plan)
    if rounded:
        x = P.cast(P.clamp(P.round(x), 0.0, 255.0), input._array.dtype)
    made = P.copy(x) if x._cell is input._cell else x
    return row_by_row(named(made, STEPS[mode].format(n)))


def _check_mode(input: Tensor, mode: str, n: int, corners: bool | None, antialias: bool) -> None:
    if mode not in STEPS and mode != "area":
        raise RuntimeError(f"interpolate: mode must be one of {', '.join([*STEPS, 'area'])}, got {mode!r}")
    if n not in (1, 2, 3) or RANK.get(mode, n) != n:
        raise RuntimeError(
            f"interpolate: mode {mode!r} needs {RANK[mode] + 2 if mode in RANK else '3 to 5'} dimensions, got "
            f"{describe(input)}"
        )
    if corners is not None and mode not in RANK:
        raise ValueError(f"interpolate: align_corners goes with {', '.join(RANK)} only, got mode {mode!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(f"interpolate: antialias goes with 'bilinear' and 'bicubic' only, got mode {mode!r}")


def _counts(
    input: Tensor, have: tuple[int, ...], size: Any, factor: Any, recompute: bool | None
) -> tuple[list[int], list[float | None]]:
    """The sizes of the result, and the factors to compute with where they were given."""
    n = len(have)
    if (size is None) == (factor is None):
        raise ValueError("interpolate: give one of size and scale_factor")
    given = size if size is not None else factor
    several = list(given) if isinstance(given, (tuple, list)) else [given] * n
    if len(several) != n:
        raise ValueError(
            f"interpolate: {describe(input)} needs {n} numbers for {'size' if factor is None else 'scale_factor'}, "
            f"got {given!r}"
        )
    if size is not None:
        if recompute:
            raise ValueError("interpolate: recompute_scale_factor needs scale_factor, not size")
        return [int(k) for k in several], [None] * n
    factors = [float(f) for f in several]
    counts = [math.floor(h * f) for h, f in zip(have, factors, strict=True)]
    return counts, [None] * n if recompute else [f if f > 0 else None for f in factors]


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """``interpolate`` under its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """``interpolate`` with mode "nearest", under its old name."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """``interpolate`` with mode "bilinear" and aligned corners, under its old name."""
    return interpolate(input, size, scale_factor, "bilinear", True)
