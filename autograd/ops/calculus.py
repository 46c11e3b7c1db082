"""Differences, slopes and integrals of sampled functions, and distances between rows."""

from __future__ import annotations

import math
from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import constant, describe, get_default_dtype, result_type
from ..rule import P
from ..tensor import Tensor
from . import reduce, sorting
from .args import check_tensor, common_shape, dim_of, dims_of, not_for
from .shape import pad, transpose

__all__ = [
    "cdist", "constant_pad_nd", "cumulative_trapezoid", "diff", "gradient", "isin", "sum_to_size", "trapezoid", "trapz",
]  # fmt: skip


def _cut(x: Tensor, dim: int, start: int | None, stop: int | None) -> Tensor:
    return P.slice(x, (*(slice(None),) * dim, slice(start, stop)))


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """The differences of neighbours along ``dim``, taken ``n`` times; of bools where they differ.

    Args:
        prepend, append: joined to the input first.
    """
    check_tensor("diff", "input", input)
    at = dim_of("diff", dim, input.ndim)
    if not input.ndim:
        raise RuntimeError("diff: needs at least one dimension")
    if n < 0:
        raise RuntimeError(f"diff: n must not be negative, got {n}")
    if not n:
        return input
    parts = [x for x in (prepend, input, append) if x is not None]
    for x in parts:
        check_tensor("diff", "prepend and append", x)
        if x.ndim != input.ndim:
            raise RuntimeError(f"diff: {describe(x)} must have as many dimensions as {describe(input)}")
    if len(parts) > 1:
        from .pieces import cat

        x = cat(parts, at)
    else:
        x = input
    if n >= max(x._array.shape[at], 1):
        return _cut(x, at, 0, 0)
    for _ in range(n):
        later, earlier = _cut(x, at, 1, None), _cut(x, at, 0, x._array.shape[at] - 1)
        x = P.ne(later, earlier) if x._array.dtype.kind == "b" else P.sub(later, earlier)
    return x


def _floating(x: Tensor) -> Tensor:
    return P.cast(x, get_default_dtype().numpy) if x._array.dtype.kind in "biu" else x


@not_for("b")
def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The slopes along each dimension of a sampled function: in the middle of second order, at the ends one-sided.

    Args:
        spacing: the distance of samples, one for all dimensions or one for each; or a list of 1-d tensors with the
            places of the samples.
        dim: the dimensions, None for all.
        edge_order: 1 or 2, of the slopes at the ends.
    """
    check_tensor("gradient", "input", input)
    if edge_order not in (1, 2):
        raise RuntimeError(f"gradient: edge_order must be 1 or 2, got {edge_order}")
    dims = dims_of("gradient", dim, input.ndim) if dim is not None else None
    places = tuple(range(input.ndim)) if dims is None else dims
    spacing = 1 if spacing is None else spacing
    several = isinstance(spacing, (list, tuple))
    spaces = list(spacing) if several else [spacing] * len(places)
    if isinstance(spacing, Tensor):
        raise TypeError("gradient: spacing must be a number or a list, of numbers or of 1-d tensors")
    if len(spaces) != len(places):
        raise RuntimeError(f"gradient: {len(spaces)} spacings for {len(places)} dimensions")
    x = _floating(input)
    return tuple(_slope(x, space, d, edge_order) for space, d in zip(spaces, places, strict=True))


def _slope(x: Tensor, space: Any, d: int, edge_order: int) -> Tensor:
    n = x._array.shape[d]
    if n < edge_order + 1:
        raise RuntimeError(
            f"gradient: dim {d} of {describe(x)} needs at least edge_order + 1 = {edge_order + 1} samples"
        )
    if isinstance(space, Tensor):
        if space.ndim != 1 or space._array.shape[0] != n:
            raise RuntimeError(f"gradient: the places {describe(space)} do not fit dim {d} of {describe(x)}")
        steps = P.reshape(diff(_floating(space)), (-1, *(1,) * (x.ndim - d - 1)))
    else:
        whole = constant(space, x.dtype, x._device)
        steps = P.expand(P.reshape(whole, (1,) * (x.ndim - d)), (n - 1, *(1,) * (x.ndim - d - 1)))
    change = P.div(diff(x, dim=d), steps)  # the slopes between neighbours
    if n > 2:
        left, right = P.slice(steps, (slice(0, n - 2),)), P.slice(steps, (slice(1, None),))
        before, after = _cut(change, d, 0, n - 2), _cut(change, d, 1, None)
        inner = P.div(P.add(P.mul(before, right), P.mul(after, left)), P.add(left, right))
    else:
        inner = _cut(change, d, 0, 0)
    first, last = _cut(change, d, 0, 1), _cut(change, d, n - 2, None)
    if edge_order == 2:
        first = P.add(first, P.mul(P.sub(first, _cut(inner, d, 0, 1)), 1.0))
        last = P.add(last, P.mul(P.sub(last, _cut(inner, d, n - 3, None)), 1.0))
    return P.cat([first, inner, last], d)


def _steps(name: str, y: Tensor, x: Any, dx: Any, at: int) -> Any:
    """The distances between samples, which broadcast to the differences of y."""
    if x is None:
        return dx
    check_tensor(name, "x", x)
    if not x.ndim:
        raise RuntimeError(f"{name}: x must have at least one dimension")
    if x.ndim == 1:
        if x._array.shape[0] != y._array.shape[at]:
            raise RuntimeError(f"{name}: x={describe(x)} and y={describe(y)} do not fit along dim {at}")
        return P.reshape(diff(x), (-1, *(1,) * (y.ndim - at - 1)))
    if x.ndim < y.ndim:
        x = P.reshape(x, (*(1,) * (y.ndim - x.ndim), *x._array.shape))
    return diff(x, dim=at + x.ndim - y.ndim)


def _areas(name: str, y: Tensor, x: Any, dx: Any, dim: int) -> tuple[Tensor, int]:
    check_tensor(name, "y", y)
    at = dim_of(name, dim, y.ndim)
    if not y.ndim:
        raise RuntimeError(f"{name}: y must have at least one dimension")
    if y._array.dtype.kind == "b" or (isinstance(x, Tensor) and x._array.dtype.kind == "b"):
        raise RuntimeError(f"{name}: not defined for bool tensors; convert with .int()")
    n = y._array.shape[at]
    if not n:
        return _floating(_cut(y, at, 0, 0)), at
    both = P.add(_cut(y, at, 1, None), _cut(y, at, 0, n - 1))
    return P.mul(P.mul(both, _steps(name, y, x, dx, at)), 0.5), at


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The integral along ``dim`` by the trapezoidal rule.

    Args:
        x: the places of the samples; None for samples ``dx`` apart.
    """
    areas, at = _areas("trapezoid", y, x, dx, dim)
    return reduce.sum(areas, at - y.ndim)


def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """``trapezoid`` under its older name."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The running integral along ``dim`` by the trapezoidal rule: one element fewer than y."""
    areas, at = _areas("cumulative_trapezoid", y, x, dx, dim)
    return reduce.cumsum(areas, at - y.ndim)


def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0,
    compute_mode: str | int | None = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:  # fmt: skip
    """The distances of order ``p`` between the rows of two matrices, (..., n, m) and (..., k, m), as (..., n, k).

    Args:
        compute_mode: whether distances of order 2 come of matrix products, which are faster and lose digits where
            rows are close: "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist", or the default: above 25 rows.
    """
    for word, x in (("x1", x1), ("x2", x2)):
        check_tensor("cdist", word, x)
        if x._array.dtype.char not in "fd":
            raise RuntimeError(f"cdist: argument '{word}' must be float32 or float64, got {describe(x)}")
        if x.ndim < 2:
            raise RuntimeError(f"cdist: argument '{word}' must have at least 2 dimensions, got {describe(x)}")
    if x1._array.shape[-1] != x2._array.shape[-1]:
        raise RuntimeError(f"cdist: {describe(x1)} and {describe(x2)} must have as many columns")
    if p < 0:
        raise RuntimeError(f"cdist: p must not be negative, got {p}")
    modes = {None: 0, "use_mm_for_euclid_dist_if_necessary": 0, "use_mm_for_euclid_dist": 1,
             "donot_use_mm_for_euclid_dist": 2, 0: 0, 1: 1, 2: 2}  # fmt: skip
    if compute_mode not in modes:
        raise RuntimeError(f"cdist: compute_mode {compute_mode!r} is not one of {[m for m in modes if type(m) is str]}")
    lead = common_shape("cdist", x1._array.shape[:-2], x2._array.shape[:-2])
    a, b = (P.expand(x, (*lead, *x._array.shape[-2:])) for x in (x1, x2))
    many = max(a._array.shape[-2], b._array.shape[-2]) > 25
    if p == 2 and (modes[compute_mode] == 1 or (modes[compute_mode] == 0 and many)):
        sizes = [P.sum(P.square(x), (x.ndim - 1,), True) for x in (a, b)]
        total = P.sub(P.add(sizes[0], transpose(sizes[1], -1, -2)), P.mul(P.matmul(a, transpose(b, -1, -2)), 2.0))
        return named(reduce._safe_root(P.clamp(total, 0.0, None)), "CdistBackward0")
    all_of = (*(slice(None),) * (len(lead) + 1), None)
    one, other = P.slice(a, all_of), P.slice(b, (*(slice(None),) * len(lead), None))
    if not a._array.shape[-1]:
        return P.sum(P.sub(one, other), (len(lead) + 2,), False)
    return named(distance(P.sub(one, other), p, -1), "CdistBackward0")


def distance(difference: Tensor, p: float, dim: int) -> Tensor:
    """The norm of order ``p`` along ``dim``; of order inf all that are largest have the whole slope, not a share."""
    if p != math.inf:
        return reduce.norm(difference, p, dim)
    size = P.abs(difference)
    largest = reduce.amax(size.detach(), dim, True)
    excess = P.where(P.eq(size, largest), P.sub(size, largest), P.zeros_like(size))
    return P.add(reduce.amax(size.detach(), dim), reduce.sum(excess, dim))


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Where ``elements`` are among ``test_elements`` (either may be a number), element by element.

    Args:
        assume_unique: accepted. invert: where they are not.
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("isin: at least one of elements and test_elements must be a Tensor")
    kind = result_type(elements, test_elements)
    if kind.is_complex or kind is dtypes.bool_:
        raise RuntimeError(f"isin: not defined for {kind.name} tensors")
    device = (elements if isinstance(elements, Tensor) else test_elements)._device
    x, known = (
        P.cast(v.detach(), kind.numpy) if isinstance(v, Tensor) else constant(v, kind, device)
        for v in (elements, test_elements)
    )
    line = P.reshape(known, (-1,))
    if not line._array.shape[0]:
        found = P.ne(x, x) if kind.category < 2 else P.lt(P.abs(x), 0)
    else:
        ranked = reduce.sort(line).values
        place = P.clamp(sorting.searchsorted(ranked, x), 0, line._array.shape[0] - 1)
        found = P.eq(P.reshape(P.take(ranked, P.reshape(place, (-1,))), x._array.shape), x)
    return P.logical_not(found) if invert else found


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The sum over the dimensions along which ``size`` would be broadcast to the shape of the input."""
    check_tensor("sum_to_size", "input", input)
    shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    lead = input.ndim - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, input._array.shape[lead:], strict=True)):
        raise RuntimeError(f"sum_to_size: {list(shape)} does not broadcast to {describe(input)}")
    if not shape:
        return reduce.sum(input)
    dims = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and input._array.shape[lead + i] != 1))
    return P.reshape(reduce.sum(input, dims, True), shape) if dims else input


def constant_pad_nd(input: Tensor, pad: Any, value: Any = 0) -> Tensor:
    """``nn.functional.pad`` with a constant."""
    return _pad(input, tuple(pad), value)


_pad = pad
