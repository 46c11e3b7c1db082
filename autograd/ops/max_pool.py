"""The largest element of each window, where it lies, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from ..views import own
from .args import check_tensor, not_for
from .checks import refuse_out_of_range
from .spatial import places_of, pooled, remembered, sizes, steps_of, with_batch

__all__ = [
    "adaptive_max_pool1d", "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

Lines = tuple[tuple[int, ...], ...]


def _picked(x: Tensor, found: Tensor) -> Tensor:
    """The elements of (N, C, *size) that the numbers say."""
    batch, channels, *size = x._array.shape
    shape = found._array.shape
    flat = P.reshape(x, (batch, channels, math.prod(size)))
    return P.reshape(P.gather(flat, P.reshape(found, (batch, channels, math.prod(shape[2:]))), 2), shape)


def _result(name: str, n: int, x: Tensor, places: tuple[Lines, ...], alone: bool, wanted: bool) -> Any:
    found = P.largest_of_windows(x, places)
    out = _picked(x, found)
    if alone:
        out, found = (P.reshape(t, t._array.shape[1:]) for t in (out, found))
    own(out, x)
    named(out, f"{name}{n}DWithIndicesBackward0" if n > 1 or name != "AdaptiveMaxPool" else "SqueezeBackward1")
    return (out, found) if wanted else out


# Windows of one size


def _pool(
    n: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, wanted: bool
) -> Any:
    name = f"max_pool{n}d"
    x, alone = with_batch(name, input, n)
    _refuse(name, input, x)
    places = _places(name, x._array.shape[2:], kernel_size, stride, padding, dilation, bool(ceil))
    if places is None:
        raise RuntimeError(f"{name}: no window of {kernel_size} fits into {describe(input)}; the result is too small")
    return _result("MaxPool", n, x, places, alone, wanted)


@remembered
def _places(
    name: str, size: tuple[int, ...], kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> tuple[Lines, ...] | None:
    """Per dimension where the places of all windows lie; None where none fits."""
    n = len(size)
    kernel = sizes(name, "kernel_size", kernel_size, n)
    stride = steps_of(name, stride, kernel, n)
    pad, dilation = sizes(name, "padding", padding, n, low=0), sizes(name, "dilation", dilation, n)
    if any(2 * p > (k - 1) * d + 1 for p, k, d in zip(pad, kernel, dilation, strict=True)):
        raise RuntimeError(
            f"{name}: padding must be at most half of what a window spans, got padding {list(pad)}, kernel_size "
            f"{list(kernel)}, dilation {list(dilation)}"
        )
    count = [pooled(*row, ceil) for row in zip(size, kernel, stride, pad, dilation, strict=True)]
    if min(count) < 1:
        return None
    return tuple([places_of(*row) for row in zip(size, kernel, stride, pad, dilation, count, strict=True)])


def _refuse(name: str, input: Tensor, x: Tensor) -> None:
    if input._array.dtype.kind in "bc":
        raise RuntimeError(f"{name}: not defined for {input.dtype.name} tensors; convert with .float()")
    if 0 in x._array.shape[1:]:
        raise RuntimeError(f"{name}: only the batch may be empty, got {describe(input)}")


def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window; the first one where several tie, which takes all of the gradient.

    Args:
        input: (N, C, L), or (C, L).
        kernel_size: how many places a window has.
        stride: how far apart the windows begin; None for ``kernel_size``.
        padding: places that count for nothing, added at both ends; at most half of a window.
        dilation: how far apart the places of one window lie.
        ceil_mode: whether a window may end beyond the padding, if it begins before.
        return_indices: also give where the elements lie along L.

    Returns:
        (N, C, L'), and the indices.

    Raises:
        RuntimeError: no window fits, or sizes that do not.
    """
    return _pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of (N, C, H, W); see ``max_pool1d``. The indices count through H and W."""
    return _pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of (N, C, D, H, W); see ``max_pool1d``."""
    return _pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


# A number of windows


def bins(size: int, count: int) -> list[range]:
    """The places of each of ``count`` windows that share ``size`` places as evenly as may be."""
    return [range(o * size // count, -((-(o + 1) * size) // count)) for o in range(count)]


def output_sizes(name: str, x: Tensor, output_size: Any, n: int) -> tuple[int, ...]:
    """The sizes asked for, with None replaced by the size there is."""
    several = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * n
    if len(several) != n:
        raise RuntimeError(f"{name}: output_size must be one number or {n}, got {output_size!r}")
    have = x._array.shape[2:]
    return sizes(name, "output_size", [m if k is None else k for k, m in zip(several, have, strict=True)], n, low=0)


def _adaptive(n: int, input: Tensor, output_size: Any, wanted: bool) -> Any:
    name = f"adaptive_max_pool{n}d"
    x, alone = with_batch(name, input, n)
    _refuse(name, input, x)
    counts = output_sizes(name, x, output_size, n)
    places = []
    for size, count in zip(x._array.shape[2:], counts, strict=True):
        windows = bins(size, count)
        most = max((len(w) for w in windows), default=1)
        places.append(tuple([tuple([w[min(k, len(w) - 1)] for w in windows]) for k in range(most)]))
    return _result("AdaptiveMaxPool", n, x, tuple(places), alone, wanted)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of ``output_size`` windows that share (N, C, L) evenly; see ``max_pool1d``."""
    return _adaptive(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that share (N, C, H, W) evenly; an ``output_size`` of None keeps the size."""
    return _adaptive(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that share (N, C, D, H, W) evenly."""
    return _adaptive(3, input, output_size, return_indices)


def with_indices(function: Callable[..., Any]) -> Callable[..., Any]:
    def operation(*args: Any, return_indices: bool = True, **kwargs: Any) -> Any:
        return function(*args, **kwargs, return_indices=True)

    operation.__name__ = operation.__qualname__ = function.__name__ + "_with_indices"
    operation.__doc__ = f"``{function.__name__}``, and where the elements lie."
    return operation


max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = map(
    with_indices, (max_pool1d, max_pool2d, max_pool3d)
)
adaptive_max_pool1d_with_indices, adaptive_max_pool2d_with_indices, adaptive_max_pool3d_with_indices = map(
    with_indices, (adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d)
)

# Back


def _unpool(
    n: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    name = f"max_unpool{n}d"
    x, alone = with_batch(name, input, n)
    check_tensor(name, "indices", indices)
    if indices._array.shape != input._array.shape or indices.dtype is not dtypes.int64:
        raise RuntimeError(f"{name}: indices must be int64 of shape {list(input.shape)}, got {describe(indices)}")
    if 0 in x._array.shape[1:]:
        raise RuntimeError(f"{name}: only the batch may be empty, got {describe(input)}")
    kernel = sizes(name, "kernel_size", kernel_size, n)
    stride = steps_of(name, stride, kernel, n)
    pad = sizes(name, "padding", padding, n, low=0)
    batch, channels, *size = x._array.shape
    plain = [(have - 1) * s - 2 * p + k for have, s, p, k in zip(size, stride, pad, kernel, strict=True)]
    whole = plain if output_size is None else _whole(name, output_size, plain, stride, n)
    refuse_out_of_range(name, indices, math.prod(whole), "the result")
    rows, count = batch * channels, math.prod(size)
    zeros = P.expand(P.zeros_like(P.sum(x.detach(), None, False)), (rows, math.prod(whole)))
    out = P.scatter(zeros, P.reshape(indices, (rows, count)), P.reshape(x, (rows, count)), 1)
    out = P.reshape(out, (channels, *whole) if alone else (batch, channels, *whole))
    return named(out, f"MaxUnpool{max(n, 2)}DBackward0")


def _whole(name: str, output_size: Any, plain: list[int], stride: tuple[int, ...], n: int) -> list[int]:
    """The size asked for; of a whole shape the last numbers."""
    asked = [int(k) for k in output_size]
    if len(asked) == n + 2:
        asked = asked[2:]
    if len(asked) != n:
        raise ValueError(f"{name}: output_size must have {n} or {n + 2} numbers, got {output_size!r}")
    for k, have, s in zip(asked, plain, stride, strict=True):
        if not have - s < k < have + s:
            raise ValueError(f"{name}: output_size {asked} must lie within a stride {list(stride)} of {plain}")
    return asked


@not_for("biuc")
def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Zeros with the elements of ``input`` where ``max_pool1d(..., return_indices=True)`` found them.

    Args:
        input: (N, C, L), or (C, L).
        indices: int64 of the same shape.
        kernel_size, stride, padding: of the pooling.
        output_size: the length of the result, where the pooling leaves it open.

    Raises:
        IndexError: an index beyond the result. RuntimeError, ValueError: sizes that do not fit.
    """
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


@not_for("biuc")
def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Zeros with the elements of ``input`` where ``max_pool2d`` found them; see ``max_unpool1d``."""
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


@not_for("biuc")
def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Zeros with the elements of ``input`` where ``max_pool3d`` found them; see ``max_unpool1d``."""
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)
