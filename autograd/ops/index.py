"""Indexing, reading and writing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..rule import P
from ..tensor import Tensor, wrap
from ..views import overwrite, write
from .args import check_tensor, dim_of

__all__ = ["gather", "getitem", "index_select", "masked_fill", "masked_select", "nonzero", "scatter", "scatter_add",
           "setitem", "where"]  # fmt: skip

_ints = (int, np.integer)


def _basic(key: Any) -> tuple[Any, ...] | None:
    """The index as a tuple of integers, slices and None, or None where it holds an array."""
    parts = key if type(key) is tuple else (key,)
    out: list[Any] = []
    for p in parts:
        if type(p) is int or p is None or p is Ellipsis:
            out.append(p)
        elif type(p) is slice:
            out.append(_slice(p))
        elif isinstance(p, np.integer) or (isinstance(p, Tensor) and not p.ndim and p._array.dtype.kind in "iu"):
            out.append(int(p))
        else:
            return None
    return tuple(out)


def _slice(s: slice) -> slice:
    start, stop, step = (None if v is None else v.__index__() for v in (s.start, s.stop, s.step))
    if step is not None and step <= 0:
        raise ValueError(f"index: the step of a slice must be positive, got {step}; use flip() to reverse")
    return slice(start, stop, step)


def _explicit(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """The index with its ellipsis written out."""
    if Ellipsis not in [p for p in parts if not isinstance(p, (Tensor, np.ndarray, list))]:
        return parts
    at = next(i for i, p in enumerate(parts) if p is Ellipsis)
    if any(p is Ellipsis for p in parts[at + 1 :]):
        raise IndexError("index: at most one ellipsis ('...')")
    taken = sum(_consumes(p) for p in parts if p is not Ellipsis)
    return (*parts[:at], *(slice(None),) * (ndim - taken), *parts[at + 1 :])


def _consumes(p: Any) -> int:
    if p is None or isinstance(p, (bool, np.bool_)):
        return 0
    if isinstance(p, Tensor) and p._array.dtype.kind == "b":
        return p.ndim
    return 1


def getitem(x: Tensor, key: Any) -> Tensor:
    """``x[key]``: a view for integers, slices, None and ``...``; a copy for lists, arrays and tensors.

    Raises:
        IndexError: out of range, or more indices than dimensions. ValueError: a negative step.
    """
    parts = _basic(key)
    if parts is None:
        where, places = _advanced(x, key)
        return P.index(x, where, places)
    return P.slice(x, _explicit(parts, x._array.ndim))


def _advanced(x: Tensor, key: Any) -> tuple[list[Tensor], tuple[Any, ...]]:
    """An index with arrays as a list of index tensors and the places where they stand."""
    parts = key if type(key) is tuple else (key,)
    made = [_part(x, p) for p in parts]
    where: list[Tensor] = []
    places: list[Any] = []
    at = 0
    for p in _explicit(tuple(made), x.ndim):
        if isinstance(p, Tensor):
            if p._array.dtype.kind == "b" and p._array.shape != x._array.shape[at : at + p.ndim]:
                raise IndexError(
                    f"index: a mask of shape {list(p.shape)} does not fit the shape {list(x.shape)} at dimension {at}"
                )
            places.append((len(where),))
            where.append(p)
        else:
            places.append(p)
        at += _consumes(p)
    if at > x.ndim:
        raise IndexError(f"index: {at} indices for a tensor of {x.ndim} dimensions, shape {list(x.shape)}")
    return where, tuple(places)


def _part(x: Tensor, p: Any) -> Any:
    if isinstance(p, Tensor):
        if p._array.dtype.kind not in "iub":
            raise IndexError(f"index: an index tensor must be of integers or bool, got {p.dtype}")
        if p._device is not x._device:
            return p.to(x._device)
        return p.to("bool") if p._array.dtype == np.uint8 else p
    if isinstance(p, (bool, np.bool_)):
        return wrap(x._device.backend.from_host(np.asarray(bool(p))), x._device)
    if isinstance(p, (list, tuple, range, np.ndarray)):
        array = np.asarray([int(v) if isinstance(v, Tensor) else v for v in p] if not isinstance(p, np.ndarray) else p)
        if array.size == 0:
            array = array.astype(np.int64)
        if array.dtype.kind not in "iub":
            raise IndexError(f"index: indices must be integers or bool, got {array.dtype}")
        return wrap(x._device.backend.from_host(array), x._device)
    if type(p) is slice:
        return _slice(p)
    if p is None or p is Ellipsis:
        return p
    if isinstance(p, _ints) or hasattr(p, "__index__"):
        return p.__index__()
    raise IndexError(
        f"index: cannot index with {type(p).__name__}; use integers, slices, None, '...', lists or tensors"
    )


def setitem(x: Tensor, key: Any, value: Any) -> None:
    """``x[key] = value``, in memory and on the tape.

    Raises:
        IndexError: out of range. RuntimeError: the value does not broadcast to the place.
    """
    parts = _basic(key)
    if isinstance(value, Tensor) and value._array.shape[:1] == (1,):
        value = _without_leading_ones(value)
    if parts is not None:
        place = P.slice(x, _explicit(parts, x._array.ndim))
        write("setitem", place, overwrite, value)
        return
    where, places = _advanced(x, key)
    if not isinstance(value, Tensor):
        value = wrap(x._device.backend.from_host(np.asarray(value)), x._device)
    if value._array.dtype != x._array.dtype:
        value = P.cast(value, x._array.dtype)
    if value._device is not x._device:
        value = P.transfer(value, value._device, x._device)
    write("setitem", x, lambda old, new: P.index_put(old, new, where, places, False), value)


def _without_leading_ones(value: Tensor) -> Tensor:
    """A value may have more dimensions than the place it is written to, if those in front have size 1."""
    shape = value._array.shape
    count = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    return P.slice(value, (0,) * count)


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``, element by element; alone, the indices of what holds."""
    check_tensor("where", "condition", condition)
    if input is None and other is None:
        return tuple(nonzero(condition)[:, i] for i in range(condition.ndim))
    if condition._array.dtype.kind != "b":
        condition = P.ne(condition, 0)
    return P.where(condition, input, other)


def nonzero(x: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero, one row each."""
    found = P.nonzero(x)
    return tuple(found[:, i] for i in range(x.ndim)) if as_tuple else found


def _check_index(name: str, x: Tensor, index: Tensor, dim: int) -> Tensor:
    check_tensor(name, "index", index)
    if index._array.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: index must be of integers, got {index.dtype}")
    if index.ndim != x.ndim and x.ndim and index.ndim:
        raise RuntimeError(f"{name}: index of shape {list(index.shape)} needs as many dimensions as {list(x.shape)}")
    backend = x._device.backend
    if index._array.size and bool(backend.out_of_range(index._array, x._array.shape[dim] if x.ndim else 1, 0)):
        raise IndexError(
            f"{name}: an index is out of range for dim {dim} of size {x._array.shape[dim] if x.ndim else 1}"
        )
    return index


def gather(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """``out[i][j] = x[i][index[i][j]]`` for dim 1, and likewise for others.

    Raises:
        IndexError: an index out of range.
    """
    at = dim_of("gather", dim, x.ndim)
    _check_index("gather", x, index, at)
    return P.gather(x, index, at) if x.ndim else P.reshape(P.gather(x[None], index.reshape(-1), 0), index._array.shape)


def _scattered(name: str, x: Tensor, dim: int, index: Tensor, value: Any) -> tuple[int, Tensor]:
    at = dim_of(name, dim, x.ndim)
    _check_index(name, x, index, at)
    if not isinstance(value, Tensor):
        value = P.expand(
            wrap(x._device.backend.from_host(np.asarray(value, x._array.dtype)), x._device), index._array.shape
        )
    if value._array.dtype != x._array.dtype:
        raise RuntimeError(f"{name}: the source is {value.dtype.name}, the tensor {x.dtype.name}; convert with .to()")
    return at, value


def scatter(x: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None) -> Tensor:
    """A copy of ``x`` with ``src`` (a tensor or a number) written at the places that ``gather`` would read."""
    at, src = _scattered("scatter", x, dim, index, value if src is None else src)
    return P.scatter(x, index, src, at)


def scatter_add(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``x`` with ``src`` added at the places that ``gather`` would read."""
    at, src = _scattered("scatter_add", x, dim, index, src)
    return P.scatter_add(x, index, src, at)


def index_select(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """The places along ``dim`` that ``index`` (1-d) numbers."""
    at = dim_of("index_select", dim, x.ndim)
    return getitem(x, (slice(None),) * at + (index,))


def masked_fill(x: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy of ``x`` with ``value`` where ``mask`` holds."""
    check_tensor("masked_fill", "mask", mask)
    if mask._array.dtype.kind != "b":
        raise RuntimeError(f"masked_fill: mask must be bool, got {mask.dtype}")
    filled = value if isinstance(value, Tensor) else wrap(
        x._device.backend.from_host(np.asarray(value).astype(x._array.dtype)), x._device)  # fmt: skip
    return P.where(mask, filled, x)


def masked_select(x: Tensor, mask: Tensor) -> Tensor:
    """The elements of ``x`` where ``mask`` holds, as one dimension."""
    shape = np.broadcast_shapes(x._array.shape, mask._array.shape)
    return getitem(P.expand(x, shape), P.expand(mask, shape))
