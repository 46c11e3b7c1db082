"""Histograms over several dimensions, and empty tensors laid out by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...backends import dtypes
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from . import factories, reduce
from .args import check_tensor
from .counts import _even, _limits, _searched
from .results import fields
from .shape import permute

__all__ = ["empty_permuted", "histogramdd"]


class histogramdd_result(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    hist: Tensor
    bin_edges: tuple[Tensor, ...]

    def __repr__(self) -> str:
        return fields(self)


def histogramdd(
    input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> histogramdd_result:
    """How many points (or how much weight) lie in each cell of a grid, and the edges of the grid.

    Args:
        input: (..., d), floating: points of d coordinates.
        bins: how many bins along each coordinate, one number for all, or a list of 1-d tensors with their edges.
        range: the outer edges, (low, high) for each coordinate; None for those of the data.
        weight: (...), what each point counts.
        density: divide by the total and by the sizes of the cells.
    """
    check_tensor("histogramdd", "input", input)
    if input._array.dtype.char not in "fd" or input.ndim < 2:
        raise RuntimeError(f"histogramdd: needs float32 or float64 points (..., d), got {describe(input)}")
    count = input._array.shape[-1]
    points = P.reshape(input.detach(), (-1, count))
    wanted = [bins] * count if isinstance(bins, int) else list(bins)
    if len(wanted) != count:
        raise RuntimeError(f"histogramdd: {len(wanted)} bins for points of {count} coordinates")
    limits = [(0.0, 0.0)] * count if range is None else list(zip(range[::2], range[1::2], strict=True))
    if len(limits) != count:
        raise RuntimeError(f"histogramdd: range needs {2 * count} numbers, got {len(range)}")
    edges, place, inside = [], None, None
    for k, (b, (low, high)) in enumerate(zip(wanted, limits, strict=True)):
        x = P.slice(points, (slice(None), k))
        line, at = _line(x, b, float(low), float(high))
        last = line._array.shape[0] - 1
        fits = P.logical_and(P.ge(x, P.slice(line, (0,))), P.le(x, P.slice(line, (last,))))
        at = P.clamp(at, 0, last - 1)
        place = at if place is None else P.add(P.mul(place, last), at)
        inside = fits if inside is None else P.logical_and(inside, fits)
        edges.append(line)
    sizes = tuple(e._array.shape[0] - 1 for e in edges)
    return histogramdd_result(_grid(points, place, inside, weight, edges, sizes, density), tuple(edges))


def _line(x: Tensor, bins: Any, low: float, high: float) -> tuple[Tensor, Tensor]:
    """The edges along one coordinate, and the bin of each point."""
    if isinstance(bins, Tensor):
        above = P.ge(P.slice(x, (slice(None), None)), bins)
        return bins, P.sub(P.sum(P.cast(above, dtypes.int64.numpy), (1,), False), 1)
    if bins < 1:
        raise RuntimeError(f"histogramdd: bins must be positive, got {bins}")
    low, high = _limits("histogramdd", x, low, high) if x._array.size or low != high else (0.0, 1.0)
    line = factories.linspace(low, high, bins + 1, dtype=x.dtype, device=x.device)
    return line, _searched(x, line, _even(x, bins, low, high), bins)


def _grid(points: Any, place: Any, inside: Any, weight: Any, edges: Any, sizes: Any, density: bool) -> Tensor:
    total = 1
    for n in sizes:
        total *= n
    each = P.cast(inside, points._array.dtype)
    if weight is not None:
        each = P.mul(each, P.reshape(weight.detach(), (-1,)))
    hist = P.reshape(P.ungather(each, P.where(inside, place, 0), (total,), 0), sizes)
    if density:
        hist = P.div(hist, reduce.sum(hist))
        for k, e in enumerate(edges):
            width = P.sub(P.slice(e, (slice(1, None),)), P.slice(e, (slice(0, sizes[k]),)))
            hist = P.div(hist, P.reshape(width, tuple(-1 if i == k else 1 for i in range(len(sizes)))))
    return hist


def empty_permuted(size: Any, physical_layout: Any, **options: Any) -> Tensor:
    """Unset memory of shape ``size``, whose dimensions lie in memory in the order ``physical_layout``.

    Args:
        options: ``dtype``, ``device``, ``requires_grad`` and the like.
    """
    shape, order = tuple(size), tuple(physical_layout)
    if sorted(order) != list(range(len(shape))):
        raise RuntimeError(f"empty_permuted: {list(order)} is no order of the dimensions of {list(shape)}")
    made = factories.empty(tuple(shape[d] for d in order), **{k: v for k, v in options.items() if k != "requires_grad"})
    out = permute(made, *sorted(range(len(order)), key=order.__getitem__)).detach()
    return out.requires_grad_() if options.get("requires_grad") else out


def new_empty_strided(self: Tensor, size: Any, stride: Any, **options: Any) -> Tensor:
    """Unset memory of these sizes and strides with the type and device of this tensor."""
    kind, device = options.pop("dtype", None), options.pop("device", None)
    _, kind, device = factories.like(self, kind, device)
    return factories.empty_strided(size, stride, dtype=kind, device=device, **options)
