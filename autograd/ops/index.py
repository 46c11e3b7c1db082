"""Indexing, reading and writing."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...backends import dtypes
from ..promote import describe, fitting
from ..rule import P
from ..tensor import Tensor, wrap
from ..writes import overwrite, write
from .args import check_tensor, common_shape, dim_of
from .checks import check_index, fill_value, index_line

__all__ = ["gather", "getitem", "index_select", "masked_fill", "masked_select", "nonzero", "setitem",
           "where"]  # fmt: skip

_ints = (int, np.integer)

EVERYTHING = slice(None)
INDEX_TYPES = frozenset({dtypes.int64, dtypes.int32, dtypes.bool_, dtypes.uint8})


def _basic(key: Any) -> tuple[Any, ...] | None:
    """The index as a tuple of integers, slices and None, or None where it holds an array."""
    parts = key if type(key) is tuple else (key,)
    out: list[Any] = []
    for p in parts:
        if type(p) is int or p is None or p is Ellipsis:
            out.append(p)
        elif type(p) is slice:
            out.append(_slice(p))
        elif (
            isinstance(p, np.integer)
            or _is_number(p)
            or (type(p) is np.ndarray and p.dtype.kind in "iu" and not p.ndim)
        ):
            out.append(int(p))
        else:
            return None
    return tuple(out)


def _is_number(p: Any) -> bool:
    """Whether an index tensor selects as an integer does: uint8 is a mask."""
    if not isinstance(p, Tensor) or p._array.ndim or p._device.depth:
        return False
    return p._array.dtype.kind in "iu" and p._array.dtype != np.uint8


def _tuple_of(key: list[Any]) -> Any:
    """A short list that holds more than numbers as the tuple of indices that PyTorch reads it as."""
    if len(key) < 32 and any([_is_index(p) for p in key]):
        warnings.warn(
            "index: a list that holds slices, None, lists or tensors is read as a tuple of indices, one for each "
            "dimension; write x[tuple(indices)], or x[tensor(indices)] for one index",
            UserWarning,
            stacklevel=3,
        )
        return tuple(key)
    return key


def _is_index(p: Any) -> bool:
    return p is None or p is Ellipsis or isinstance(p, (Tensor, np.ndarray, list, tuple, range, slice))


def _slice(s: slice) -> slice:
    start, stop, step = s.start, s.stop, s.step
    if (start is None or type(start) is int) and (stop is None or type(stop) is int) and step is None:
        return s
    try:
        start, stop, step = [None if v is None else v.__index__() for v in (start, stop, step)]
    except AttributeError:
        raise TypeError(f"index: a slice takes integers or None, got {s}") from None
    if step is not None and step <= 0:
        raise ValueError(f"index: the step of a slice must be positive, got {step}; use flip() to reverse")
    return slice(start, stop, step)


def _explicit(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """The index with its ellipsis written out."""
    at = next((i for i, p in enumerate(parts) if p is Ellipsis), -1)
    if at < 0:
        return parts
    left = ndim - sum(_consumes(p) for p in parts if p is not Ellipsis)
    rest = tuple([p for p in parts[at + 1 :] if p is not Ellipsis])
    behind = max((i for i, p in enumerate(parts) if p is Ellipsis))
    if left > 0 and at < behind and any(p is not Ellipsis for p in parts[behind + 1 :]):
        raise IndexError("index: of several ellipses ('...') the first stands for all dimensions that are left")
    return (*parts[:at], *(slice(None),) * left, *rest)


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
    if type(key) is int:
        return P.slice(x, (key,))
    if type(key) is list:
        key = _tuple_of(key)
    parts = _basic(key)
    if parts is None:
        mask = isinstance(key, Tensor) and key._array.dtype.itemsize == 1
        if type(key) is not tuple and x._array.ndim and not mask:  # one index for the first dimension
            part = _part(x, key)
            if isinstance(part, Tensor) and part._array.dtype.kind != "b":
                return P.index(x, [part], ((0,),))
        seen, where, places = _advanced(x, key)
        while (at := _selecting(where, places)) is not None:
            seen, where, places = _select(seen, where, places, at)
        return P.index(seen, where, places) if where else seen
    return P.slice(x, _explicit(parts, x._array.ndim))


def _advanced(x: Tensor, key: Any) -> tuple[Tensor, list[Tensor], tuple[Any, ...]]:
    """What ``places_of`` tells of an index as the user wrote it."""
    parts: list[Any] = []
    for p in key if type(key) is tuple else (key,):
        parts.append(_part(x, p))
    return places_of(x, tuple(parts))


def places_of(x: Tensor, parts: tuple[Any, ...]) -> tuple[Tensor, list[Tensor], tuple[Any, ...]]:
    """An index with tensors as a view of ``x``, the index tensors into it, and the places where they stand.

    The view takes what selects, slices and inserts dimensions: where several index tensors meet is decided by what is
    left of the dimensions between them.
    """
    where: list[Tensor] = []
    places: list[Any] = []
    basic: list[Any] = []
    at = 0
    for p in _explicit(parts, x.ndim):
        if isinstance(p, Tensor):
            if p._array.dtype.kind == "b" and p._array.shape != x._array.shape[at : at + p.ndim]:
                raise IndexError(
                    f"index: a mask of shape {list(p.shape)} does not fit the shape {list(x.shape)} at dimension {at}"
                )
            places.append((len(where),))
            where.append(p)
            basic += [EVERYTHING] * _consumes(p)
        else:
            basic.append(p)
            if p is None or type(p) is slice:
                places.append(EVERYTHING)
        at += _consumes(p)
    if at > x.ndim:
        raise IndexError(f"index: {at} indices for a tensor of {x.ndim} dimensions, shape {list(x.shape)}")
    seen = P.slice(x, tuple(basic)) if any([p != EVERYTHING for p in basic]) else x
    return seen, where, tuple(places)


def _selecting(where: list[Tensor], places: tuple[Any, ...]) -> int | None:
    """The index tensor of no dimension (a batched one, else it were a number) that must be taken before the others.

    So it must where the index tensors stand apart: in PyTorch a number is none of them.
    """
    at = [i for i, p in enumerate(places) if p != EVERYTHING]
    if len(at) < 2 or at[-1] - at[0] == len(at) - 1:
        return None
    return next((k for k, w in enumerate(where) if not w.ndim and w._array.dtype.kind != "b"), None)


def _select(
    x: Tensor, where: list[Tensor], places: tuple[Any, ...], k: int
) -> tuple[Tensor, list[Tensor], tuple[Any, ...]]:
    """Take one index tensor of no dimension; returns what is left to do."""
    axis, left = 0, []
    for p in places:
        if p == (k,):
            seen = P.index(x, [where[k]], (*(EVERYTHING,) * axis, (0,)))
            continue
        left.append(p if p == EVERYTHING else tuple([j - (j > k) for j in p]))
        axis += 1 if p == EVERYTHING or where[p[0]]._array.dtype.kind != "b" else where[p[0]].ndim
    return seen, where[:k] + where[k + 1 :], tuple(left)


def index_tensor(x: Tensor, index: Tensor) -> Tensor:
    """An index tensor on the device of ``x``, of integers or bool.

    Raises:
        IndexError: it is of another type.
    """
    if index.dtype not in INDEX_TYPES:
        raise IndexError(
            f"index: an index tensor must be int64, int32, bool or uint8, got {index.dtype.name}; use .long()"
        )
    if index._array.dtype == np.uint8:
        warnings.warn("index: a mask of uint8 is deprecated, use bool", UserWarning, stacklevel=5)
        index = index.to("bool")
    return index if index._device == x._device else index.to(x._device)


def _part(x: Tensor, p: Any) -> Any:
    if isinstance(p, Tensor):
        return int(p) if _is_number(p) else index_tensor(x, p)
    if isinstance(p, np.ndarray) and not p.ndim and p.dtype.kind in "iu":
        return int(p)
    if isinstance(p, (bool, np.bool_)):
        return wrap(x._device.backend.from_host(np.asarray(bool(p))), x._device)
    if isinstance(p, (list, tuple, range, np.ndarray)):
        array = np.asarray([int(v) if isinstance(v, Tensor) else v for v in p] if not isinstance(p, np.ndarray) else p)
        if array.size == 0:
            array = array.astype(np.int64)
        if array.dtype.kind not in "iub":
            raise IndexError(f"index: indices must be integers or bool, got {array.dtype}")
        return index_tensor(x, wrap(x._device.backend.from_host(array), x._device))
    if type(p) is slice:
        return _slice(p)
    if p is None or p is Ellipsis:
        return p
    if isinstance(p, _ints) or hasattr(p, "__index__"):
        return p.__index__()
    raise (TypeError if isinstance(p, str) else IndexError)(
        f"index: cannot index with {type(p).__name__}; use integers, slices, None, '...', lists or tensors"
    )


def setitem(x: Tensor, key: Any, value: Any) -> None:
    """``x[key] = value``, in memory and on the tape.

    Raises:
        IndexError: out of range. RuntimeError: the value does not broadcast to the place, or the type of ``x`` cannot
            hold it; at places named by index tensors, a tensor of another type.
    """
    if not isinstance(value, Tensor):
        value = fitting("setitem", value, x.dtype)
    if type(key) is list:
        key = _tuple_of(key)
    parts = _basic(key)
    if isinstance(value, Tensor) and value._array.shape[:1] == (1,):
        value = _without_leading_ones(value)
    if parts is not None:
        place = P.slice(x, _explicit(parts, x._array.ndim))
        write("setitem", place, overwrite, value)
        return
    seen, where, places = _advanced(x, key)
    if isinstance(value, Tensor) and value.ndim and _selecting(where, places) is not None:
        raise RuntimeError("setitem: a batched index of no dimension apart from other indices; write to x[index] first")
    if not where:
        write("setitem", seen, overwrite, value)
        return
    if not isinstance(value, Tensor):
        value = wrap(x._device.backend.from_host(np.asarray(value)), x._device)
    elif value._array.size == 1 and len(where) == 1 and where[0]._array.dtype.kind == "b":
        value = P.copy(value) if value._cell is x._cell else value  # one value for a mask may be a part of x
    elif value._array.dtype != x._array.dtype:
        raise RuntimeError(
            f"setitem: at places of a {x.dtype.name} tensor named by indices goes no {describe(value)}; use "
            f".to('{x.dtype.name}'), nothing is converted silently"
        )
    if value._array.dtype != x._array.dtype:
        value = P.cast(value, x._array.dtype)
    if value._device != x._device:
        value = P.transfer(value, value._device, x._device, False)
    write("setitem", seen, lambda old, new: P.index_put(old, new, where, places, False), value)


def _without_leading_ones(value: Tensor) -> Tensor:
    """A value may have more dimensions than the place it is written to, if those in front have size 1."""
    shape = value._array.shape
    count = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    return P.slice(value, (0,) * count)


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``, element by element; alone, the indices of what holds.

    Raises:
        RuntimeError: ``condition`` is not bool (uint8 is taken, with a warning). TypeError: one of the others alone.
    """
    check_tensor("where", "condition", condition)
    if input is None and other is None:
        return tuple(nonzero(condition)[:, i] for i in range(condition.ndim))
    if input is None or other is None:
        raise TypeError("where: takes the condition alone, or with both 'input' and 'other'")
    if condition._array.dtype == np.uint8:
        warnings.warn("where: a condition of uint8 is deprecated, use bool", UserWarning, stacklevel=2)
        condition = P.ne(condition, 0)
    if condition._array.dtype.kind != "b":
        raise RuntimeError(f"where: condition must be bool, got {condition.dtype}; compare it, as in condition != 0")
    return P.where(condition, input, other)


def where_method(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """This tensor where ``condition`` holds, else ``other``, element by element; see ``where``."""
    made: Tensor = where(condition, self, other)
    return made


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero, one row each."""
    check_tensor("nonzero", "input", input)
    if as_tuple and not input.ndim:
        input = P.reshape(input, (1,))
    found = P.nonzero(input)
    return tuple(found[:, i] for i in range(input.ndim)) if as_tuple else found


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """``out[i][j] = input[i][index[i][j]]`` for dim 1, and likewise for others.

    Args:
        sparse_grad: taken for PyTorch's sake; gradients are dense.

    Raises:
        RuntimeError: an index out of range, or sizes beyond those of ``input``.
    """
    check_tensor("gather", "input", input)
    at = dim_of("gather", dim, input.ndim)
    index = check_index("gather", input, index, at)
    if not index._array.size:
        return P.index(P.reshape(input, (-1,)), [P.cast(index, dtypes.int64.numpy)], ((0,),))
    line, places = (t if t.ndim else P.reshape(t, (1,)) for t in (input, index))
    for axis, (n, have) in enumerate(zip(places._array.shape, line._array.shape, strict=True)):
        if axis != at and n > have:
            raise RuntimeError(
                f"gather: index of shape {list(index.shape)} reaches beyond {list(input.shape)} along dim {axis}"
            )
    found = P.gather(line, places, at)
    return found if index.ndim else P.reshape(found, ())


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The places along ``dim`` that ``index`` (1-d) numbers.

    Raises:
        IndexError: an index out of range. RuntimeError: ``index`` is not int32 or int64.
    """
    check_tensor("index_select", "input", input)
    at = dim_of("index_select", dim, input.ndim)
    line = index_line("index_select", input, at, index)
    if not input.ndim:
        return P.reshape(P.index(P.reshape(input, (1,)), [line], ((0,),)), ())
    return P.index(input, [line], (*(slice(None),) * at, (0,)))


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with ``value``, a number or a tensor without dimensions, where ``mask`` holds."""
    check_tensor("masked_fill", "mask", mask)
    if mask._array.dtype.kind != "b":
        raise RuntimeError(f"masked_fill: mask must be bool, got {mask.dtype}")
    filled = fill_value("masked_fill", input, value)
    return P.where(mask, filled, input)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements of ``input`` where ``mask`` holds, as one dimension."""
    check_tensor("masked_select", "mask", mask)
    if mask._array.dtype.kind != "b":
        raise RuntimeError(f"masked_select: mask must be bool, got {mask.dtype}")
    shape = common_shape("masked_select", input._array.shape, mask._array.shape)
    return getitem(P.expand(input, shape), P.expand(mask, shape))
