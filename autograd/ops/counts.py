"""Counts: of integers, and of numbers in bins."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ...backends import dtypes
from ..rule import P
from ..tensor import Tensor
from . import factories
from .args import check_tensor
from .results import fields

__all__ = ["bincount", "histc", "histogram"]


class histogram_result(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    hist: Tensor
    bin_edges: Tensor

    def __repr__(self) -> str:
        return fields(self)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each non-negative integer occurs, or the sums of the ``weights`` that belong to it.

    Raises:
        RuntimeError: not 1-d, not integers, or a negative number.
    """
    check_tensor("bincount", "input", input)
    if input.ndim != 1 or input._array.dtype.kind not in "iu":
        raise RuntimeError(f"bincount: needs a 1-d tensor of integers, got {input.dtype.name}{list(input.shape)}")
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength must not be negative, got {minlength}")
    if weights is not None and weights._array.shape != input._array.shape:
        raise RuntimeError(f"bincount: weights {list(weights.shape)} must have the shape of input {list(input.shape)}")
    size = int(P.amax(input, None, False).item()) + 1 if input._array.size else 0
    if input._array.size and int(P.amin(input, None, False).item()) < 0:
        raise RuntimeError("bincount: the integers may not be negative")
    kind = dtypes.int64 if weights is None else dtypes.float32 if weights.dtype is dtypes.float32 else dtypes.float64
    each = factories.ones(input._array.shape, dtype=kind, device=input.device) if weights is None else weights.to(kind)
    return P.ungather(each.detach(), input.to(dtypes.int64), (max(size, minlength),), 0)


def _limits(name: str, x: Tensor, low: float, high: float) -> tuple[float, float]:
    if low == high == 0 and x._array.size:
        low, high = float(P.amin(x, None, False).item()), float(P.amax(x, None, False).item())
    if low == high:
        margin = 1 if name == "histc" else 0.5
        low, high = low - margin, high + margin
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: the range from {low} to {high} is not finite")
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min, got {high} and {low}")
    return low, high


def _counted(x: Tensor, weights: Tensor | None, edges: Tensor, place: Tensor) -> Tensor:
    """How many elements of the flat ``x`` lie in each bin; ``place`` is where they are thought to be."""
    bins = edges._array.shape[0] - 1
    inside = P.logical_and(P.ge(x, P.slice(edges, (0,))), P.le(x, P.slice(edges, (bins,))))
    place = P.clamp(P.where(inside, place, 0), 0, bins - 1)
    each = P.cast(inside, x._array.dtype)
    return P.ungather(each if weights is None else P.mul(each, weights), place, (bins,), 0)


def _even(x: Tensor, bins: int, low: float, high: float) -> Tensor:
    """The bins, all of one width, in which elements lie."""
    scaled = P.mul(P.div(P.sub(x, low), high - low), float(bins))
    return P.cast(P.floor(P.where(P.isfinite(scaled), scaled, 0.0)), dtypes.int64.numpy)


def _searched(x: Tensor, edges: Tensor, place: Tensor, bins: int) -> Tensor:
    """The bins moved by one where the edges, which are rounded, say so."""
    place = P.clamp(place, 0, bins - 1)
    place = P.where(P.lt(x, P.gather(edges, place, 0)), P.sub(place, 1), place)
    place = P.clamp(place, 0, bins - 1)
    return P.where(P.ge(x, P.gather(edges, P.add(place, 1), 0)), P.add(place, 1), place)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of ``bins`` bins of one width from ``min`` to ``max`` (0 and 0: of the data)."""
    check_tensor("histc", "input", input)
    if input._array.dtype.kind not in "fV":
        raise RuntimeError(f"histc: needs a floating tensor, got {input.dtype.name}; convert with .float()")
    if bins <= 0:
        raise RuntimeError(f"histc: bins must be positive, got {bins}")
    x = P.reshape(input.detach(), (-1,))
    low, high = _limits("histc", x, float(min), float(max))
    edges = factories.linspace(low, high, bins + 1, dtype=input.dtype, device=input.device)
    return _counted(x, None, edges, _even(x, bins, low, high))


def histogram(
    input: Tensor, bins: Any = 100, *, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> histogram_result:
    """How many elements (or how much weight) lie in each bin, and the edges of the bins; the last one is closed.

    Args:
        input: floating, any shape.
        bins: how many bins of one width, or a 1-d tensor with their edges in order.
        range: the outer edges; None for those of the data.
        weight: what each element counts.
        density: divide by the total and by the widths of the bins.
    """
    check_tensor("histogram", "input", input)
    if input._array.dtype.char not in "fd":
        raise RuntimeError(f"histogram: needs a float32 or float64 tensor, got {input.dtype.name}")
    x = P.reshape(input.detach(), (-1,))
    weights = None if weight is None else P.reshape(weight.detach(), (-1,))
    if isinstance(bins, Tensor):
        edges = bins
        above = P.ge(P.slice(x, (slice(None), None)), edges)
        place = P.sub(P.sum(P.cast(above, dtypes.int64.numpy), (1,), False), 1)
    else:
        if range is None and not x._array.size:
            range = (0.0, 1.0)
        low, high = _limits("histogram", x, *([0.0, 0.0] if range is None else map(float, range)))
        edges = factories.linspace(low, high, bins + 1, dtype=input.dtype, device=input.device)
        place = _searched(x, edges, _even(x, bins, low, high), bins)
    hist = _counted(x, weights, edges, place)
    if density:
        widths = P.sub(P.slice(edges, (slice(1, None),)), P.slice(edges, (slice(0, edges._array.shape[0] - 1),)))
        hist = P.div(P.div(hist, P.sum(hist, None, False)), widths)
    return histogram_result(hist, edges)
