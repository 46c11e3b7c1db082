"""Means and power means over windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .max_pool import bins, output_sizes
from .memory_order import row_by_row
from .shape import pad as constant_pad
from .spatial import EVERYTHING, index_of, numbers, pooled, sizes, steps_of, with_batch

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "lp_pool1d", "lp_pool2d", "lp_pool3d",
]  # fmt: skip


def _window_sums(x: Tensor, dim: int, kernel: int, stride: int, count: int) -> Tensor:
    """The sums of windows along ``dim``: place by place, which adds long rows."""
    if kernel == x._array.shape[dim] and count == 1:
        return P.sum(x, (dim,), True)
    cut = (EVERYTHING,) * dim
    total: Any = None
    for k in range(kernel):
        part = P.slice(x, (*cut, slice(k, k + (count - 1) * stride + 1, stride)))
        total = part if total is None else P.add(total, part)
    return total


def _counts(size: int, kernel: int, stride: int, pad: int, count: int, with_padding: bool) -> list[int]:
    """How many places of each window count."""
    low, high = (-pad, size + pad) if with_padding else (0, size)
    begins = [o * stride - pad for o in range(count)]
    return [min(b + kernel, high) - max(b, low) for b in begins]


def _divided(x: Tensor, counts: Sequence[Sequence[int]]) -> Tensor:
    """The sums (N, C, *count) over the product of how many places count along each dimension."""
    if all(len(set(c)) == 1 for c in counts):
        return P.div(x, float(math.prod(c[0] for c in counts)))
    divisor = None
    for axis, c in enumerate(counts):
        part = P.reshape(numbers(list(c), x), (len(c), *(1,) * (len(counts) - axis - 1)))
        divisor = part if divisor is None else P.mul(divisor, part)
    return P.div(x, divisor)


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
    kernel = sizes(name, "kernel_size", kernel_size, n)
    stride = steps_of(name, stride, kernel, n)
    pad = sizes(name, "padding", padding, n, low=0)
    if any(2 * p > k for p, k in zip(pad, kernel, strict=True)):
        raise RuntimeError(f"{name}: padding must be at most half of kernel_size, got {list(pad)} and {list(kernel)}")
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor_override must not be zero")
    size = x._array.shape[2:]
    rows = list(zip(size, kernel, stride, pad, strict=True))
    counts = [pooled(*row, ceil=ceil) for row in rows]
    if min(counts) < 1:
        raise RuntimeError(f"{name}: no window of {list(kernel)} fits into {describe(input)}; the result is too small")
    ends = [max((c - 1) * s + k - p - m, 0) for c, (m, k, s, p) in zip(counts, rows, strict=True)]
    if any(pad) or any(ends):
        x = constant_pad(x, [w for p, e in zip(reversed(pad), reversed(ends), strict=True) for w in (p, e)])
    for i in range(n):
        x = _window_sums(x, 2 + i, kernel[i], stride[i], counts[i])
    if divisor is not None:
        x = _quotient(x, divisor)
    else:
        shares = [_counts(*row, c, with_padding) for row, c in zip(rows, counts, strict=True)]
        x = _divided(x, shares) if input._array.dtype.kind not in "iu" else _whole(x, shares)
    x = P.reshape(x, x._array.shape[1:]) if alone else x
    return row_by_row(named(x, f"AvgPool{n}DBackward0" if n > 1 else "SqueezeBackward1"))


def _quotient(x: Tensor, divisor: int) -> Tensor:
    return P.div(x, float(divisor)) if x._array.dtype.kind not in "iu" else P.cast(P.div(x, divisor), x._array.dtype)


def _whole(x: Tensor, counts: Sequence[Sequence[int]]) -> Tensor:
    """Of integers the quotient is cut off to an integer."""
    return P.cast(_divided(x.double(), counts), x._array.dtype)


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


def _binned(x: Tensor, dim: int, count: int) -> Tensor:
    """The means of ``count`` windows that share ``dim`` as evenly as may be."""
    size = x._array.shape[dim]
    if count == size:
        return x
    if count and size % count == 0:
        kernel = size // count
        return P.mul(_window_sums(x, dim, kernel, kernel, count), 1 / kernel)
    windows = bins(size, count)
    most = max((len(w) for w in windows), default=1)
    cut, behind = (EVERYTHING,) * dim, (1,) * (x.ndim - dim - 1)
    total = None
    for k in range(most):
        part = P.index(x, [index_of([w[min(k, len(w) - 1)] for w in windows], x)], (*cut, (0,)))
        if any(len(w) <= k for w in windows):
            inside = P.reshape(P.gt(index_of([len(w) for w in windows], x), k), (count, *behind))
            part = P.where(inside, part, P.zeros_like(part))
        total = part if total is None else P.add(total, part)
    return P.div(total, P.reshape(numbers([len(w) for w in windows], x), (count, *behind)))


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
            x = _binned(x, 2 + i, count)
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
