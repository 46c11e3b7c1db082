"""Means and power means over windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .max_pool import bins, output_sizes
from .memory_order import row_by_row
from .spatial import numbers, pooled, remembered, sizes, steps_of, with_batch

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "lp_pool1d", "lp_pool2d", "lp_pool3d",
]  # fmt: skip


Plan = tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]]


def _plan(size: int, kernel: int, stride: int, pad: int, count: int, factors: tuple[float, ...]) -> Plan:
    """The sums of windows, times a factor each where there are factors, as `P.resample` wants them."""
    begins = [o * stride - pad for o in range(count)]
    return _of_windows([range(max(b, 0), min(b + kernel, size)) for b in begins], factors)


@lru_cache(maxsize=256)
def _shared(size: int, count: int) -> Plan:
    """The means of windows that share ``size`` places as evenly as may be."""
    windows = bins(size, count)
    return _of_windows(windows, tuple([1 / len(w) for w in windows]))


def _of_windows(windows: list[range], factors: tuple[float, ...]) -> Plan:
    starts = tuple(accumulate(map(len, windows), initial=0))
    weights = tuple([f for f, w in zip(factors, windows, strict=True) for _ in w]) if factors else ()
    return starts, tuple([k for w in windows for k in w]), weights


def _counts(size: int, kernel: int, stride: int, pad: int, count: int, with_padding: bool) -> tuple[int, ...]:
    """How many places of each window count."""
    low, high = (-pad, size + pad) if with_padding else (0, size)
    begins = [o * stride - pad for o in range(count)]
    return tuple([min(b + kernel, high) - max(b, low) for b in begins])


def _whole(x: Tensor, counts: Sequence[Sequence[int]]) -> Tensor:
    """Of integers the sums over how many places count along each dimension, cut off to integers."""
    wide = x.double()
    for axis, c in enumerate(counts):
        wide = P.div(wide, P.reshape(numbers(list(c), wide), (len(c), *(1,) * (len(counts) - axis - 1))))
    return P.cast(wide, x._array.dtype)


def _pool(
    n: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, ceil: bool, with_padding: bool,
    divisor: int | None, name: str = "avg_pool",
) -> Tensor:  # fmt: skip
    name = f"{name}{n}d"
    x, alone = with_batch(name, input, n)
    if 0 in x._array.shape[1:]:
        raise RuntimeError(f"{name}: only the batch may be empty, got {describe(input)}")
    if input._array.dtype.kind in "bc":
        raise RuntimeError(f"{name}: not defined for {input.dtype.name} tensors; convert with .float()")
    size, real = x._array.shape[2:], input._array.dtype.kind not in "iu"
    plans, shares = _plans(name, size, kernel_size, stride, padding, bool(ceil), bool(with_padding), divisor, real)
    if plans is None:
        raise RuntimeError(f"{name}: no window of {kernel_size} fits into {describe(input)}; the result is too small")
    if not plans:
        x = P.mean(x, tuple(range(2, 2 + n)), True)
    for i, plan in enumerate(plans):
        x = P.resample(x, 2 + i, *plan)
    if not real:
        x = _whole(x, shares) if divisor is None else P.cast(P.div(x, divisor), x._array.dtype)
    x = P.reshape(x, x._array.shape[1:]) if alone else x
    return row_by_row(named(x, f"AvgPool{n}DBackward0" if n > 1 else "SqueezeBackward1"))


@remembered
def _plans(
    name: str, size: tuple[int, ...], kernel_size: Any, stride: Any, padding: Any, ceil: bool, with_padding: bool,
    divisor: int | None, real: bool,
) -> tuple[list[Plan] | None, list[tuple[int, ...]]]:  # fmt: skip
    """How to resample each dimension, and how many places of its windows count.

    The plans are None where no window fits, and none where one window holds everything.
    """
    n = len(size)
    kernel = sizes(name, "kernel_size", kernel_size, n)
    stride = steps_of(name, stride, kernel, n)
    pad = sizes(name, "padding", padding, n, low=0)
    if any(2 * p > k for p, k in zip(pad, kernel, strict=True)):
        raise RuntimeError(f"{name}: padding must be at most half of kernel_size, got {list(pad)} and {list(kernel)}")
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor_override must not be zero")
    rows = list(zip(size, kernel, stride, pad, strict=True))
    counts = [pooled(*row, ceil=ceil) for row in rows]
    if min(counts) < 1:
        return None, []
    shares = [_counts(*row, c, with_padding) for row, c in zip(rows, counts, strict=True)]
    if divisor is None and real and counts == [1] * n and kernel == tuple(size):
        return [], shares
    factors = _factors(shares, divisor, real)
    return [_plan(*row, c, f) for row, c, f in zip(rows, counts, factors, strict=True)], shares


def _factors(shares: list[tuple[int, ...]], divisor: int | None, real: bool) -> list[tuple[float, ...]]:
    """What the sums along each dimension are multiplied by: all at once in the last one, where that is one number."""
    if not real:
        return [()] * len(shares)
    if divisor is None and any([len(set(share)) > 1 for share in shares]):
        return [tuple([1 / k for k in share]) for share in shares]
    whole = 1 / (divisor if divisor is not None else math.prod(share[0] for share in shares))
    return [*[()] * (len(shares) - 1), (whole,) * len(shares[-1])]


def avg_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each window.

    Args:
        input: (N, C, L), or (C, L).
        kernel_size: how many places a window has.
        stride: how far apart the windows begin; None for ``kernel_size``.
        padding: zeros at both ends, at most half of a window.
        ceil_mode: whether a window may end beyond the padding, if it begins before.
        count_include_pad: whether the padding counts as places.

    Returns:
        (N, C, L').

    Raises:
        RuntimeError: no window fits, or sizes that do not.
    """
    return _pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, H, W); see ``avg_pool1d``. ``divisor_override`` replaces the count."""
    return _pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, D, H, W); see ``avg_pool2d``."""
    return _pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


# A number of windows


def _adaptive(n: int, input: Tensor, output_size: Any) -> Tensor:
    name = f"adaptive_avg_pool{n}d"
    x, alone = with_batch(name, input, n)
    if input._array.dtype.kind in "biuc":
        raise RuntimeError(f"{name}: not defined for {input.dtype.name} tensors; convert with .float()")
    if 0 in x._array.shape[1:]:
        raise RuntimeError(f"{name}: only the batch may be empty, got {describe(input)}")
    counts = output_sizes(name, x, output_size, n)
    if counts == (1,) * n:
        x = P.mean(x, tuple(range(2, 2 + n)), True)
    else:
        for i, count in enumerate(counts):
            if count != x._array.shape[2 + i]:
                x = P.resample(x, 2 + i, *_shared(x._array.shape[2 + i], count))
        x = P.copy(x) if x is input else x
    x = P.reshape(x, x._array.shape[1:]) if alone else x
    return row_by_row(named(x, f"AdaptiveAvgPool{n}DBackward0" if n > 1 else "SqueezeBackward1"))


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The means of ``output_size`` windows that share (N, C, L) as evenly as may be.

    Raises:
        RuntimeError: sizes that do not fit.
    """
    return _adaptive(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The means of windows that share (N, C, H, W) evenly; an ``output_size`` of None keeps the size."""
    return _adaptive(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The means of windows that share (N, C, D, H, W) evenly."""
    return _adaptive(3, input, output_size)


# Power means


def _lp_pool(n: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil: bool) -> Tensor:
    name = f"lp_pool{n}d"
    kernel = sizes(name, "kernel_size", kernel_size, n)
    power = float(norm_type)
    means = _pool(n, P.pow(input, power), kernel, stride, 0, ceil, True, None, "lp_pool")
    sums = P.mul(P.mul(P.sign(means), P.relu(P.abs(means))), float(math.prod(kernel)))
    return named(P.pow(sums, 1 / power), "PowBackward0")


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """The root of order ``norm_type`` of the sum of the powers in each window of (N, C, L)."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """The root of order ``norm_type`` of the sum of the powers in each window of (N, C, H, W)."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """The root of order ``norm_type`` of the sum of the powers in each window of (N, C, D, H, W)."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)
