"""Rows of a table by number, alone and in bags. Gradients are dense, also where ``sparse`` is asked for."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

from ...backends import dtypes
from ..grad_mode import no_grad
from ..names import named
from ..promote import describe
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor
from .checks import refuse_out_of_range
from .factories import arange
from .reduce import norm
from .spatial import index_of

__all__ = ["embedding", "embedding_bag", "embedding_renorm_"]


def _check(name: str, input: Any, weight: Any) -> None:
    check_tensor(name, "input", input)
    check_tensor(name, "weight", weight)
    if input.dtype not in (dtypes.int64, dtypes.int32):
        raise RuntimeError(f"{name}: input must be int64 or int32, got {describe(input)}; convert it with .long()")
    if weight.ndim != 2:
        raise RuntimeError(f"{name}: weight must have 2 dimensions (rows, features), got {describe(weight)}")
    refuse_out_of_range(name, input, weight._array.shape[0], "a table")


def _padding(name: str, padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise AssertionError(f"{name}: padding_idx {padding_idx} is not within the {rows} rows of weight")
    return padding_idx + rows if padding_idx < 0 else padding_idx


def embedding_renorm_(weight: Tensor, input: Tensor, max_norm: float, norm_type: float = 2.0) -> Tensor:
    """Scale the rows of ``weight`` that ``input`` numbers down to norm ``max_norm``, in place."""
    with no_grad():
        plain = weight.detach()
        size = norm(plain, norm_type, 1, True)
        asked = P.reshape(input, (-1,))
        counts = P.untake(P.cast(P.add(P.zeros_like(asked), 1), weight._array.dtype), asked, weight._array.shape[0])
        large = P.logical_and(P.gt(P.reshape(counts, size._array.shape), 0), P.gt(size, max_norm))
        factor = P.where(large, P.div(float(max_norm), P.add(size, 1e-7)), 1.0)
        weight.copy_(P.mul(plain, factor))
    return weight


def _rows(weight: Tensor, input: Tensor, padding: int | None, by_frequency: bool) -> Tensor:
    """The rows, of which the one for padding gets no gradient."""
    made = P.take(weight, input)
    if not made.requires_grad:
        return made
    shape = (*input._array.shape, 1)
    if by_frequency:
        ones = P.cast(P.add(P.zeros_like(input), 1), weight._array.dtype)
        line = P.reshape(input, (-1,))
        counts = P.take(P.untake(P.reshape(ones, (-1,)), line, weight._array.shape[0]), input)
        share = P.div(made, P.reshape(counts, shape))
        made = P.add(share, P.sub(made, share).detach())
    if padding is not None:
        made = P.where(P.reshape(P.eq(input, padding), shape), made.detach(), made)
    return made


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Rows of a table by number.

    Args:
        input: int64 or int32, any shape.
        weight: (rows, features).
        padding_idx: the row that gets no gradient; a negative number counts from the end.
        max_norm: scale the rows that are looked up down to this norm first, in ``weight`` itself.
        norm_type: the order of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it was looked up.
        sparse: counts for nothing; the gradient is dense.

    Returns:
        (*input.shape, features).

    Raises:
        IndexError: no such row. RuntimeError: other types or dimensions. AssertionError: ``padding_idx`` out of range.
    """
    _check("embedding", input, weight)
    padding = _padding("embedding", padding_idx, weight._array.shape[0])
    if max_norm is not None:
        embedding_renorm_(weight, input, max_norm, norm_type)
    return named(_rows(weight, input, padding, scale_grad_by_freq), "EmbeddingBackward0")


# Bags


def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None,
    norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """The sum, mean or largest element of the rows in each bag.

    Args:
        input: (bags, length) of int64 or int32, or one line of all bags with ``offsets``.
        weight: (rows, features).
        offsets: (bags,): where each bag begins in the line.
        mode: "sum", "mean" or "max".
        per_sample_weights: a factor for each number, in mode "sum".
        include_last_offset: ``offsets`` has a further number, the end of the last bag.
        padding_idx: a row that counts for nothing.
        max_norm, norm_type, scale_grad_by_freq, sparse: see ``embedding``.

    Returns:
        (bags, features); zeros for a bag of nothing.

    Raises:
        ValueError, RuntimeError: arguments that do not go together. IndexError: no such row.
    """
    name = "embedding_bag"
    check_tensor(name, "input", input)
    check_tensor(name, "weight", weight)
    if weight.dtype is dtypes.int64 and input.dtype.is_floating_point:
        warnings.warn(f"{name}: numbers come first, then weight; the other order is deprecated", stacklevel=2)
        input, weight = weight, input
    if weight.ndim != 2:
        raise ValueError(f"{name}: weight must have 2 dimensions (rows, features), got {describe(weight)}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{name}: mode must be 'sum', 'mean' or 'max', got {mode!r}")
    if mode == "max" and (scale_grad_by_freq or sparse):
        raise ValueError(f"{name}: mode 'max' goes neither with scale_grad_by_freq nor with sparse")
    if per_sample_weights is not None:
        _check_factors(name, input, weight, per_sample_weights, mode)
    starts = _starts(name, input, offsets, include_last_offset)
    _check(name, input, weight)
    padding = _padding(name, padding_idx, weight._array.shape[0])
    line = P.reshape(input, (-1,))
    if max_norm is not None:
        embedding_renorm_(weight, line, max_norm, norm_type)
    rows = _rows(weight, line, padding, scale_grad_by_freq)
    bags = len(starts) - 1
    ids = _bag_of(line, starts)
    kept = None if padding is None else P.ne(line, padding)
    if mode == "max":
        return _largest(rows, ids, starts, kept)
    if per_sample_weights is not None:
        rows = P.mul(rows, P.reshape(per_sample_weights, (-1, 1)))
    if kept is not None:
        rows = P.where(P.reshape(kept, (-1, 1)), rows, P.zeros_like(rows))
    made = P.untake(rows, ids, bags)
    if mode == "mean":
        ones = P.add(P.zeros_like(line), 1) if kept is None else P.cast(kept, dtypes.int64.numpy)
        counts = P.untake(P.cast(ones, weight._array.dtype), ids, bags)
        made = P.div(made, P.reshape(P.clamp(counts, 1.0, None), (-1, 1)))
    return named(made, "EmbeddingBagBackward0")


def _check_factors(name: str, input: Tensor, weight: Tensor, factors: Any, mode: str) -> None:
    check_tensor(name, "per_sample_weights", factors)
    if mode != "sum":
        raise RuntimeError(f"{name}: per_sample_weights go with mode 'sum' only, got {mode!r}")
    if factors._array.shape != input._array.shape:
        raise ValueError(
            f"{name}: per_sample_weights must have the shape {list(input.shape)} of input, got {describe(factors)}"
        )
    if factors._array.dtype != weight._array.dtype:
        raise RuntimeError(f"{name}: per_sample_weights {describe(factors)} must have the type of {describe(weight)}")


def _starts(name: str, input: Tensor, offsets: Any, with_end: bool) -> list[int]:
    """Where each bag begins in the line of all, and the end of the last one.

    Raises:
        ValueError, RuntimeError: offsets that do not fit.
    """
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(f"{name}: input of 2 dimensions has one bag in each row; offsets must be None")
        bags, length = input._array.shape
        return [i * length for i in range(bags + 1)]
    if input.ndim != 1:
        raise ValueError(f"{name}: input must have 1 or 2 dimensions, got {describe(input)}")
    if offsets is None:
        raise ValueError(f"{name}: input of 1 dimension needs offsets")
    check_tensor(name, "offsets", offsets)
    if offsets.ndim != 1:
        raise ValueError(f"{name}: offsets must have 1 dimension, got {describe(offsets)}")
    if offsets.dtype not in (dtypes.int64, dtypes.int32):
        raise RuntimeError(f"{name}: offsets must be int64 or int32, got {describe(offsets)}")
    starts, size = offsets.tolist(), input._array.shape[0]
    if with_end and not starts:
        raise RuntimeError(f"{name}: with include_last_offset there must be at least one offset")
    if starts and (starts[0] != 0 or starts[-1] > size or any(b < a for a, b in pairwise(starts))):
        raise RuntimeError(f"{name}: offsets must begin with 0, not fall, and not exceed the {size} numbers of input")
    return [*(starts[:-1] if with_end else starts), size]


def _bag_of(line: Tensor, starts: list[int]) -> Tensor:
    """The bag of each number in the line of all."""
    places = arange(line._array.shape[0], device=line.device)
    return P.sub(P.searchsorted(index_of(starts[:-1], line), places, True), 1)


def _largest(rows: Tensor, ids: Tensor, starts: list[int], kept: Tensor | None) -> Tensor:
    """The largest of each bag, feature by feature; the first one takes the gradient where several tie."""
    lengths = [end - start for start, end in pairwise(starts)]
    bags, most, count = len(lengths), max([1, *lengths]), rows._array.shape[0]
    if not count:
        return P.untake(rows, ids, bags)
    steps = arange(most, device=rows.device)
    firsts, ends = (P.reshape(index_of(line, rows), (bags, 1)) for line in (starts[:-1], starts[1:]))
    places = P.add(firsts, steps)
    inside = P.lt(places, ends)
    index = P.where(inside, places, P.zeros_like(places))
    if kept is not None:
        inside = P.logical_and(inside, P.take(kept, index))
    laid = P.take(rows, index)
    low = P.where(P.reshape(inside, (bags, most, 1)), laid.detach(), -float("inf"))
    chosen = P.argmax(low, 1, True)
    made = P.reshape(P.gather(laid, chosen, 1), (bags, rows._array.shape[1]))
    some = P.reshape(P.any(inside, (1,), False), (bags, 1))
    return named(P.where(some, made, P.zeros_like(made)), "EmbeddingBagBackward0")
