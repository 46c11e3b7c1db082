"""What convolutions and pooling share: sizes per dimension, batches, places, output sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ...backends import dtypes
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor
from .create import tensor

__all__ = [
    "index_of",
    "nested_index",
    "numbers",
    "places_of",
    "pooled",
    "remembered",
    "sizes",
    "steps_of",
    "with_batch",
]

EVERYTHING = slice(None)


def sizes(name: str, argument: str, value: Any, n: int, *, low: int = 1) -> tuple[int, ...]:
    """One number for each of ``n`` dimensions, from one number or a sequence.

    Raises:
        RuntimeError: another count, or a number below ``low``.
    """
    several = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(several) == 1:
        several *= n
    if len(several) != n:
        raise RuntimeError(f"{name}: {argument} must be one number or {n}, got {value!r}")
    for k in several:
        if isinstance(k, float) or not hasattr(k, "__index__"):
            raise TypeError(f"{name}: {argument} must be of integers, got {value!r}")
    whole = tuple(k.__index__() for k in several)
    if min(whole, default=low) < low:
        raise RuntimeError(f"{name}: {argument} must be at least {low}, got {value!r}")
    return whole


def steps_of(name: str, stride: Any, kernel: tuple[int, ...], n: int) -> tuple[int, ...]:
    """How far apart windows begin: where nothing is said, side by side."""
    nothing = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    return kernel if nothing else sizes(name, "stride", stride, n)


def with_batch(name: str, input: Tensor, n: int) -> tuple[Tensor, bool]:
    """The input as (N, C, ...) with ``n`` dimensions behind, and whether the batch had to be added.

    Raises:
        RuntimeError: another number of dimensions.
    """
    check_tensor(name, "input", input)
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: input must have {n + 2} dimensions (N, C, ...), or {n + 1} without a batch; "
            f"got shape {list(input.shape)}"
        )
    if input.ndim == n + 2:
        return input, False
    return P.reshape(input, (1, *input._array.shape)), True


def remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with its results kept for arguments that are strings, None, integers, or sequences of integers."""
    kept = lru_cache(maxsize=512)(function)

    def answer(*given: Any) -> Any:
        for k, x in enumerate(given):
            if type(x) is list or type(x) is tuple:
                if not all([type(v) is int for v in x]):
                    return function(*given)
                given = (*given[:k], tuple(x), *given[k + 1 :])
            elif x is not None and type(x) not in (int, str, bool):
                return function(*given)
        return kept(*given)

    return answer


def pooled(size: int, kernel: int, stride: int, pad: int, dilation: int = 1, ceil: bool = False) -> int:
    """How many windows there are along one dimension; with ``ceil`` also one that begins inside and ends beyond."""
    room = size + 2 * pad - dilation * (kernel - 1) - 1
    count = (room + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (count - 1) * stride >= size + pad:
        count -= 1
    return count


def index_of(values: Any, like: Tensor) -> Tensor:
    """Integers, nested as they are, as an int64 tensor where ``like`` is."""
    return tensor(values, dtype=dtypes.int64, device=like.device)


def numbers(values: Any, like: Tensor) -> Tensor:
    """Numbers, nested as they are, as a tensor of the type of ``like`` and where it is."""
    return tensor(values, dtype=like.dtype, device=like.device)


@lru_cache(maxsize=512)
def places_of(size: int, kernel: int, stride: int, pad: int, dilation: int, count: int) -> tuple[tuple[int, ...], ...]:
    """For each place in a window, where it lies in each of ``count`` windows.

    One that falls into the padding is replaced by the nearest of its window that does not.
    """
    windows = []
    for o in range(count):
        begin = o * stride - pad
        inside = [k for k in range(kernel) if 0 <= begin + k * dilation < size]
        if not inside:
            raise RuntimeError(
                f"max_pool: window {o} holds nothing but padding: size {size}, kernel_size {kernel}, stride {stride}, "
                f"padding {pad}, dilation {dilation}"
            )
        windows.append([begin + min(max(k, inside[0]), inside[-1]) * dilation for k in range(kernel)])
    return tuple(tuple(w[k] for w in windows) for k in range(kernel))


def nested_index(lines: Sequence[Sequence[int]], shape: Sequence[int], like: Tensor) -> Tensor:
    """The number that each combination of places has among all elements of ``shape``; one dimension per line."""
    total: Any = None
    for axis, (line, _) in enumerate(zip(lines, shape, strict=True)):
        behind = 1
        for n in shape[axis + 1 :]:
            behind *= n
        part = P.reshape(
            index_of([p * behind for p in line], like), (*(1,) * axis, len(line), *(1,) * (len(lines) - axis - 1))
        )
        total = part if total is None else P.add(total, part)
    return total
