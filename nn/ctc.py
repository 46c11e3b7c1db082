"""Connectionist temporal classification (Graves et al., 2006)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import P, Tensor
from ..autograd.ops.args import check_tensor
from ..autograd.ops.create import from_numpy
from ..autograd.promote import describe
from .reduction import reduced

__all__ = ["ctc_loss"]

NEVER = -1e30  # the logarithm of a probability of 0: finite, so that differences of two of them are


def _host(x: Any) -> np.ndarray:
    return np.asarray(x._device.backend.to_host(x._array) if isinstance(x, Tensor) else x).astype(np.int64).reshape(-1)


def _labels(targets: Tensor, lengths: np.ndarray, blank: int) -> np.ndarray:
    """The labels of each example with blanks around them, (N, 2 S + 1); rows are filled up with blanks.

    Raises:
        RuntimeError: fewer targets than the lengths say.
    """
    most = int(lengths.max(initial=0))
    given = np.asarray(targets._device.backend.to_host(targets._array)).astype(np.int64)
    table = np.full((len(lengths), 2 * most + 1), blank, np.int64)
    if given.ndim == 2:
        if given.shape[0] != len(lengths) or given.shape[1] < most:
            raise RuntimeError(
                f"ctc_loss: targets {describe(targets)} must have {len(lengths)} rows of at least {most} labels"
            )
        rows = list(given)
    else:
        if given.size != lengths.sum():
            raise RuntimeError(
                f"ctc_loss: targets {describe(targets)} must have as many labels as the lengths say: {lengths.sum()}"
            )
        ends = np.cumsum(lengths)
        rows = [given[end - n : end] for end, n in zip(ends, lengths, strict=True)]
    for row, labels, n in zip(table, rows, lengths, strict=True):
        row[1 : 2 * n : 2] = labels[:n]
    return table


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """Minus the log-probability of label sequences, summed over all their alignments.

    As in PyTorch the gradient takes ``log_probs`` for the result of ``log_softmax``: through that it is right.

    Args:
        log_probs: (T, N, C), or (T, C).
        targets: labels (N, S), or those of all examples one after the other; none of them blank.
        input_lengths, target_lengths: (N,) each; tensors, tuples or lists of integers.
        blank: the number of the blank class.
        reduction: "mean" (each loss over the length of its target, then the mean), "sum" or "none".
        zero_infinity: count a target too long for its input as 0, not as infinity.

    Returns:
        A number, or (N,) without a reduction.

    Raises:
        RuntimeError: lengths, labels or types that do not fit.
    """
    check_tensor("ctc_loss", "log_probs", log_probs)
    check_tensor("ctc_loss", "targets", targets)
    alone = log_probs.ndim == 2
    if log_probs.ndim not in (2, 3) or not log_probs.dtype.is_floating_point or targets.dtype.is_floating_point:
        raise RuntimeError(
            "ctc_loss: needs floating log_probs (T, N, C) or (T, C) and targets of integers, got "
            f"{describe(log_probs)} and {describe(targets)}"
        )
    steps, *_, classes = log_probs._array.shape
    scores = P.reshape(log_probs, (steps, 1, classes)) if alone else log_probs
    batch = scores._array.shape[1]
    inputs, lengths = _host(input_lengths), _host(target_lengths)
    if len(inputs) != batch or len(lengths) != batch or not 0 <= blank < classes:
        raise RuntimeError(
            f"ctc_loss: log_probs {describe(log_probs)} ask for {batch} input_lengths and target_lengths and a blank "
            f"below {classes}; got {len(inputs)}, {len(lengths)} and {blank}"
        )
    if batch and (inputs.max() > steps or inputs.min() < 0 or lengths.min() < 0):
        raise RuntimeError(f"ctc_loss: lengths must lie between 0 and {steps}, got {inputs.max()} at most")
    labels = _labels(targets, lengths, blank)
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise RuntimeError(f"ctc_loss: labels must lie in 0 .. {classes - 1}")
    kind = scores._array.dtype
    if kind.itemsize == 2:  # too narrow for NEVER
        loss = P.cast(_losses(P.cast(scores, np.dtype(np.float32)), labels, inputs, lengths, blank), kind)
    else:
        loss = _losses(scores, labels, inputs, lengths, blank)
    if zero_infinity:
        loss = P.where(P.isinf(loss), P.zeros_like(loss), loss)
    if alone:
        loss = P.reshape(loss, ())
    if reduction == "mean":
        most = from_numpy(np.maximum(lengths, 1)).to(log_probs.device)
        loss = P.div(loss, P.reshape(P.cast(most, loss._array.dtype), loss._array.shape))
    return reduced(loss, reduction)


def _losses(scores: Tensor, labels: np.ndarray, inputs: np.ndarray, lengths: np.ndarray, blank: int) -> Tensor:
    """Minus the log-probability of each example, by the forward variables of the paper."""
    steps, batch, _ = scores._array.shape
    width = labels.shape[1]

    def placed(array: np.ndarray) -> Tensor:
        return from_numpy(array).to(scores.device)

    index = placed(np.broadcast_to(labels, (steps, batch, width)).copy())
    at = P.clamp(P.gather(scores, index, 2), NEVER, None)
    skips = np.zeros(labels.shape, bool)
    skips[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    may_skip = placed(skips)
    start = placed(np.where(np.arange(width) == 0, 0.0, NEVER))  # as if one had stood on the first blank already
    alpha = P.cast(P.expand(start, (batch, width)), scores._array.dtype)
    for t in range(steps):
        earlier = P.pad(alpha, ((0, 0), (2, 0)), NEVER)
        one, two = (P.slice(earlier, (slice(None), slice(k, k + width))) for k in (1, 0))
        reached = P.logaddexp(P.logaddexp(alpha, one), P.where(may_skip, two, NEVER))
        moved = P.clamp(P.add(reached, P.slice(at, (t,))), NEVER, None)
        alpha = moved if (inputs > t).all() else P.where(placed((inputs > t)[:, None]), moved, alpha)
    last = P.gather(alpha, placed(2 * lengths[:, None]), 1)
    label = P.gather(alpha, placed(np.maximum(2 * lengths - 1, 0)[:, None]), 1)
    total = P.where(placed((lengths > 0)[:, None]), P.logaddexp(last, label), last)
    loss = P.neg(P.reshape(total, (batch,)))
    loss = P.where(P.gt(loss, -NEVER / 2), float("inf"), loss)
    return P.add(loss, _through_softmax(scores, inputs)) if scores.requires_grad else loss


def _through_softmax(scores: Tensor, inputs: np.ndarray) -> Tensor:
    """Zeros whose gradient is the probabilities: what makes that of the loss add up to 0 over the classes."""
    steps, batch, _ = scores._array.shape
    inside = from_numpy((np.arange(steps)[:, None] < inputs).reshape(steps, batch, 1)).to(scores.device)
    total = P.sum(P.where(inside, P.exp(scores), P.zeros_like(scores)), (0, 2), False)
    return P.sub(total, total.detach())
