"""Writing at indices, out of place: the index, scatter, put and masked families and the views' scatters."""

from __future__ import annotations

import builtins
import math
from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import constant, describe
from ..rule import P
from ..tensor import Tensor
from ..types import iinfo
from ..views import own
from .args import check_tensor, common_shape, dim_of, not_for
from .checks import (
    check_index,
    check_same_type,
    fill_value,
    from_the_end,
    index_line,
    refuse_out_of_range,
)
from .factories import arange
from .index import index_tensor, places_of
from .memory_order import row_by_row
from .sorting import unique

__all__ = [
    "index_add", "index_copy", "index_fill", "index_put", "index_reduce", "masked_scatter", "put", "scatter",
    "scatter_add", "scatter_reduce", "take", "take_along_dim",
]  # fmt: skip

ALL = builtins.slice(None)


# Whole slices along one dimension


def _source(name: str, input: Tensor, at: int, index: Tensor, source: Tensor) -> Tensor:
    """The slices to write, after a look at their shape and type."""
    check_tensor(name, "source", source)
    check_same_type(name, input, "source", source)
    shape = input._array.shape
    wanted = (*shape[:at], index._array.size, *shape[at + 1 :]) if shape else ()
    if name == "index_copy" and not shape:
        wanted = source._array.shape
    if source._array.shape != wanted or (not shape and source._array.size != index._array.size):
        raise RuntimeError(
            f"{name}: source must have shape {list(wanted)}, one slice for each of the {index._array.size} indices "
            f"along dim {at}, got {list(source.shape)}"
        )
    return source


def _put_slices(input: Tensor, at: int, index: Tensor, value: Tensor, accumulate: bool) -> Tensor:
    if not input.ndim:
        line = P.index_put(P.reshape(input, (1,)), P.reshape(value, (-1,)), [index], ((0,),), accumulate)
        return P.reshape(line, ())
    return P.index_put(input, value, [index], (*(ALL,) * at, (0,)), accumulate)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy of ``input`` with the slices of ``source``, times ``alpha``, added where ``index`` says.

    Args:
        input: any shape.
        dim: the dimension that ``index`` counts along.
        index: (n,), integers.
        source: the shape of ``input`` with n slices along ``dim``.

    Raises:
        IndexError: an index out of range. RuntimeError: shapes or types that do not fit.
    """
    at = dim_of("index_add", dim, input.ndim)
    index = index_line("index_add", input, at, index)
    source = _source("index_add", input, at, index, source)
    if input._array.dtype.kind in "iu":
        alpha = int(alpha)
    scaled = source if type(alpha) is int and alpha == 1 else P.cast(P.mul(source, alpha), source._array.dtype)
    return named(_put_slices(input, at, index, scaled, True), "IndexAddBackward0")


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with its slices at ``index`` replaced by those of ``source``; arguments as ``index_add``."""
    at = dim_of("index_copy", dim, input.ndim)
    index = index_line("index_copy", input, at, index, long=True)
    if input.ndim and not source.ndim:
        shape = tuple(1 if i == at else n for i, n in enumerate(input._array.shape))
        source = P.reshape(source, shape) if input.ndim == 1 else source
    return named(
        _put_slices(input, at, index, _source("index_copy", input, at, index, source), False), "IndexCopyBackward0"
    )


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with its slices at ``index`` (which may count from the end) filled with one value.

    Args:
        input: any shape.
        dim: the dimension that ``index`` counts along.
        index: (n,), int64.
        value: a number, or a tensor without dimensions.
    """
    at = dim_of("index_fill", dim, input.ndim)
    index = index_line("index_fill", input, at, index, long=True, negative=True)
    value = fill_value("index_fill", input, value)
    if value.requires_grad:
        index = unique(index)  # a place that is named twice holds the value once
    return named(_put_slices(input, at, index, value, False), "IndexFillBackward0")


@not_for("bc")
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of ``input`` with the slices of ``source`` combined into it where ``index`` says.

    Args:
        input, dim, index, source: as for ``index_add``.
        reduce: "prod", "mean", "amax" or "amin".
        include_self: whether what stands in ``input`` takes part.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce: reduce must be 'prod', 'mean', 'amax' or 'amin', got {reduce!r}")
    at = dim_of("index_reduce", dim, input.ndim)
    index = index_line("index_reduce", input, at, index)
    source = _source("index_reduce", input, at, index, source)
    if not input.ndim:
        line = _reduced(P.reshape(input, (1,)), 0, index, P.reshape(source, (-1,)), reduce, include_self)
        return P.reshape(line, ())
    line = P.reshape(index, tuple(-1 if i == at else 1 for i in range(input.ndim)))
    return _reduced(input, at, P.expand(line, source._array.shape), source, reduce, include_self)


# Places named one by one along a dimension


def _scattered(name: str, input: Tensor, dim: int, index: Tensor, value: Any) -> tuple[Tensor, int, Tensor, Tensor]:
    """The operands of a scatter, checked, with at least one dimension each."""
    check_tensor(name, "input", input)
    at = dim_of(name, dim, input.ndim)
    index = check_index(name, input, index, at)
    if not isinstance(value, Tensor):
        value = P.expand(fill_value(name, input, value), index._array.shape)
    if index._array.size:
        check_same_type(name, input, "src", value)
        _check_reach(name, input, at, index, value)
    x = input if input.ndim else P.reshape(input, (1,))
    index, value = (t if t.ndim else P.reshape(t, (1,)) for t in (index, value))
    return x, at, index, value


def _check_reach(name: str, input: Tensor, at: int, index: Tensor, value: Tensor) -> None:
    """Each size of the index must be at most that of the source, and of the tensor off ``dim``."""
    sizes, have, given = ([*t._array.shape] or [1] for t in (index, input, value))
    if len(sizes) != len(given):
        raise RuntimeError(f"{name}: index {describe(index)} and src {describe(value)} need as many dimensions")
    for axis, n in enumerate(sizes):
        if n > given[axis] or (axis != at and n > have[axis]):
            raise RuntimeError(
                f"{name}: index of shape {list(index.shape)} reaches beyond src {list(value.shape)} or, apart from "
                f"dim {at}, beyond the tensor {list(input.shape)}"
            )


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy of ``input`` with ``src`` written at the places that ``gather`` would read.

    Args:
        input: any shape.
        dim: the dimension that ``index`` counts along.
        index: integers; at most as large as ``src``, and as ``input`` apart from ``dim``.
        src: a tensor of the type of ``input``, or a number (also called ``value``).
        reduce: "add" or "multiply" combines with what stands there instead.

    Raises:
        IndexError: an index out of range. RuntimeError: shapes or types that do not fit.
    """
    given = value if src is None else src
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError(f"scatter: reduce must be 'add' or 'multiply', got {reduce!r}")
    x, at, index, source = _scattered("scatter", input, dim, index, given)
    if not index._array.size:
        return P.copy(input)
    if reduce is None:
        out = P.scatter(x, index, source, at)
    else:
        out = _reduced(x, at, index, source, {"add": "sum", "multiply": "prod"}[reduce], True)
    return out if input.ndim else P.reshape(out, ())


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with ``src`` added at the places that ``gather`` would read; arguments as ``scatter``."""
    check_tensor("scatter_add", "src", src)
    x, at, index, source = _scattered("scatter_add", input, dim, index, src)
    if not index._array.size:
        return P.copy(input)
    out = P.scatter_add(x, index, source, at)
    return out if input.ndim else P.reshape(out, ())


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of ``input`` with ``src`` combined into it at the places that ``gather`` would read.

    Args:
        input, dim, index, src: as for ``scatter``.
        reduce: "sum", "prod", "mean", "amax" or "amin". Ties of the last two share the gradient evenly.
        include_self: whether what stands in ``input`` takes part.
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"scatter_reduce: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', got {reduce!r}")
    check_tensor("scatter_reduce", "src", src)
    x, at, index, source = _scattered("scatter_reduce", input, dim, index, src)
    if not index._array.size:
        return P.copy(input)
    out = named(_reduced(x, at, index, source, reduce, include_self), "ScatterReduceBackward0")
    return out if input.ndim else P.reshape(out, ())


def _reduced(x: Tensor, at: int, index: Tensor, src: Tensor, reduce: str, include_self: bool) -> Tensor:
    """``scatter_reduce`` of operands that fit."""
    if src._array.shape != index._array.shape:
        src = P.slice(src, tuple(builtins.slice(n) for n in index._array.shape))
    kind = x._array.dtype
    if kind.kind == "c" and reduce in ("amax", "amin"):
        raise RuntimeError(f"scatter_reduce: complex numbers have no order, so there is no {reduce} of {x.dtype.name}")
    if not include_self:
        x = P.scatter(x, index, P.expand(_neutral(x, reduce), index._array.shape), at)
    if reduce not in ("sum", "mean"):
        x = P.copy(x)  # the derivative needs what an in-place form overwrites
    if reduce == "prod":
        return _multiplied(x, index, src, at)
    if reduce in ("amax", "amin"):
        return (P.scatter_amax if reduce == "amax" else P.scatter_amin)(x, index, src, at)
    total = P.scatter_add(x, index, src, at)
    if reduce == "sum":
        return total
    counts = _like(x, 1 if include_self else 0)
    counts = P.scatter_add(counts, index, _like(src, 1), at)
    counts = P.where(P.eq(counts, 0), _like(x, 1), counts)
    if kind.kind in "biu":
        return P.cast(P.floor_divide(P.cast(total, dtypes.int64.numpy), P.cast(counts, dtypes.int64.numpy)), kind)
    return P.div(total, counts)


def _like(x: Tensor, value: Any) -> Tensor:
    return P.expand(constant(value, x.dtype, x._device), x._array.shape)


def _neutral(x: Tensor, reduce: str) -> Tensor:
    """What changes nothing under the reduction."""
    kind = x.dtype
    if reduce in ("sum", "mean", "prod"):
        return constant(int(reduce == "prod"), kind, x._device)
    if kind.is_floating_point:
        return constant(-math.inf if reduce == "amax" else math.inf, kind, x._device)
    if kind is dtypes.bool_:
        return constant(reduce == "amin", kind, x._device)
    limits = iinfo(kind)
    return constant(limits.min if reduce == "amax" else limits.max, kind, x._device)


def _multiplied(x: Tensor, index: Tensor, src: Tensor, at: int) -> Tensor:
    """Products: the factors of each place side by side in one row, ones after the last, so that zeros differentiate."""
    device = x._device
    numbers = P.reshape(arange(x._array.size, device=x.device), x._array.shape)
    place = P.reshape(P.gather(numbers, index, at), (-1,))
    order = P.argsort(place, 0, False, True)
    ordered = P.index(place, [order], ((0,),))
    position = arange(order._array.size, device=x.device)
    column = P.sub(position, P.searchsorted(ordered, ordered, False))
    width = int(P.amax(column, (0,), False).item()) + 1
    factors = P.index(P.reshape(src, (-1,)), [order], ((0,),))
    ones = P.copy(P.expand(constant(1, x.dtype, device), (x._array.size, width)))
    rows = P.index_put(ones, factors, [ordered, column], ((0,), (1,)), False)
    return P.mul(x, P.reshape(P.cast(P.prod(rows, 1, False), x._array.dtype), x._array.shape))


# Places named in the flattened tensor


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements of the flattened ``input`` at ``index`` (which may count from the end), in the shape of ``index``.

    Raises:
        IndexError: an index out of range. RuntimeError: ``index`` is not int64.
    """
    check_tensor("take", "input", input)
    index = _flat_index("take", input, index)
    return named(P.index(P.reshape(input, (-1,)), [index], ((0,),)), "TakeBackward0")


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``source`` written (or added) at ``index`` of the flattened tensor.

    Raises:
        IndexError: an index out of range. RuntimeError: other types, or another number of elements.
    """
    check_tensor("put", "input", input)
    check_tensor("put", "source", source)
    index = _flat_index("put", input, index)
    check_same_type("put", input, "source", source)
    if source._array.size != index._array.size:
        raise RuntimeError(f"put: {source._array.size} elements in source for {index._array.size} indices")
    line = P.index_put(
        P.reshape(input, (-1,)), P.reshape(source, (-1,)), [P.reshape(index, (-1,))], ((0,),), bool(accumulate)
    )
    return named(own(P.reshape(line, input._array.shape)), "PutBackward0")


def _flat_index(name: str, input: Tensor, index: Tensor) -> Tensor:
    check_tensor(name, "index", index)
    if index.dtype is not dtypes.int64:
        raise RuntimeError(f"{name}: index must be int64, got {index.dtype.name}; convert it with .long()")
    size = input._array.size
    if not size and index._array.size:
        raise IndexError(f"{name}: there is nothing to index in the shape {list(input.shape)}")
    refuse_out_of_range(name, index, size, "the flattened tensor", negative=True)
    return from_the_end(index, size)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """``gather`` whose operands broadcast against each other apart from ``dim``; None takes the flattened tensor.

    Raises:
        IndexError: an index out of range. RuntimeError: other numbers of dimensions, or ``indices`` not int64.
    """
    check_tensor("take_along_dim", "indices", indices)
    if indices.dtype is not dtypes.int64:
        raise RuntimeError(f"take_along_dim: indices must be int64, got {indices.dtype.name}")
    if dim is None:
        return take_along_dim(P.reshape(input, (-1,)), P.reshape(indices, (-1,)), 0)
    if input.ndim != indices.ndim:
        raise RuntimeError(
            f"take_along_dim: input {list(input.shape)} and indices {list(indices.shape)} need as many dimensions"
        )
    at = dim_of("take_along_dim", dim, input.ndim)
    have, wanted = ([*t._array.shape] for t in (input, indices))
    fixed = ((*sizes[:at], 1, *sizes[at + 1 :]) for sizes in (have, wanted))
    common = common_shape("take_along_dim", *fixed)
    size = have[at]
    refuse_out_of_range("take_along_dim", indices, size, f"dim {at}", negative=True)
    index = P.expand(from_the_end(indices, size), (*common[:at], wanted[at], *common[at + 1 :]))
    return P.gather(P.expand(input, (*common[:at], size, *common[at + 1 :])), index, at)


# Indices of every kind, and masks


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``values`` written (or added) at ``input[indices]``.

    Args:
        input: any shape.
        indices: a tuple of tensors of integers or bools, as between the brackets of ``input[...]``.
        values: of the type of ``input``; broadcasts to the place.

    Raises:
        IndexError: out of range. TypeError: ``indices`` is not a tuple of tensors. RuntimeError: another type.
    """
    check_tensor("index_put", "values", values)
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"index_put: indices must be a tuple of tensors, not {type(indices).__name__}")
    for i, each in enumerate(indices):
        check_tensor("index_put", f"indices[{i}]", each)
    check_same_type("index_put", input, "values", values)
    _, where, places = places_of(input, tuple([index_tensor(input, each) for each in indices]))
    return P.index_put(input, values, where, places, bool(accumulate))


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with the elements of ``source``, in their order, written where ``mask`` holds.

    Args:
        input: any shape.
        mask: bool; broadcasts with ``input``.
        source: of the type of ``input``, with at least as many elements as the mask has places.
    """
    check_tensor("masked_scatter", "mask", mask)
    check_tensor("masked_scatter", "source", source)
    if mask.dtype is not dtypes.bool_:
        raise RuntimeError(f"masked_scatter: mask must be bool, got {mask.dtype.name}")
    check_same_type("masked_scatter", input, "source", source)
    shape = common_shape("masked_scatter", input._array.shape, mask._array.shape)
    mask = P.expand(mask, shape)
    count = int(P.count_nonzero(mask, None).item())
    if source._array.size < count:
        raise RuntimeError(f"masked_scatter: source has {source._array.size} elements, the mask {count} places")
    taken = P.slice(P.reshape(source, (-1,)), (builtins.slice(0, count),))
    made = P.index_put(P.expand(input, shape), taken, [mask], ((0,),), False)
    return named(row_by_row(made), "MaskedScatterBackward0")
