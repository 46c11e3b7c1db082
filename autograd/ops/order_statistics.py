"""Statistics of the order of elements: medians, modes and quantiles."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ...backends import dtypes
from ..batching.level import everything
from ..names import named
from ..rule import P
from ..tensor import Tensor
from ..views import own
from . import factories, reduce
from .args import check_tensor, dim_of
from .results import fields

__all__ = ["median", "mode", "nanmedian", "nanquantile", "quantile"]


class median_result(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


class nanmedian_result(NamedTuple):  # noqa: N801
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


class mode_result(NamedTuple):  # noqa: N801
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


def _last(name: str, x: Tensor, dim: Any) -> tuple[Tensor, int]:
    """``x`` with one dimension moved to the end (all of them flattened where ``dim`` is None), and which."""
    if dim is None or not x.ndim:
        return P.reshape(x, (-1,)), 0
    at = dim_of(name, dim, x.ndim)
    order = (*(i for i in range(x.ndim) if i != at), at)
    return (x if at == x.ndim - 1 else P.permute(x, order)), at


def _one(x: Tensor, index: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The elements of ``x`` at ``index`` along its last dimension, which came from ``dim``."""
    values = P.gather(x, P.reshape(index, (*index._array.shape, 1)), x.ndim - 1)
    shape = index._array.shape
    if keepdim:
        shape = (*shape[:dim], 1, *shape[dim:])
    return P.reshape(values, shape), P.reshape(index, shape)


def _middle(name: str, x: Tensor, ignore_nan: bool) -> Tensor:
    """The index of the lower median along the last dimension; of a NaN where there is one and it counts."""
    size = x._array.shape[-1]
    if not size:
        raise RuntimeError(f"{name}: no elements to choose from in shape {list(x.shape)}")
    order = P.argsort(x, x.ndim - 1, False, True)  # NaN comes last
    if x._array.dtype.kind not in "fV":
        return P.slice(order, (*(slice(None),) * (x.ndim - 1), (size - 1) // 2))
    missing = reduce.sum(P.isnan(x), -1, True)
    if ignore_nan:
        rank = P.clamp(P.floor_divide(P.sub(size - 1, missing), 2), 0, None)
    else:
        rank = P.where(P.gt(missing, 0), P.sub(size, missing), (size - 1) // 2)
    return P.reshape(P.gather(order, P.cast(rank, dtypes.int64.numpy), x.ndim - 1), x._array.shape[:-1])


def _median(name: str, x: Tensor, dim: Any, keepdim: bool, ignore_nan: bool) -> Any:
    check_tensor(name, "input", x)
    if x._array.dtype.kind in "bc":
        raise RuntimeError(f"{name}: not defined for {x.dtype.name} tensors")
    flat, at = _last(name, x, dim)
    if dim is None and not x._array.size:
        return P.mul(reduce.sum(P.cast(x, x._array.dtype)), math.nan) if x._array.dtype.kind in "fV" else _none(name, x)
    index = _middle(name, flat.detach(), ignore_nan)
    if dim is None:
        return named(_shared(flat, P.gather(flat.detach(), P.reshape(index, (1,)), 0)), f"{name.title()}Backward0")
    if not x.ndim:
        return P.reshape(flat, ()), P.reshape(index, ())
    return _one(flat, index, at, keepdim)


def _none(name: str, x: Tensor) -> Tensor:
    raise RuntimeError(f"{name}: no elements to choose from in shape {list(x.shape)}")


def _shared(x: Tensor, value: Tensor) -> Tensor:
    """``value`` as an element of the flat ``x``: all that are equal to it share its gradient."""
    if x._node is None:
        return P.reshape(value, ())
    same = P.logical_or(P.eq(x, value), P.logical_and(P.isnan(x), P.isnan(value)))
    return P.amax(P.where(same, x, -math.inf), None, False)


def median(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element, of an even number the lower one; with ``dim`` the values along it and their indices.

    NaN, where there is one, is the median.
    """
    found = _median("median", input, dim, keepdim, False)
    return own(found, input) if dim is None else median_result(*[own(x, input) for x in found])


def nanmedian(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element of those that are not NaN; with ``dim`` the values along it and their indices."""
    found = _median("nanmedian", input, dim, keepdim, True)
    return own(found, input) if dim is None else nanmedian_result(*[own(x, input) for x in found])


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> mode_result:
    """The most frequent value along ``dim``, the smallest of several, and the last index where it stands."""
    check_tensor("mode", "input", input)
    reduce._refuse_kinds("mode", input, "c")
    if not input.ndim:
        return mode_result(P.reshape(input, ()), P.cast(P.zeros_like(input), dtypes.int64.numpy))
    x, at = _last("mode", input, dim)
    size, last = x._array.shape[-1], x.ndim - 1
    if not size:
        raise RuntimeError(f"mode: no elements to choose from in shape {list(input.shape)}")
    order = P.argsort(x.detach(), last, False, True)
    ranked = P.gather(x.detach(), order, last)
    place = factories.arange(size, device=input.device)
    rows = (slice(None),) * last
    same = P.eq(P.slice(ranked, (*rows, slice(1, None))), P.slice(ranked, (*rows, slice(0, size - 1))))
    begins = P.logical_not(P.pad(same, (*((0, 0),) * last, (1, 0)), False))
    starts = P.where(begins, place, 0)
    start = P.gather(starts, P.cummax(starts, last), last)
    end = P.argmax(P.sub(place, start), last, True)
    found = _one(x, P.reshape(P.gather(order, end, last), x._array.shape[:-1]), at, keepdim)
    return mode_result(*[own(v, input) for v in found])


def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The ``q``-th quantiles (numbers from 0 to 1) along ``dim``; NaN where there is a NaN.

    Args:
        q: a number or a 1-d tensor, whose dimension comes first in the result.
        interpolation: "linear", "lower", "higher", "midpoint" or "nearest" between the elements at either side.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """``quantile`` of what is not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


def _quantile(name: str, x: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, ignore_nan: bool) -> Tensor:
    check_tensor(name, "input", x)
    if x._array.dtype.char not in "fd":
        raise RuntimeError(f"{name}: needs a float32 or float64 tensor, got {x.dtype.name}")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}: interpolation must be linear, lower, higher, midpoint or nearest, got {interpolation!r}"
        )
    points = q if isinstance(q, Tensor) else factories.full((), float(q), dtype=x.dtype, device=x.device)
    if points.ndim > 1 or points._array.dtype != x._array.dtype:
        raise RuntimeError(f"{name}: q must be a number or a 1-d tensor of type {x.dtype.name}")
    given = everything(points.detach())
    if not bool(P.all(P.logical_and(P.ge(given, 0), P.le(given, 1)), None, False)):
        raise RuntimeError(f"{name}: q must lie between 0 and 1")
    dim = dim if x.ndim else None
    flat, at = _last(name, x, dim)
    size, last = flat._array.shape[-1], flat.ndim - 1
    if not size:
        raise RuntimeError(f"{name}: the input has no elements along dim {dim}")
    ranked = P.gather(flat, P.argsort(flat.detach(), last, False, True), last)
    missing = P.cast(P.sum(P.cast(P.isnan(flat.detach()), dtypes.int64.numpy), (last,), True), x._array.dtype)
    row = P.reshape(points, (-1,))
    if ignore_nan:
        rank = P.mul(row, P.clamp(P.sub(size - 1, missing), 0, None))
    else:
        rank = P.where(P.gt(missing, 0), float(size - 1), P.mul(row, float(size - 1)))
    found = _between(ranked, rank, last, interpolation)
    return own(_arranged(found, points.ndim, x, dim, at, keepdim))


def _between(ranked: Tensor, rank: Tensor, last: int, interpolation: str) -> Tensor:
    """Elements at fractional ranks."""
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": P.floor, "higher": P.ceil, "nearest": P.round}[interpolation](rank)
    low = P.floor(rank)
    below = P.gather(ranked, P.cast(low, dtypes.int64.numpy), last)
    if interpolation in ("lower", "higher", "nearest"):
        return below
    above = P.gather(ranked, P.cast(P.ceil(rank), dtypes.int64.numpy), last)
    weight = P.sub(rank, low) if interpolation == "linear" else 0.5
    near = P.add(below, P.mul(P.sub(above, below), weight))
    if interpolation == "midpoint":
        return near
    far = P.sub(above, P.mul(P.sub(above, below), P.sub(1.0, weight)))
    return P.where(P.lt(weight, 0.5), near, far)


def _arranged(found: Tensor, points: int, x: Tensor, dim: Any, at: int, keepdim: bool) -> Tensor:
    """The quantiles, which lie along the last dimension, in the shape asked for."""
    if dim is None:
        shape = (1,) * x.ndim if keepdim else ()
        return P.reshape(found, (-1, *shape) if points else shape)
    lead = found.ndim - 1
    found = P.permute(found, (lead, *range(lead)))
    shape = found._array.shape[1:]
    if keepdim:
        shape = (*shape[:at], 1, *shape[at:])
    return P.reshape(found, (found._array.shape[0], *shape) if points else shape)
