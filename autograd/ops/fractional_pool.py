"""Max pooling whose windows are placed at random."""

from __future__ import annotations

import math
from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor
from .create import tensor
from .factories import arange
from .max_pool import with_indices
from .random import rand
from .spatial import sizes, with_batch

__all__ = [
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]  # fmt: skip


def _starts(draw: Tensor, size: int, count: int, kernel: int) -> Tensor:
    """Where the windows of one dimension begin, (N, C, count) int64, from one draw (N, C) in [0, 1) each (Graham, 2014,
    the pseudo-random sequence); the last window ends where the dimension does."""
    whole = dtypes.int64
    last = P.add(P.cast(P.zeros_like(draw), whole.numpy), size - kernel)
    if count == 1:
        return last.unsqueeze(2)
    # In the element type of the draw, as PyTorch: a rounding decides where a window begins.
    alpha = tensor((size - kernel) / (count - 1), dtype=draw.dtype, device=draw.device)
    u = draw.unsqueeze(2)
    steps = arange(count - 1, dtype=draw.dtype, device=draw.device)
    begun = P.sub(P.cast(P.mul(P.add(steps, u), alpha), whole.numpy), P.cast(P.mul(u, alpha), whole.numpy))
    return P.cat([begun, last.unsqueeze(2)], 2)


def _counts(name: str, have: tuple[int, ...], output_size: Any, output_ratio: Any) -> tuple[int, ...]:
    n = len(have)
    if output_size is not None:
        return sizes(name, "output_size", output_size, n)
    if output_ratio is None:
        raise ValueError(f"{name}: give one of output_size and output_ratio")
    ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
    return tuple(int(size * ratio) for size, ratio in zip(have, ratios, strict=True))


def _pool(
    n: int, input: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, wanted: bool, samples: Any
) -> Any:
    name = f"fractional_max_pool{n}d"
    x, alone = with_batch(name, input, n)
    batch, channels, *have = x._array.shape
    kernel = sizes(name, "kernel_size", kernel_size, n)
    counts = _counts(name, tuple(have), output_size, output_ratio)
    if samples is None:
        samples = rand((batch, channels, n), dtype=x.dtype, device=x.device)
    check_tensor(name, "_random_samples", samples)
    if alone and samples.ndim == 3 and samples.shape[0] > 1:
        samples = P.slice(samples, (slice(0, 1),))  # without a batch, PyTorch reads the draws of the first
    if tuple(samples.shape) != (batch, channels, n):
        raise RuntimeError(f"{name}: _random_samples must have shape {[batch, channels, n]}, got {describe(samples)}")
    spare = n - 2  # of volumes, PyTorch wants one place more than the windows need
    if any(count + k - 1 + spare > size for count, k, size in zip(counts, kernel, have, strict=True)):
        raise RuntimeError(f"{name}: {list(counts)} windows of {list(kernel)} do not fit into input {describe(input)}")
    found = _largest(x.detach(), samples, counts, kernel)
    out = P.gather(P.reshape(x, (batch, channels, math.prod(have))), found, 2)
    shape = (channels, *counts) if alone else (batch, channels, *counts)
    out = named(P.reshape(out, shape), f"FractionalMaxPool{n}DBackward0")
    return (out, P.reshape(found, shape)) if wanted else out


def _largest(x: Tensor, samples: Tensor, counts: tuple[int, ...], kernel: tuple[int, ...]) -> Tensor:
    """Where the largest element of each window lies in the plane, (N, C, number of windows) int64."""
    batch, channels, *have = x._array.shape
    n = len(have)
    places: Any = 0
    for d, (size, count, width) in enumerate(zip(have, counts, kernel, strict=True)):
        # The draws of two dimensions are for the width and the height, in this order.
        draw = P.slice(samples, (slice(None), slice(None), n - 1 - d if n == 2 else d))
        inside = arange(width, device=x.device)
        line = P.add(_starts(draw, size, count, width).unsqueeze(3), inside)
        shape = [batch, channels, *(1,) * (2 * n)]
        shape[2 + d], shape[2 + n + d] = count, width
        places = P.add(P.mul(places, size), P.reshape(line, tuple(shape))) if d else P.reshape(line, tuple(shape))
    flat = P.reshape(places, (batch, channels, math.prod(counts) * math.prod(kernel)))
    windows = (batch, channels, math.prod(counts), math.prod(kernel))
    values = P.reshape(P.gather(P.reshape(x, (batch, channels, math.prod(have))), flat, 2), windows)
    best = values.argmax(3).unsqueeze(3)
    return P.gather(P.reshape(flat, windows), best, 3).squeeze(3)


def fractional_max_pool2d(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """The largest elements of windows that are placed at random (Graham, 2014).

    Args:
        input: (N, C, H, W), or (C, H, W).
        kernel_size: of a window.
        output_size: how many windows there are in each dimension; or
        output_ratio: that number as a share of the size.
        return_indices: also give where the elements lie.
        _random_samples: (N, C, 2), numbers in [0, 1) in place of drawn ones.

    Returns:
        (N, C, *output_size); and int64 places in the plane, where asked.

    Raises:
        ValueError: neither size nor ratio. RuntimeError: windows that do not fit.
    """
    return _pool(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """The largest elements of windows placed at random, of (N, C, D, H, W); see ``fractional_max_pool2d``."""
    return _pool(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


fractional_max_pool2d_with_indices = with_indices(fractional_max_pool2d)
fractional_max_pool3d_with_indices = with_indices(fractional_max_pool3d)
