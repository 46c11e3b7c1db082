"""Joins, grids and broadcasts of several tensors, made of other operations."""

from __future__ import annotations

import builtins
import itertools
import warnings
from typing import Any

from ...backends import dtypes
from ..promote import result_type
from ..rule import P
from ..tensor import Size, Tensor, wrap
from .args import check_tensor, common_shape
from .create import tensor
from .pieces import cat, stack
from .shape import reshape

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes", "broadcast_tensors", "cartesian_prod",
    "column_stack", "combinations", "dstack", "hstack", "meshgrid", "row_stack", "vstack",
]  # fmt: skip


def _several(name: str, tensors: tuple[Any, ...]) -> list[Tensor]:
    """Tensors given one by one or as one sequence."""
    found = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    for i, x in enumerate(found):
        check_tensor(name, f"tensors[{i}]", x)
    return list(found)


def _atleast(ndim: int, x: Tensor) -> Tensor:
    shape = x._array.shape
    if len(shape) >= ndim:
        return x
    grown = {0: (1,) * ndim, 1: (1, *shape, 1)[:ndim], 2: (*shape, 1)}[len(shape)]
    return P.reshape(x, grown)


def _atleast_all(name: str, ndim: int, tensors: tuple[Any, ...]) -> Any:
    alone = len(tensors) == 1 and isinstance(tensors[0], Tensor)
    found = [_atleast(ndim, x) for x in _several(name, tensors)]
    return found[0] if alone else tuple(found)


def atleast_1d(*tensors: Any) -> Any:
    """The tensor (or each of several) with at least one dimension; a view."""
    return _atleast_all("atleast_1d", 1, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """The tensor (or each of several) with at least two dimensions; a view. A vector becomes a row."""
    return _atleast_all("atleast_2d", 2, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """The tensor (or each of several) with at least three dimensions; a view. (n,) becomes (1, n, 1)."""
    return _atleast_all("atleast_3d", 3, tensors)


def hstack(tensors: Any) -> Tensor:
    """Join tensors side by side: along the second dimension, vectors along their only one."""
    several = [_atleast(1, x) for x in _several("hstack", (list(tensors),))]
    return cat(several, 0 if several and several[0].ndim == 1 else 1)


def vstack(tensors: Any) -> Tensor:
    """Join tensors one below the other: along the first dimension; vectors are rows."""
    return cat([_atleast(2, x) for x in _several("vstack", (list(tensors),))], 0)


def row_stack(tensors: Any) -> Tensor:
    """Another name of ``vstack``."""
    return vstack(tensors)


def dstack(tensors: Any) -> Tensor:
    """Join tensors one behind the other: along the third dimension."""
    return cat([_atleast(3, x) for x in _several("dstack", (list(tensors),))], 2)


def column_stack(tensors: Any) -> Tensor:
    """Join tensors side by side; vectors and numbers are columns."""
    several = _several("column_stack", (list(tensors),))
    return cat([P.reshape(x, (x._array.size, 1)) if x.ndim <= 1 else x for x in several], 1)


def block_diag(*tensors: Any) -> Tensor:
    """A matrix with the given ones along its diagonal and zeros elsewhere; vectors are rows.

    Raises:
        RuntimeError: a tensor of more than 2 dimensions.
    """
    several = _several("block_diag", tensors)
    for x in several:
        if x.ndim > 2:
            raise RuntimeError(f"block_diag: needs at most 2 dimensions, got shape {list(x.shape)}")
    dtype = result_type(*several) if several else dtypes.float32
    blocks = [_atleast(2, x) if x.dtype is dtype else P.cast(_atleast(2, x), dtype.numpy) for x in several]
    width = builtins.sum(b._array.shape[1] for b in blocks)
    rows, left = [], 0
    for b in blocks:
        n = b._array.shape[1]
        rows.append(P.pad(b, ((0, 0), (left, width - left - n)), 0))
        left += n
    return P.cat(rows, 0)


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that shapes (or sizes of one dimension) broadcast to.

    Raises:
        RuntimeError: they do not broadcast.
    """
    made = [(s,) if isinstance(s, int) else tuple(int(n) for n in s) for s in shapes]
    if any(n < 0 for s in made for n in s):
        raise RuntimeError(f"broadcast_shapes: sizes may not be negative, got {made}")
    return Size(common_shape("broadcast_shapes", *made))


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Views of the tensors, expanded to one shape."""
    several = _several("broadcast_tensors", tensors)
    shape = broadcast_shapes(*(x._array.shape for x in several))
    return tuple(P.expand(x, tuple(shape)) for x in several)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Views of vectors, expanded to the grid that they span.

    Args:
        tensors: (n,) each, or without dimensions.
        indexing: "ij": the k-th vector runs along dim k; "xy": the first two change places.

    Raises:
        RuntimeError: more than one dimension, or different types.
    """
    several = _several("meshgrid", tensors)
    if indexing is None:
        warnings.warn("meshgrid: say indexing='ij' or 'xy'; without, it is 'ij'", UserWarning, stacklevel=2)
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    if not several:
        raise RuntimeError("meshgrid: expects at least one tensor")
    for x in several:
        if x.ndim > 1:
            raise RuntimeError(f"meshgrid: needs at most 1 dimension each, got shape {list(x.shape)}")
        if x.dtype is not several[0].dtype or x._device != several[0]._device:
            raise RuntimeError("meshgrid: the tensors must be of one type, on one device")
    places = list(range(len(several)))
    if indexing == "xy" and len(several) > 1:
        places[:2] = 1, 0
    shape = [0] * len(several)
    for x, k in zip(several, places, strict=True):
        shape[k] = x._array.size
    return tuple(
        P.expand(P.reshape(x, tuple(-1 if i == k else 1 for i in range(len(several)))), tuple(shape))
        for x, k in zip(several, places, strict=True)
    )


def cartesian_prod(*tensors: Any) -> Tensor:
    """Every combination of one element of each vector, one row each; of a single vector, the vector."""
    several = _several("cartesian_prod", tensors)
    for x in several:
        if x.ndim != 1:
            raise RuntimeError(f"cartesian_prod: needs vectors, got shape {list(x.shape)}")
    if len(several) == 1:
        return P.slice(several[0], ())
    return stack([reshape(x, -1) for x in meshgrid(*several, indexing="ij")], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of ``r`` elements of a vector, in order, one row each.

    Raises:
        RuntimeError: not a vector, or ``r`` is negative.
    """
    check_tensor("combinations", "input", input)
    if input.ndim != 1 or r < 0:
        raise RuntimeError(f"combinations: needs a vector and r >= 0, got shape {list(input.shape)} and r={r}")
    if r == 0:
        return wrap(P.slice(P.copy(input), (builtins.slice(0, 0),))._array, input._device)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(builtins.range(input._array.size), r))
    index = P.reshape(tensor(rows, dtype=dtypes.int64, device=input.device), (len(rows), r))
    return P.index(input, [index], ((0,),))
