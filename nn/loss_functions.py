"""The losses of values and of probabilities, element by element, as functions; `class_losses` has those of classes."""

from __future__ import annotations

import warnings
from typing import Any

from ..autograd import P, Tensor
from ..autograd.names import step
from ..autograd.ops.args import check_tensor, not_for, refuse_kinds
from ..autograd.promote import describe, result_type
from ..backends.dtypes import INTEGRAL
from .reduction import legacy_reduction, reduced
from .warn import users_line

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss",
]  # fmt: skip


def _weighted(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    return reduced(loss if weight is None else P.mul(loss, weight), reduction)


def _pair(name: str, input: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Input and target in one floating type; a warning where their shapes differ.

    Raises:
        TypeError: not tensors. RuntimeError: both hold integers or bools.
    """
    check_tensor(name, "input", input)
    check_tensor(name, "target", target)
    if input._array.shape != target._array.shape:
        warnings.warn(
            f"{name}: the target's shape {list(target.shape)} differs from the input's {list(input.shape)}; they are "
            "broadcast, which is seldom meant",
            stacklevel=users_line(),
        )
    if input._array.dtype == target._array.dtype and input._array.dtype.kind in "fcV":
        return input, target
    kind = result_type(input, target)
    if kind.category <= INTEGRAL:
        raise RuntimeError(
            f"{name}: not defined for input {describe(input)} and target {describe(target)}; convert with .float()"
        )
    return input.to(kind), target.to(kind)


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The mean of ``(input - target)**2``.

    Raises:
        RuntimeError: integers on both sides.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    try:
        a, b = input._array, target._array
        if reduction == "mean" and weight is None and a.shape == b.shape and a.dtype == b.dtype and a.dtype.kind == "f":
            return P.mse(input, target)
    except AttributeError:
        pass
    return _squared(input, target, weight, reduction)


@step("MseLoss")
def _squared(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """``mse_loss`` of what does not fit its primitive."""
    refuse_kinds("mse_loss", input, "c")
    input, target = _pair("mse_loss", input, target)
    return _weighted(P.square(P.sub(input, target)), weight, reduction)


def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The mean of ``|input - target|``.

    Raises:
        RuntimeError: bools, or the mean of integers.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_tensor("l1_loss", "input", input)
    check_tensor("l1_loss", "target", target)
    if "b" in (input._array.dtype.kind, target._array.dtype.kind):
        raise RuntimeError(
            f"l1_loss: no difference of bools, got input {describe(input)} and target {describe(target)}; "
            "convert with .float()"
        )
    whole = input._array.dtype.kind in "iu" and target._array.dtype.kind in "iu"
    if not whole or reduction == "mean":  # sums and single errors of integers are integers
        input, target = _pair("l1_loss", input, target)
    return _weighted(P.abs(P.sub(input, target)), weight, reduction)


@step("HuberLoss")
@not_for("c")
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Half the square of the error up to ``delta``, linear beyond (Huber, 1964); in the type of ``input``.

    Raises:
        ValueError: ``delta`` is not positive. RuntimeError: an input of integers.
    """
    if delta <= 0:
        raise RuntimeError(f"huber_loss: delta must be positive, got {delta}")
    check_tensor("huber_loss", "input", input)
    if input._array.dtype.kind in "biu":
        raise RuntimeError(f"huber_loss: not defined for input {describe(input)}; convert it with .float()")
    a, b = _pair("huber_loss", input, target)
    loss = P.huber(a, b, float(delta))
    if loss._array.dtype != input._array.dtype:
        loss = P.cast(loss, input._array.dtype)
    return _weighted(loss, weight, reduction)


@step("SmoothL1Loss")
@not_for("c")
def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """The Huber loss divided by ``beta``; the absolute error where ``beta`` is 0.

    Raises:
        ValueError: ``beta`` is negative. RuntimeError: integers on both sides.
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    reduction = legacy_reduction(size_average, reduce, reduction)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    a, b = _pair("smooth_l1_loss", input, target)
    loss = reduced(P.huber(a, b, float(beta)), reduction)
    return loss if beta == 1 else P.div(loss, float(beta))


def _same_shape(name: str, input: Any, target: Any) -> None:
    check_tensor(name, "input", input)
    check_tensor(name, "target", target)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"{name}: target {describe(target)} must have the shape of input {describe(input)}; "
            "use view_as or unsqueeze"
        )


@step("BinaryCrossEntropy")
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Cross-entropy of probabilities against targets in [0, 1]; logarithms are bounded below by -100.

    Raises:
        ValueError: shapes that differ. RuntimeError: types that differ, integers, or an element outside [0, 1].
    """
    _same_shape("binary_cross_entropy", input, target)
    if input._array.dtype != target._array.dtype or input._array.dtype.kind in "biuc":
        raise RuntimeError(
            f"binary_cross_entropy: input {describe(input)} and target {describe(target)} must have one floating type; "
            "nothing is converted silently: use .to()"
        )
    for argument, x in (("input", input), ("target", target)):
        if not x._device.backend.within_unit(x._array):
            raise RuntimeError(f"binary_cross_entropy: all elements of {argument} should be between 0 and 1")
    loss = P.bce(input, target)
    if weight is not None:
        loss = P.cast(P.mul(loss, weight), input._array.dtype)
    return reduced(loss, legacy_reduction(size_average, reduce, reduction))


@step("BinaryCrossEntropyWithLogits")
@not_for("c")
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``binary_cross_entropy`` of ``sigmoid(input)``, without overflow.

    Args:
        input: logits, any shape.
        target: the same shape, in [0, 1].
        weight: a factor for each element, broadcast.
        pos_weight: a factor for the positive part, broadcast.

    Raises:
        ValueError: shapes that differ. RuntimeError: integers or bools.
    """
    name = "binary_cross_entropy_with_logits"
    _same_shape(name, input, target)
    for argument, x in (("input", input), ("target", target)):
        if x._array.dtype.kind in "biu":
            raise RuntimeError(f"{name}: not defined for {argument} {describe(x)}; convert it with .float()")
    input, target = _pair(name, input, target)
    loss = P.bce_logits(input, target)
    if pos_weight is not None:  # the part of -log(sigmoid(input)) counts once already
        extra = P.mul(P.mul(P.sub(pos_weight, 1.0), target), P.softplus(P.neg(input), 1.0, float("inf")))
        loss = P.add(loss, extra)
    return _weighted(loss, weight, legacy_reduction(size_average, reduce, reduction))
