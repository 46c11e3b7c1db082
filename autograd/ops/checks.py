"""What the operations that take indices check of them."""

from __future__ import annotations

from typing import Any

from ...backends import dtypes
from ..promote import constant, describe, fitting
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor

__all__ = ["check_index", "check_same_type", "fill_value", "from_the_end", "index_line", "refuse_out_of_range"]


def fill_value(name: str, x: Tensor, value: Any) -> Tensor:
    """A number, or a tensor without dimensions, as one in the type of ``x``.

    Raises:
        RuntimeError: a tensor with dimensions, or a number that the type cannot hold.
    """
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(f"{name}: value must be a number or have no dimensions, got shape {list(value.shape)}")
        if value._array.dtype.kind == "c" and x._array.dtype.kind != "c":
            raise RuntimeError(f"{name}: a complex value does not fit into {x.dtype.name}")
        return value if value._array.dtype == x._array.dtype else P.cast(value, x._array.dtype)
    return constant(fitting(name, value, x.dtype), x.dtype, x._device)


def refuse_out_of_range(
    name: str, index: Tensor, size: int, where: str, negative: bool = False, error: type[Exception] = IndexError
) -> None:
    """Refuse indices outside ``0 .. size - 1``, or with ``negative`` outside ``-size .. size - 1``.

    Raises:
        IndexError: out of range (or ``error``).
    """
    if not index._array.size:
        return
    backend = index._device.backend
    low = -size if negative else 0
    shifted = index._array if not negative else backend.add(index._array, size)
    if backend.refused(shifted, size - low, 0):
        raise error(f"{name}: an index is out of range for {where} of size {size}, which has {low} to {size - 1}")


def from_the_end(index: Tensor, size: int) -> Tensor:
    """The index with negative numbers counted from the end."""
    return P.remainder(index, size) if size else index


def check_index(name: str, x: Tensor, index: Tensor, dim: int) -> Tensor:
    """The index of ``gather`` and its kin, checked: its type, its dimensions and its range.

    Raises:
        RuntimeError: out of range, not int32 or int64, or another number of dimensions.
    """
    check_tensor(name, "index", index)
    if not index._array.size:
        return index
    if index.dtype not in (dtypes.int64, dtypes.int32):
        raise RuntimeError(f"{name}: index must be int64 or int32, got {index.dtype.name}; convert it with .long()")
    if max(index.ndim, 1) != max(x.ndim, 1):
        raise RuntimeError(f"{name}: index of shape {list(index.shape)} needs as many dimensions as {list(x.shape)}")
    refuse_out_of_range(name, index, x._array.shape[dim] if x.ndim else 1, f"dim {dim}", error=RuntimeError)
    return index


def index_line(name: str, x: Tensor, dim: int, index: Tensor, *, long: bool = False, negative: bool = False) -> Tensor:
    """The index of whole slices along ``dim``, checked, as one line of non-negative numbers.

    Args:
        long: whether int64 is the only type.
        negative: whether it may count from the end.

    Raises:
        IndexError: out of range. RuntimeError: another type, or more than one dimension.
    """
    check_tensor(name, "index", index)
    types = (dtypes.int64,) if long else (dtypes.int64, dtypes.int32)
    if index.dtype not in types:
        known = " or ".join(t.name for t in types)
        raise RuntimeError(f"{name}: index must be {known}, got {index.dtype.name}; convert it with .long()")
    if index.ndim > 1:
        raise IndexError(f"{name}: index must have one dimension, got shape {list(index.shape)}")
    size = x._array.shape[dim] if x.ndim else 1
    refuse_out_of_range(name, index, size, f"dim {dim}", negative)
    line = P.reshape(index, (-1,))
    return from_the_end(line, size) if negative else line


def check_same_type(name: str, x: Tensor, argument: str, other: Tensor) -> None:
    """Refuse an operand of another type.

    Raises:
        RuntimeError: another type.
    """
    if other._array.dtype != x._array.dtype:
        raise RuntimeError(
            f"{name}: the tensor is {x.dtype.name}, {argument} is {describe(other)}; "
            f"use {argument}.to('{x.dtype.name}'), nothing is converted silently"
        )
