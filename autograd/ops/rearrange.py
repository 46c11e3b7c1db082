"""Flips, splits, repeats and diagonals, made of other operations."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

from ...backends import dtypes
from ..names import named
from ..rule import P
from ..tensor import Tensor, wrap
from ..views import own
from .args import check_tensor, dim_of, not_for, sizes_of
from .checks import refuse_out_of_range
from .factories import arange
from .memory_order import row_by_row
from .pieces import cut, narrow, split
from .shape import diagonal, flip, movedim, reshape, transpose

__all__ = [
    "argwhere", "diag", "diag_embed", "diagflat", "dsplit", "fliplr", "flipud", "hsplit", "moveaxis", "narrow_copy",
    "nonzero_static", "ravel", "repeat_interleave", "rot90", "split_with_sizes", "swapdims", "tensor_split", "tile",
    "trace", "unravel_index", "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit",
]  # fmt: skip

ALL = builtins.slice(None)


# Names for what there is


def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with two dimensions swapped: ``transpose``."""
    return transpose(input, dim0, dim1)


def moveaxis(input: Tensor, source: Any, destination: Any) -> Tensor:
    """A view with dimensions moved to new places: ``movedim``."""
    return movedim(input, source, destination)


def ravel(input: Tensor) -> Tensor:
    """The elements in one dimension: a view where the memory allows it, else a copy."""
    return reshape(input, -1)


def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not zero, one row each."""
    check_tensor("argwhere", "input", input)
    return P.nonzero(wrap(input._array, input._device))


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first ``size`` rows of ``nonzero``; where there are fewer, rows of ``fill_value`` follow."""
    found = argwhere(input)
    count = found._array.shape[0]
    if size < 0:
        raise RuntimeError(f"nonzero_static: size may not be negative, got {size}")
    return P.pad(P.slice(found, (builtins.slice(0, size),)), ((0, builtins.max(size - count, 0)), (0, 0)), fill_value)


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The index along each dimension of the elements of a tensor of ``shape`` that ``indices`` numbers row by row.

    Raises:
        ValueError: an index that ``shape`` has not, or a negative size. TypeError: an index that is no integer.
    """
    check_tensor("unravel_index", "indices", indices)
    sizes = sizes_of((shape if isinstance(shape, (tuple, list)) else (shape,),))
    if indices._array.dtype.kind not in "iu":
        raise TypeError(f"unravel_index: indices must be integers, got {indices.dtype.name}; convert with .long()")
    if any(n < 0 for n in sizes):
        raise ValueError(f"unravel_index: the sizes may not be negative, got {sizes}")
    try:
        refuse_out_of_range("unravel_index", indices, math.prod(sizes), f"the shape {list(sizes)}")
    except IndexError as error:
        raise ValueError(str(error)) from None
    found, rest = [], indices.to(dtypes.int64)
    for n in reversed(sizes):
        found.append(P.remainder(rest, max(n, 1)))
        rest = P.floor_divide(rest, max(n, 1))
    return tuple(reversed(found))


def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``narrow``, as a copy."""
    return P.copy(narrow(input, dim, start, length))


# Flips


def fliplr(input: Tensor) -> Tensor:
    """A copy with the order of the columns (dim 1) reversed."""
    if input.ndim < 2:
        raise RuntimeError(f"fliplr: needs at least 2 dimensions, got shape {list(input.shape)}")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """A copy with the order of the rows (dim 0) reversed."""
    if input.ndim < 1:
        raise RuntimeError(f"flipud: needs at least 1 dimension, got shape {list(input.shape)}")
    return flip(input, 0)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A copy turned ``k`` times by a right angle, from ``dims[0]`` towards ``dims[1]``.

    Raises:
        RuntimeError: ``dims`` does not name two different dimensions.
    """
    check_tensor("rot90", "input", input)
    if len(dims) != 2:
        raise RuntimeError(f"rot90: dims must name two dimensions, got {list(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"rot90: needs at least 2 dimensions, got shape {list(input.shape)}")
    a, b = (dim_of("rot90", d, input.ndim) for d in dims)
    if a == b:
        raise RuntimeError(f"rot90: dims must differ, got {list(dims)}")
    turns = k % 4
    if turns == 0:
        return P.copy(input)
    if turns == 2:
        return flip(input, a, b)
    return row_by_row(own(transpose(flip(input, b if turns == 1 else a), a, b)))


# Splits


def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts of the listed sizes along ``dim``."""
    return split(input, list(split_sizes), dim)


def unsafe_split(input: Tensor, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """``split``, to views that may be written in place."""
    return cut(input, split_size, dim)


def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """``split_with_sizes``, to views that may be written in place."""
    return cut(input, list(split_sizes), dim)


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """``chunk``, to views that may be written in place."""
    size = input._array.shape[dim_of("unsafe_chunk", dim, input.ndim)] if input.ndim else 0
    return cut(input, builtins.max(-(-size // chunks), 1), dim)


def tensor_split(
    input: Tensor, indices_or_sections: Any = None, dim: int = 0, *, indices: Any = None, sections: Any = None
) -> tuple[Tensor, ...]:
    """Views of parts along ``dim``: so many of nearly equal size, or cut before the listed places.

    Args:
        input: at least one dimension.
        indices_or_sections: how many parts, or where to cut: numbers, or an int64 tensor on the CPU.
        dim: the dimension to cut.

    Raises:
        RuntimeError: no dimension to cut, or no positive number of parts.
    """
    check_tensor("tensor_split", "input", input)
    given: Any = next((v for v in (indices_or_sections, indices, sections) if v is not None), None)
    if not input.ndim:
        raise RuntimeError("tensor_split: needs at least one dimension")
    if isinstance(given, Tensor):
        if given.dtype is not dtypes.int64 or given.ndim > 1 or given.device.type != "cpu":
            raise RuntimeError(
                "tensor_split: indices_or_sections must be int64 on the CPU with at most one dimension, got "
                f"{given.dtype.name}{list(given.shape)} on {given.device}"
            )
        given = given.tolist()
    at = dim_of("tensor_split", dim, input.ndim)
    size = input._array.shape[at]
    if isinstance(given, int):
        if given <= 0:
            raise RuntimeError(f"tensor_split: the number of parts must be positive, got {given}")
        base, extra = divmod(size, given)
        cuts = [base * i + builtins.min(i, extra) for i in range(1, given)]
    else:
        cuts = [int(i) for i in given]
    starts, ends = [0, *cuts], [*cuts, size]
    return tuple(P.slice(input, (*(ALL,) * at, builtins.slice(a, b))) for a, b in zip(starts, ends, strict=True))


def _equal_split(name: str, input: Tensor, given: Any, dim: int, needed: int) -> tuple[Tensor, ...]:
    check_tensor(name, "input", input)
    if input.ndim < needed:
        raise RuntimeError(f"{name}: needs at least {needed} dimension(s), got shape {list(input.shape)}")
    if isinstance(given, int) and (given <= 0 or input._array.shape[dim] % given):
        raise RuntimeError(f"{name}: the size {input._array.shape[dim]} of dim {dim} does not divide by {given}")
    return tensor_split(input, given, dim)


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Views of equal parts side by side (along dim 1, of a vector along dim 0), or cut before the listed places."""
    return _equal_split("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Views of equal parts along dim 0, or cut before the listed places."""
    return _equal_split("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Views of equal parts along dim 2, or cut before the listed places."""
    return _equal_split("dsplit", input, indices_or_sections, 2, 3)


# Repeats


def tile(input: Tensor, *sizes: Any, dims: Any = None) -> Tensor:
    """Copies of the tensor side by side; as ``repeat``, but fewer numbers than dimensions count from the last."""
    check_tensor("tile", "input", input)
    times = sizes_of(sizes if dims is None else (dims,))
    return input.repeat((1,) * (input.ndim - len(times)) + times)


def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Every element (or slice along ``dim``) several times in a row.

    Args:
        input: any shape; alone, the numbers of times themselves: the result is each place so many times.
        repeats: how often: one number for all, or one integer for each (as a tensor).
        dim: None takes the flattened tensor.
        output_size: accepted; the size of the result, where known.

    Raises:
        RuntimeError: negative numbers, or not one for each place.
    """
    check_tensor("repeat_interleave", "input", input)
    if repeats is None:
        return _places("repeat_interleave", input, output_size)
    flat = P.reshape(input, (-1,)) if dim is None or not input.ndim else input
    at = 0 if dim is None else dim_of("repeat_interleave", dim, input.ndim)
    size = flat._array.shape[at]
    if not isinstance(repeats, Tensor):
        if int(repeats) < 0:
            raise RuntimeError(f"repeat_interleave: repeats may not be negative, got {repeats}")
        shape = flat._array.shape
        wide = P.expand(
            P.reshape(flat, (*shape[: at + 1], 1, *shape[at + 1 :])),
            (*shape[: at + 1], int(repeats), *shape[at + 1 :]),
        )
        out = P.reshape(wide, (*shape[:at], size * int(repeats), *shape[at + 1 :]))
        return P.copy(out) if out._cell is flat._cell else out
    if repeats._array.size == 1 and size != 1:
        repeats = P.expand(P.reshape(repeats, (1,)), (size,))
    if repeats.ndim > 1 or repeats._array.size != size:
        raise RuntimeError(
            f"repeat_interleave: repeats {list(repeats.shape)} must hold one number for each of the {size} places "
            f"along dim {at}"
        )
    index = _places("repeat_interleave", P.reshape(repeats, (-1,)), output_size)
    return named(P.index(flat, [index], (*(ALL,) * at, (0,))), "IndexSelectBackward0")


def _places(name: str, repeats: Tensor, output_size: int | None) -> Tensor:
    """Each place of ``repeats`` as often as it says."""
    if repeats.dtype not in (dtypes.int64, dtypes.int32) or repeats.ndim != 1:
        raise RuntimeError(
            f"{name}: repeats must be a line of int64 or int32, got {repeats.dtype.name}{list(repeats.shape)}"
        )
    if not repeats._array.size:
        return P.copy(repeats)
    if int(P.amin(repeats, None, False).item()) < 0:
        raise RuntimeError(f"{name}: repeats may not be negative")
    ends = P.cumsum(P.cast(repeats, dtypes.int64.numpy), 0)
    total = int(P.slice(ends, (-1,)).item())
    if output_size is not None and output_size != total:
        raise RuntimeError(f"{name}: output_size is {output_size}, the repeats add up to {total}")
    line = arange(total, device=repeats.device)
    return P.cast(P.searchsorted(ends, line, True), repeats._array.dtype)


# Diagonals


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last dimension of ``input`` along a diagonal of two new dimensions.

    Raises:
        RuntimeError: ``dim1`` and ``dim2`` are one dimension.
    """
    check_tensor("diag_embed", "input", input)
    ndim = input.ndim + 1
    a, b = dim_of("diag_embed", dim1, ndim), dim_of("diag_embed", dim2, ndim)
    if a == b:
        raise RuntimeError(f"diag_embed: dim1 and dim2 must differ, got {dim1} and {dim2}")
    size = input._array.shape[-1] + abs(offset)
    lead = list(input._array.shape[:-1])
    for at in sorted((a, b)):
        lead.insert(at, size)
    return named(P.undiagonal(input, tuple(lead), offset, a, b), "DiagEmbedBackward0")


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A matrix with a vector on its diagonal, or a copy of the diagonal of a matrix.

    Raises:
        RuntimeError: neither a vector nor a matrix.
    """
    check_tensor("diag", "input", input)
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag: needs a vector or a matrix, got shape {list(input.shape)}")
    return P.copy(_diagonal(input, diagonal))


_diagonal = diagonal


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with all elements of ``input`` on its diagonal."""
    check_tensor("diagflat", "input", input)
    return diag_embed(P.reshape(input, (-1,)), offset)


@not_for("b")
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix; of integers, as int64.

    Raises:
        RuntimeError: not a matrix.
    """
    check_tensor("trace", "input", input)
    if input.ndim != 2:
        raise RuntimeError(f"trace: needs a matrix, got shape {list(input.shape)}")
    return named(P.diagonal(input, 0, 0, 1).sum(), "TraceBackward0")
