"""The losses as functions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..autograd import P, Tensor
from ..autograd.names import step
from ..autograd.ops.args import not_for, refuse_kinds
from ..autograd.promote import describe, result_type
from ..backends.dtypes import INTEGRAL
from .warn import users_line

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss", "l1_loss",
    "legacy_reduction", "mse_loss", "nll_loss", "smooth_l1_loss",
]  # fmt: skip

INT64 = np.dtype(np.int64)


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """PyTorch's two old switches for the reduction."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "mean" if size_average is None or size_average else "sum"


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return P.mean(loss, None, False)
    if reduction == "sum":
        return P.sum(loss, None, False)
    if reduction == "none":
        return loss
    raise ValueError(f"{reduction} is not a valid value for reduction; use 'mean', 'sum' or 'none'")


def _weighted(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    return _reduce(loss if weight is None else P.mul(loss, weight), reduction)


def _need_tensors(name: str, **arguments: Any) -> None:
    for argument, x in arguments.items():
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: argument '{argument}' must be a Tensor, not {type(x).__name__}")


def _pair(name: str, input: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Input and target in one floating type; a warning where their shapes differ.

    Raises:
        TypeError: not tensors. RuntimeError: both hold integers or bools.
    """
    _need_tensors(name, input=input, target=target)
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
    _need_tensors("l1_loss", input=input, target=target)
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
    _need_tensors("huber_loss", input=input)
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
    loss = _reduce(P.huber(a, b, float(beta)), reduction)
    return loss if beta == 1 else P.div(loss, float(beta))


def _same_shape(name: str, input: Any, target: Any) -> None:
    _need_tensors(name, input=input, target=target)
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
    return _reduce(loss, legacy_reduction(size_average, reduce, reduction))


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


# Classes


def _class_axis(name: str, input: Any, target: Any) -> int:
    """Which dimension of ``input`` the classes lie along.

    Raises:
        TypeError: not tensors. RuntimeError: no dimension, or integers.
    """
    _need_tensors(name, input=input, target=target)
    if not input._array.ndim:
        raise RuntimeError(f"{name}: input {describe(input)} has no dimension of classes; pass (C,) or (N, C, ...)")
    if input._array.dtype.kind in "biuc":
        raise RuntimeError(f"{name}: not defined for input {describe(input)}; convert it with .float()")
    return 1 if input._array.ndim > 1 else 0


def _classes(name: str, input: Tensor, target: Tensor, ignore_index: int, axis: int) -> Tensor:
    """The class numbers as int64, checked.

    Raises:
        RuntimeError: not int64 or uint8. ValueError: a shape that does not fit. IndexError: no such class.
    """
    if target._array.dtype != INT64 and target._array.dtype != np.uint8:
        raise RuntimeError(f"{name}: class numbers must be int64 or uint8, got {describe(target)}; use target.long()")
    shape = input._array.shape
    wanted = shape[:axis] + shape[axis + 1 :]
    if target._array.shape != wanted:
        raise ValueError(
            f"{name}: input {describe(input)} asks for a target of shape {list(wanted)}, got {describe(target)}"
        )
    if target._array.dtype != INT64:
        target = P.cast(target, INT64)
    backend = target._device.backend
    if target._array.size and backend.refused(target._array, shape[axis], ignore_index):
        raise IndexError(_stray(name, backend.to_host(target._array), shape[axis], ignore_index))
    return target


def _stray(name: str, target: np.ndarray, classes: int, ignore_index: int) -> str:
    """The words for the first class number that the input has no place for."""
    bad = ((target < 0) | (target >= classes)) & (target != ignore_index)
    place = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
    where = f"[{', '.join(map(str, place))}]" if place else ""
    return f"{name}: target{where} is {target[place]}, out of bounds for {classes} classes (0 .. {classes - 1})"


def _check_weight(name: str, weight: Any, input: Tensor, axis: int, *, typed: bool = True) -> None:
    """Refuse class weights that are not one for each class, in the type of the input.

    Raises:
        TypeError: not a tensor. RuntimeError: another shape or type.
    """
    if weight is None:
        return
    _need_tensors(name, weight=weight)
    classes = input._array.shape[axis]
    if weight._array.shape != (classes,):
        raise RuntimeError(f"{name}: weight must have shape [{classes}], one for each class, got {describe(weight)}")
    if typed and weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{name}: weight {describe(weight)} must have the type of input {describe(input)}; "
            f"use weight.to('{input.dtype.name}')"
        )


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean of minus the log-probability of each target.

    Args:
        input: log-probabilities (C,), (N, C) or (N, C, d1, ...).
        target: class numbers of that shape without C, int64 or uint8.
        weight: a factor for each class (C,); the mean is then weighted.
        ignore_index: targets of this number count for nothing.
        reduction: "mean", "sum" or "none".

    Raises:
        IndexError: a class number out of range. ValueError: shapes that do not fit. RuntimeError: types that do not.
    """
    return _nll("nll_loss", input, target, weight, ignore_index, legacy_reduction(size_average, reduce, reduction))


def _nll_name(name: str, input: Tensor, *rest: Any) -> str:
    return "NllLoss" if input.ndim < 3 else "NllLoss2D"


@step(_nll_name)
def _nll(name: str, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    axis = _class_axis(name, input, target)
    _check_weight(name, weight, input, axis)
    fused = reduction in ("mean", "sum", "none") and (weight is None or not weight.requires_grad)
    x, t = input._array, target._array
    if fused and x.ndim == 2 and t.dtype == INT64 and t.shape == x.shape[:1]:
        try:
            return P.nll(input, target, weight, ignore_index, reduction)
        except IndexError:  # said in full below
            pass
    target = _classes(name, input, target, ignore_index, axis)
    kept = P.ne(target, ignore_index)
    safe = P.where(kept, target, P.zeros_like(target))
    column = (*target._array.shape[:axis], 1, *target._array.shape[axis:])
    if input._array.shape[axis]:
        picked = P.reshape(P.gather(input, P.reshape(safe, column), axis), target._array.shape)
    else:  # nothing counts, and there is nothing to pick
        picked = P.sum(input, (axis,), False)
    shares = P.cast(kept, input._array.dtype)
    if weight is not None:
        shares = P.where(kept, P.take(weight, safe), P.zeros_like(shares))
    loss = P.neg(P.where(kept, P.mul(picked, shares), P.zeros_like(picked)))
    if reduction == "mean":
        return P.div(P.sum(loss, None, False), P.sum(shares, None, False))
    return _reduce(loss, reduction)


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """The cross-entropy of logits against classes, or against probabilities.

    Args:
        input: logits (C,), (N, C) or (N, C, d1, ...).
        target: class numbers of that shape without C (int64 or uint8), or probabilities of the shape of ``input``.
        weight: a factor for each class (C,); the mean is then weighted.
        ignore_index: class numbers that count for nothing.
        reduction: "mean", "sum" or "none".
        label_smoothing: the share of the target that is spread over all classes (Szegedy et al., 2016); at most 1,
            and none below 0, as in PyTorch.

    Raises:
        IndexError: a class number out of range. ValueError: shapes that do not fit.
        RuntimeError: types that do not fit, or a ``label_smoothing`` above 1.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    try:
        x, t = input._array, target._array
        plain = weight is None and reduction == "mean" and not label_smoothing and x.dtype.kind in "fV"
        if plain and x.ndim == 2 and t.dtype == INT64 and t.shape == x.shape[:1]:
            return P.softmax_xent(input, target, ignore_index)
    except (AttributeError, IndexError):  # said in full below
        pass
    axis = _class_axis("cross_entropy", input, target)
    if label_smoothing > 1:
        raise RuntimeError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0, got {label_smoothing}")
    smoothing = label_smoothing if label_smoothing > 0 else 0.0
    if target._array.dtype.kind in "fV":
        _check_weight("cross_entropy", weight, input, axis, typed=False)
        if ignore_index >= 0:
            raise RuntimeError(
                f"cross_entropy: ignore_index={ignore_index} is for class numbers, the target is {describe(target)}"
            )
        return _soft_cross_entropy(P.log_softmax(input, axis), target, weight, reduction, smoothing, axis)
    logs = P.log_softmax(input, axis)
    loss = _nll("cross_entropy", logs, target, weight, ignore_index, reduction)
    if not smoothing:
        return loss
    target = P.cast(target, INT64)
    return loss * (1 - smoothing) + _smooth(logs, target, weight, ignore_index, reduction, axis) * (
        smoothing / input._array.shape[axis]
    )


def _class_weight(weight: Tensor, like: Tensor, axis: int) -> Tensor:
    return P.reshape(weight, tuple(-1 if i == axis else 1 for i in range(like.ndim)))


def _smooth(logs: Tensor, target: Tensor, weight: Tensor | None, ignore: int, reduction: str, axis: int) -> Tensor:
    """The part of a smoothed target that is spread over all classes."""
    spread = logs if weight is None else P.mul(logs, _class_weight(weight, logs, axis))
    kept = P.ne(target, ignore)
    loss = P.neg(P.sum(spread, (axis,), False))
    loss = P.where(kept, loss, P.zeros_like(loss))
    if reduction != "mean":
        return _reduce(loss, reduction)
    shares = P.cast(kept, logs._array.dtype)
    if weight is not None:
        shares = P.where(kept, P.take(weight, P.where(kept, target, P.zeros_like(target))), P.zeros_like(shares))
    return P.div(P.sum(loss, None, False), P.sum(shares, None, False))


def _soft_cross_entropy(
    logs: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float, axis: int
) -> Tensor:
    if logs._array.shape != target._array.shape:
        raise ValueError(
            f"cross_entropy: probabilities {describe(target)} must have the shape of input {list(logs.shape)}"
        )
    if smoothing:
        target = target * (1 - smoothing) + smoothing / logs._array.shape[axis]
    product = P.mul(logs, target)
    if weight is not None:
        product = P.mul(product, _class_weight(weight, logs, axis))
    loss = P.neg(P.sum(product, (axis,), False))
    if reduction != "mean":
        return _reduce(loss, reduction)
    # PyTorch divides by the number of rows, which without classes is none.
    return P.div(P.sum(loss, None, False), float(loss._array.size if logs._array.size else 0))
