"""Losses of margins and distances, as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import P, Tensor
from ..autograd.names import step
from ..autograd.ops.args import check_tensor, not_for
from ..autograd.ops.checks import refuse_out_of_range
from ..autograd.ops.distance import pairwise_distance
from ..autograd.promote import describe
from .reduction import legacy_reduction, reduced

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip

Switch = bool | None


def _positive(x: Tensor) -> Tensor:
    return P.clamp(x, 0.0, None)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: Switch = None,
    reduce: Switch = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean of ``max(0, -target * (input1 - input2) + margin)``; targets are 1 or -1.

    Raises:
        RuntimeError: another number of dimensions on one side.
    """
    name = "margin_ranking_loss"
    for argument, x in (("input1", input1), ("input2", input2), ("target", target)):
        check_tensor(name, argument, x)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            f"{name}: all tensors must have as many dimensions, got {describe(input1)}, {describe(input2)}, "
            f"{describe(target)}"
        )
    loss = _positive(P.add(P.mul(P.neg(target), P.sub(input1, input2)), margin))
    return reduced(loss, legacy_reduction(size_average, reduce, reduction))


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: Switch = None, reduce: Switch = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean of ``input`` where the target is 1, and of ``max(0, margin - input)`` where it is -1."""
    check_tensor("hinge_embedding_loss", "input", input)
    check_tensor("hinge_embedding_loss", "target", target)
    zero = P.zeros_like(input)
    apart = P.where(P.ne(target, 1), _positive(P.sub(margin, input)), zero)
    together = P.where(P.ne(target, -1), input, zero)
    return reduced(P.add(apart, together), legacy_reduction(size_average, reduce, reduction))


@step("SoftMarginLoss")
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Switch = None, reduce: Switch = None, reduction: str = "mean"
) -> Tensor:
    """The mean of ``log(1 + exp(-target * input))``; targets are 1 or -1."""
    check_tensor("soft_margin_loss", "input", input)
    check_tensor("soft_margin_loss", "target", target)
    loss = P.log1p(P.exp(P.mul(P.neg(target), input)))
    return reduced(loss, legacy_reduction(size_average, reduce, reduction))


# Cosines and triplets


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: Switch = None,
    reduce: Switch = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean of ``1 - cosine`` where the target is 1, and of ``max(0, cosine - margin)`` where it is -1.

    Args:
        input1, input2: (N, D), or (D,). target: (N,), or without dimensions.

    Raises:
        RuntimeError: other dimensions.
    """
    name = "cosine_embedding_loss"
    for argument, x in (("input1", input1), ("input2", input2), ("target", target)):
        check_tensor(name, argument, x)
    if target.ndim > 1 or input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{name}: needs (N, D) twice and (N,), or (D,) twice and a number; got {describe(input1)}, "
            f"{describe(input2)}, {describe(target)}"
        )
    last = (target.ndim,)
    first, second = (P.add(P.sum(P.square(x), last, False), 1e-12) for x in (input1, input2))
    cosine = P.div(P.sum(P.mul(input1, input2), last, False), P.sqrt(P.mul(first, second)))
    zero = P.zeros_like(cosine)
    together = P.where(P.eq(target, 1), P.sub(1.0, cosine), zero)
    apart = P.where(P.eq(target, -1), _positive(P.sub(cosine, margin)), zero)
    return reduced(P.add(together, apart), legacy_reduction(size_average, reduce, reduction))


def _same_ndim(name: str, anchor: Any, positive: Any, negative: Any) -> None:
    for argument, x in (("anchor", anchor), ("positive", positive), ("negative", negative)):
        check_tensor(name, argument, x)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            f"{name}: anchor, positive and negative must have as many dimensions, got {describe(anchor)}, "
            f"{describe(positive)}, {describe(negative)}"
        )


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: Switch = None, reduce: Switch = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean of ``max(0, margin + distance(anchor, positive) - distance(anchor, negative))``.

    Args:
        anchor, positive, negative: (N, D), or (D,).
        p: the order of the norm. eps: added to each difference.
        swap: take the distance from positive to negative where that is smaller (Balntas et al., 2016).

    Raises:
        ValueError: ``margin`` is not positive. RuntimeError: numbers of dimensions that differ.
    """
    _same_ndim("triplet_margin_loss", anchor, positive, negative)
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: margin must be positive, got {margin}")
    return _triplet(
        anchor, positive, negative, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap,
        legacy_reduction(size_average, reduce, reduction),
    )  # fmt: skip


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0, swap: bool = False,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """``triplet_margin_loss`` with any distance; None takes ``pairwise_distance``."""
    _same_ndim("triplet_margin_with_distance_loss", anchor, positive, negative)
    if margin <= 0:
        raise ValueError(f"triplet_margin_with_distance_loss: margin must be positive, got {margin}")
    return _triplet(anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)


def _triplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, distance: Callable[[Tensor, Tensor], Tensor], margin: float,
    swap: bool, reduction: str,
) -> Tensor:  # fmt: skip
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = P.minimum(far, distance(positive, negative))
    return reduced(_positive(P.sub(P.add(near, margin), far)), reduction)


# Several classes


def _rows(name: str, input: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Input (N, C) and a target with the rows to match; one example gets a batch.

    Raises:
        RuntimeError: other dimensions, or a target that is not int64.
    """
    check_tensor(name, "input", input)
    check_tensor(name, "target", target)
    if input.ndim > 2 or 0 in input._array.shape[-1:] or target._array.dtype.name != "int64":
        raise RuntimeError(
            f"{name}: needs input (N, C) or (C,) and an int64 target, got {describe(input)} and {describe(target)}"
        )
    if input.ndim == 2:
        return input, target
    width = (1, *input._array.shape) if input.ndim else (1, 1)
    return P.reshape(input, width), P.reshape(target, (1, *target._array.shape))


@step("MultiMarginLoss")
def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: Switch = None, reduce: Switch = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean of ``sum over j != y of max(0, margin - x[y] + x[j])**p / C``.

    Args:
        input: (N, C), or (C,).
        target: the class of each row, int64 (N,), or without dimensions.
        p: 1 or 2.
        weight: a factor for each class (C,).

    Raises:
        ValueError: another ``p``, or a weight of another shape. RuntimeError: shapes that do not fit.
        IndexError: a class number out of range.
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{name}: p must be 1 or 2, got {p}")
    if weight is not None and weight.ndim != 1:
        raise ValueError(f"{name}: weight must have 1 dimension, got {describe(weight)}")
    reduction = legacy_reduction(size_average, reduce, reduction)
    alone = isinstance(input, Tensor) and input.ndim < 2
    if alone and isinstance(target, Tensor) and target._array.shape == (1,):
        target = P.reshape(target, ())
    rows, classes = _rows(name, input, target)
    count, width = rows._array.shape
    if classes._array.shape != (count,) or (weight is not None and weight._array.shape != (width,)):
        raise RuntimeError(
            f"{name}: input {describe(input)} asks for a target of shape {[] if alone else [count]} and a weight of "
            f"shape [{width}], got {describe(target)} and {'none' if weight is None else describe(weight)}"
        )
    refuse_out_of_range(name, classes, width, "classes")
    column = P.reshape(classes, (count, 1))
    gap = _positive(P.add(P.sub(margin, P.gather(rows, column, 1)), rows))
    gap = P.square(gap) if p == 2 else gap
    if weight is not None:
        gap = P.mul(gap, P.reshape(P.take(weight, classes), (count, 1)))
    own = P.scatter(P.zeros_like(gap.detach()), column, P.add(P.zeros_like(P.gather(gap.detach(), column, 1)), 1.0), 1)
    gap = P.where(P.gt(own, 0), P.zeros_like(gap), gap)
    loss = P.div(P.sum(gap, (1,), False), float(width))
    return reduced(P.reshape(loss, ()) if alone else loss, reduction)


@step("MultilabelMarginLoss")
def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Switch = None, reduce: Switch = None, reduction: str = "mean"
) -> Tensor:
    """The mean of ``sum over labels y and other classes j of max(0, 1 - x[y] + x[j]) / C``.

    Args:
        input: (N, C), or (C,).
        target: int64 of that shape: the labels of each row, up to the first -1.

    Raises:
        RuntimeError: shapes that do not fit. IndexError: a class number out of range.
    """
    name = "multilabel_margin_loss"
    rows, labels = _rows(name, input, target)
    if input.ndim < 2:
        labels = P.reshape(labels, (1, labels._array.size))
    if labels._array.shape != rows._array.shape:
        raise RuntimeError(f"{name}: target must have the shape {list(input.shape)} of input, got {describe(target)}")
    count, width = rows._array.shape
    begun = P.cumprod(P.cast(P.ge(labels, 0), labels._array.dtype), 1)
    safe = P.mul(labels, begun)
    refuse_out_of_range(name, safe, width, "classes")
    marks = P.scatter_add(P.mul(safe, 0), safe, begun, 1)
    wanted = P.gather(rows, safe, 1)
    gap = P.add(P.sub(1.0, P.reshape(wanted, (count, width, 1))), P.reshape(rows, (count, 1, width)))
    pairs = P.logical_and(P.reshape(P.gt(begun, 0), (count, width, 1)), P.reshape(P.eq(marks, 0), (count, 1, width)))
    loss = P.sum(P.where(pairs, _positive(gap), P.zeros_like(gap)), (1, 2), False)
    loss = P.div(loss, float(width))
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced(P.reshape(loss, ()) if input.ndim < 2 else loss, reduction)


def _log_sigmoid(x: Tensor) -> Tensor:
    return P.neg(P.softplus(P.neg(x), 1.0, float("inf")))


@not_for("c")
def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Switch = None, reduce: Switch = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean over classes of the cross-entropy of ``sigmoid(input)`` against targets in [0, 1], then reduced.

    Args:
        input: (..., C). target: the same shape. weight: a factor for each class, broadcast.
    """
    check_tensor("multilabel_soft_margin_loss", "input", input)
    check_tensor("multilabel_soft_margin_loss", "target", target)
    part = P.mul(P.sub(1, target), _log_sigmoid(P.neg(input)))
    loss = P.neg(P.add(P.mul(target, _log_sigmoid(input)), part))
    if weight is not None:
        loss = P.mul(loss, weight)
    loss = P.mean(loss, (loss.ndim - 1,) if loss.ndim else None, False)
    return reduced(loss, legacy_reduction(size_average, reduce, reduction))
