"""Looking up in sorted tensors, and what is found by sorting."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...backends import dtypes
from ..names import named
from ..promote import constant, result_type
from ..rule import P
from ..tensor import Tensor, wrap
from ..views import own
from .args import check_tensor, dim_of, not_for
from .factories import arange
from .reduce import _refuse_kinds, sort
from .results import fields

__all__ = ["bucketize", "kthvalue", "msort", "searchsorted", "unique", "unique_consecutive"]


class kthvalue_result(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return fields(self)


def msort(input: Tensor) -> Tensor:
    """``input`` sorted along its first dimension."""
    check_tensor("msort", "input", input)
    return sort(input, 0)[0]


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> kthvalue_result:
    """The ``k``-th smallest element along ``dim`` (1 is the smallest), and its index.

    Raises:
        RuntimeError: fewer than ``k`` elements, or ``k`` below 1.
    """
    check_tensor("kthvalue", "input", input)
    _refuse_kinds("kthvalue", input, "bc")
    at = dim_of("kthvalue", dim, input.ndim)
    size = input._array.shape[at] if input.ndim else 1
    if not 1 <= k <= size:
        raise RuntimeError(f"kthvalue: k={k} is out of range for {size} elements along dim {dim}")
    values, order = sort(input, at)
    if input.ndim:
        place = (slice(None),) * at + (slice(k - 1, k) if keepdim else k - 1,)
        values, order = P.copy(P.slice(values, place)), P.copy(P.slice(order, place))
    return kthvalue_result(named(values, "KthvalueBackward0"), order)


def searchsorted(
    sorted_sequence: Tensor, input: Any = None, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter: Tensor | None = None, values: Any = None,
) -> Tensor:  # fmt: skip
    """Where each value belongs in a sorted sequence: before what is equal to it, or with ``right`` behind.

    Args:
        sorted_sequence: (n,), or (..., n) with the leading sizes of ``input``; ascending along the last dimension.
        input: the values: a tensor, or a number where the sequence has one dimension.
        out_int32: whether the answer is int32 rather than int64.
        right: the same as ``side="right"``.
        side: "left" or "right".
        sorter: indices that sort ``sorted_sequence``, int64, of its shape.

    Returns:
        The shape of ``input``.

    Raises:
        RuntimeError: shapes that do not fit, or ``right`` and ``side`` against each other.
    """
    name, sequence = "searchsorted", sorted_sequence
    check_tensor(name, "sorted_sequence", sequence)
    given = values if input is None else input
    if side not in (None, "left", "right"):
        raise RuntimeError(f"{name}: side must be 'left' or 'right', got {side!r}")
    if side == "left" and right:
        raise RuntimeError(f"{name}: side='left' and right=True contradict each other")
    if not isinstance(given, Tensor):
        if sequence.ndim != 1:
            raise RuntimeError(f"{name}: a number is looked up in one dimension, not in {list(sequence.shape)}")
        given = constant(given, result_type(sequence, given), sequence._device)
    if not sequence.ndim:
        raise RuntimeError(f"{name}: sorted_sequence needs at least one dimension")
    if sequence.ndim > 1 and (sequence.ndim != given.ndim or sequence._array.shape[:-1] != given._array.shape[:-1]):
        raise RuntimeError(
            f"{name}: sorted_sequence {list(sequence.shape)} and input {list(given.shape)} must have one shape but "
            "for the last dimension, or sorted_sequence one dimension only"
        )
    if sorter is not None:
        sequence = _sorted_by(name, sequence, sorter)
    if 0 in given._array.shape:
        found = P.cast(P.zeros_like(given), dtypes.int64.numpy)
    else:
        kind = result_type(sequence, given).numpy
        ends = [t if t._array.dtype == kind else P.cast(t, kind) for t in (sequence, given)]
        found = P.searchsorted(*ends, bool(right or side == "right"))
    return P.cast(found, dtypes.int32.numpy) if out_int32 else found


def _sorted_by(name: str, sequence: Tensor, sorter: Tensor) -> Tensor:
    check_tensor(name, "sorter", sorter)
    if sorter.dtype is not dtypes.int64 or sorter._array.shape != sequence._array.shape:
        raise RuntimeError(
            f"{name}: sorter must be int64 of shape {list(sequence.shape)}, got {sorter.dtype.name}{list(sorter.shape)}"
        )
    from .index import gather

    return gather(sequence, -1, sorter)


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each value: ``searchsorted`` in one line of ascending ``boundaries``.

    Raises:
        RuntimeError: ``boundaries`` has not one dimension.
    """
    check_tensor("bucketize", "boundaries", boundaries)
    if boundaries.ndim != 1:
        raise RuntimeError(f"bucketize: boundaries must have one dimension, got shape {list(boundaries.shape)}")
    kind = result_type(boundaries, input)
    if kind is dtypes.bool_ or kind.is_complex:
        raise RuntimeError(f"bucketize: not defined for {kind.name}; convert with .float()")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@not_for("c")
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The different elements of ``input`` in ascending order, or its different slices along ``dim``.

    Args:
        input: any shape.
        sorted: accepted; the result is always sorted.
        return_inverse: also where each element of ``input`` is in the result: the shape of ``input``, or (n,).
        return_counts: also how often each element occurs.
        dim: None compares elements.

    Returns:
        The result, or a tuple of it and what else was asked for. None of it has a gradient.
    """
    check_tensor("unique", "input", input)
    rows = _rows("unique", input, dim)
    order = _arange(rows)
    for column in range(rows._array.shape[1] - 1, -1, -1):  # each sort keeps the order of those before
        key = P.index(P.slice(rows, (slice(None), column)), [order], ((0,),))
        order = P.index(order, [P.argsort(key, 0, False, True)], ((0,),))
    return _runs(input, rows, order, dim, return_inverse, return_counts)


@not_for("c")
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """``input`` without the elements (or slices along ``dim``) that repeat the one before; returns as ``unique``."""
    check_tensor("unique_consecutive", "input", input)
    rows = _rows("unique_consecutive", input, dim)
    return _runs(input, rows, _arange(rows), dim, return_inverse, return_counts)


def _rows(name: str, x: Tensor, dim: int | None) -> Tensor:
    """What is compared, one row each, without history."""
    bare = wrap(x._array, x._device)
    if dim is None:
        return P.reshape(bare, (x._array.size, 1))
    at = dim_of(name, dim, x.ndim)
    shape = x._array.shape
    if not shape:
        return P.reshape(bare, (1, 1))
    if 0 in shape and shape[at]:
        raise RuntimeError(f"{name}: slices along dim {dim} of shape {list(shape)} have no elements to compare")
    front = P.permute(bare, (at, *(i for i in range(x.ndim) if i != at)))
    return P.reshape(front, (shape[at], x._array.size // max(shape[at], 1)))


def _arange(rows: Tensor) -> Tensor:
    return arange(rows._array.shape[0], device=rows.device)


def _runs(x: Tensor, rows: Tensor, order: Tensor, dim: int | None, inverse: bool, counts: bool) -> Any:
    """The first row of every run of equal ones, with the rows taken in ``order``."""
    count = rows._array.shape[0]
    lined = P.index(rows, [order], ((0,),))
    before, after = P.slice(lined, (slice(0, max(count - 1, 0)),)), P.slice(lined, (slice(1, None),))
    changed = P.any(P.ne(after, before), (1,), False)
    first = P.cast(P.zeros_like(P.slice(order, (slice(0, 1),))), changed._array.dtype)
    first = P.cat([P.logical_not(first), changed], 0) if count else first
    starts = P.reshape(P.nonzero(first), (-1,))
    kept = P.index(order, [starts], ((0,),))
    bare = wrap(x._array, x._device)
    if dim is None or not x.ndim:
        flat = bare if dim is not None and not x.ndim else P.reshape(bare, (-1,))
        results = [P.index(flat, [kept], ((0,),)) if flat.ndim else P.copy(flat)]
    else:
        at = dim_of("unique", dim, x.ndim)
        results = [P.index(bare, [kept], (*(slice(None),) * at, (0,)))]
    if inverse:
        number = P.sub(P.cumsum(P.cast(first, order._array.dtype), 0), 1)
        back = P.index_put(P.zeros_like(order), number, [order], ((0,),), False)
        results.append(own(P.reshape(back, x._array.shape)) if dim is None else back)
    if counts:
        end = constant(count, dtypes.int64, x._device)
        ends = P.cat([P.slice(starts, (slice(1, None),)), P.reshape(end, (1,))], 0) if count else starts
        results.append(P.sub(ends, starts))
    return tuple(results) if len(results) > 1 else results[0]
