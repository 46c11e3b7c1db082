"""Batching rules of operations on images: of these a batch is a larger batch, or more channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..rule import P
from ..tensor import Tensor
from .elementwise import batch_of, expanded
from .level import Batched

__all__ = ["WINDOWS"]


def _joined(x: Tensor) -> Tensor:
    """(B, N, ...) -> (B N, ...)"""
    b, n, *rest = x._array.shape
    return P.reshape(x, (b * n, *rest))


def _apart(x: Tensor, size: int) -> Tensor:
    """(B N, ...) -> (B, N, ...)"""
    n, *rest = x._array.shape
    return P.reshape(x, (size, n // max(size, 1), *rest))


def _swapped(x: Tensor) -> Tensor:
    return P.permute(x, (1, 0, *range(2, x.ndim)))


def _beside(x: Batched, size: int) -> Tensor:
    """(B, N, C, ...) -> (N, B C, ...)"""
    swapped = _swapped(expanded(x, size))
    n, b, c, *rest = swapped._array.shape
    return P.reshape(swapped, (n, b * c, *rest))


def _from_beside(x: Tensor, size: int) -> Tensor:
    n, channels, *rest = x._array.shape
    return _swapped(P.reshape(x, (n, size, channels // max(size, 1), *rest)))


def _conv(x: Batched, w: Batched, b: Batched | None, *attrs: Any) -> Tensor:
    size = batch_of(x, w, b)
    if not w.batched and (b is None or not b.batched):
        return _apart(P.conv(_joined(x.value), w.value, None if b is None else b.value, *attrs), size)
    bias = None if b is None else _joined(expanded(b, size))
    out = P.conv(_beside(x, size), _joined(expanded(w, size)), bias, *attrs[:-1], attrs[-1] * size)
    return _from_beside(out, size)


def _conv_back(given: Batched, w: Batched, *attrs: Any) -> Tensor:
    size = batch_of(given, w)
    if not w.batched:
        return _apart(P.conv_back(_joined(given.value), w.value, *attrs), size)
    out = P.conv_back(_beside(given, size), _joined(expanded(w, size)), *attrs[:-1], attrs[-1] * size)
    return _from_beside(out, size)


def _conv_weight(x: Batched, given: Batched, *attrs: Any) -> Tensor:
    size = batch_of(x, given)
    return _apart(P.conv_weight(_beside(x, size), _beside(given, size), *attrs[:-1], attrs[-1] * size), size)


def _batch_moments(x: Batched) -> Tensor:
    size = batch_of(x)
    moments = P.batch_moments(_beside(x, size))
    return _swapped(P.reshape(moments, (2, size, moments._array.shape[1] // max(size, 1))))


def _batch_norm(
    x: Batched, moments: Batched | None, weight: Batched | None, bias: Batched | None, of_batch: bool, eps: float
) -> Tensor:
    size = batch_of(x, moments, weight, bias)
    pair = None
    if moments is not None:
        pair = _swapped(expanded(moments, size))
        pair = P.reshape(pair, (2, pair._array.shape[1] * pair._array.shape[2]))
    w, b = [None if p is None else _joined(expanded(p, size)) for p in (weight, bias)]
    return _from_beside(P.batch_norm(_beside(x, size), pair, w, b, of_batch, eps), size)


def _resample(x: Batched, dim: int, *plan: Any) -> Tensor:
    return P.resample(x.value, dim + 1, *plan)


def _grid_sample(x: Batched, grid: Batched, *attrs: Any) -> Tensor:
    size = batch_of(x, grid)
    return _apart(P.grid_sample(_joined(expanded(x, size)), _joined(expanded(grid, size)), *attrs), size)


WINDOWS: dict[str, Callable[..., Tensor]] = {
    "conv": _conv, "conv_back": _conv_back, "conv_weight": _conv_weight,
    "batch_moments": _batch_moments, "batch_norm": _batch_norm, "resample": _resample, "grid_sample": _grid_sample,
}  # fmt: skip
