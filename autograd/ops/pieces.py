"""Parts of a tensor along a dimension, as views, and joins of several tensors along one."""

from __future__ import annotations

from typing import Any

from ..names import named
from ..promote import result_type
from ..rule import P
from ..tensor import Tensor
from ..views import part
from .args import check_tensor, dim_of

__all__ = ["cat", "chunk", "narrow", "select", "split", "stack", "unbind"]

EVERYTHING = slice(None)


def _joined(name: str, tensors: Any) -> list[Tensor]:
    if isinstance(tensors, Tensor):
        raise TypeError(f"{name}: argument 'tensors' must be a tuple or list of Tensors, not a Tensor")
    several = list(tensors)
    if not several:
        raise (ValueError if name == "cat" else RuntimeError)(f"{name}: expects at least one tensor")
    for i, x in enumerate(several):
        if not isinstance(x, Tensor):
            check_tensor(name, f"tensors[{i}]", x)
    first = several[0]._array.dtype
    for x in several:
        dtype = x._array.dtype
        if dtype is not first and dtype != first:
            common = result_type(*several)
            return [x.to(common) for x in several]
    return several


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Join tensors along an existing dimension.

    Args:
        tensors: of one shape but for ``dim``; a 1-d tensor without elements is skipped, as in PyTorch.
        dim: where to join.
    """
    several = _joined("cat", tensors)
    several = [x for x in several if x._array.shape != (0,)] or several[:1]
    return P.cat(several, dim_of("cat", dim if axis is None else axis, several[0]._array.ndim))


def stack(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Join tensors of one shape along a new dimension."""
    several = _joined("stack", tensors)
    return P.stack(several, dim_of("stack", dim if axis is None else axis, several[0]._array.ndim + 1))


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """A view of ``length`` elements along ``dim``, from ``start``."""
    check_tensor("narrow", "input", input)
    if not input.ndim:
        raise RuntimeError("narrow: a tensor without dimensions cannot be narrowed")
    if isinstance(start, Tensor) and (start.ndim or start._array.dtype.kind not in "iu"):
        raise RuntimeError(f"narrow: start must be one integer, got {start.dtype.name}{list(start.shape)}")
    at, size = dim_of("narrow", dim, input.ndim), input._array.shape[dim]
    given = int(start)
    start = given + (size if given < 0 else 0)
    if not 0 <= start <= size:
        raise IndexError(f"narrow: start {given} is out of range for dim {dim} of size {size}")
    if length < 0 or start + length > size:
        raise RuntimeError(f"narrow: start {start} and length {length} leave the size {size} of dim {dim}")
    return P.slice(input, (EVERYTHING,) * at + (slice(start, start + length),))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """A view of one place along ``dim``, without that dimension."""
    check_tensor("select", "input", input)
    if not input.ndim:
        raise IndexError("select: a tensor without dimensions has no places to select")
    at, size = dim_of("select", dim, input.ndim), input._array.shape[dim]
    if not -size <= int(index) < size:
        raise IndexError(f"select: index {index} is out of range for dim {at} of size {size}")
    return P.slice(input, (EVERYTHING,) * at + (int(index),))


def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts along ``dim``: of one size (the last may be smaller), or of the sizes listed.

    Raises:
        RuntimeError: no dimension to split, or sizes that do not fit.
    """
    return tuple([part(v) for v in cut(input, split_size_or_sections, dim)])


def cut(x: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """``split``, to views that may be written in place where gradients are recorded."""
    check_tensor("split", "input", x)
    if not x.ndim:
        raise RuntimeError("split: needs at least one dimension, got a 0-d tensor; use unsqueeze(0)")
    at = dim_of("split", dim, x.ndim)
    size, parts = x._array.shape[at], split_size_or_sections
    if isinstance(parts, int):
        if parts <= 0 and size:
            raise RuntimeError(f"split: the size of a part must be positive, got {parts}")
        parts = [min(parts, size - i) for i in range(0, size, parts)] if size else [0]
    name = "SplitBackward0" if isinstance(split_size_or_sections, int) else "SplitWithSizesBackward0"
    if sum(parts) != size:
        raise RuntimeError(f"split: the parts {list(parts)} do not add up to the size {size} of dim {dim}")
    out, start = [], 0
    for n in parts:
        out.append(named(P.slice(x, (EVERYTHING,) * at + (slice(start, start + n),)), name))
        start += n
    return tuple(out)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most ``chunks`` parts of equal size along ``dim`` (the last may be smaller).

    Raises:
        RuntimeError: no dimension to split, or ``chunks`` is not positive.
    """
    check_tensor("chunk", "input", input)
    if not input.ndim:
        raise RuntimeError("chunk: needs at least one dimension, got a 0-d tensor; use unsqueeze(0)")
    if chunks <= 0:
        raise RuntimeError(f"chunk: the number of chunks must be positive, got {chunks}")
    size = input._array.shape[dim_of("chunk", dim, input.ndim)]
    return split(input, max(-(-size // chunks), 1), dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of every place along ``dim``."""
    check_tensor("unbind", "input", input)
    if not input.ndim:
        raise IndexError("unbind: needs at least one dimension, got a 0-d tensor; use unsqueeze(0)")
    at = dim_of("unbind", dim, input.ndim)
    places = range(input._array.shape[at])
    return tuple([part(named(P.slice(input, (EVERYTHING,) * at + (i,)), "UnbindBackward0")) for i in places])
