"""The losses of classes as functions: ``nll_loss`` and ``cross_entropy``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import P, Tensor
from ..autograd.names import step
from ..autograd.ops.args import check_tensor
from ..autograd.promote import describe
from .reduction import legacy_reduction, reduced

__all__ = ["cross_entropy", "nll_loss"]

INT64 = np.dtype(np.int64)


def _class_axis(name: str, input: Any, target: Any) -> int:
    """Which dimension of ``input`` the classes lie along.

    Raises:
        TypeError: not tensors. RuntimeError: no dimension, or integers.
    """
    check_tensor(name, "input", input)
    check_tensor(name, "target", target)
    if not input._array.ndim:
        raise RuntimeError(f"{name}: input {describe(input)} has no dimension of classes; pass (C,) or (N, C, ...)")
    if input._array.dtype.kind in "biuc":
        raise RuntimeError(f"{name}: not defined for input {describe(input)}; convert it with .float()")
    return 1 if input._array.ndim > 1 else 0


def _classes(name: str, input: Tensor, target: Tensor, ignore_index: int, axis: int) -> Tensor:
    """The class numbers as int64, checked.

    Raises:
        RuntimeError: not int64 or uint8, or a shape that does not fit. ValueError: another batch. IndexError: no such
            class.
    """
    if target._array.dtype != INT64 and target._array.dtype != np.uint8:
        raise RuntimeError(f"{name}: class numbers must be int64 or uint8, got {describe(target)}; use target.long()")
    shape = input._array.shape
    wanted = shape[:axis] + shape[axis + 1 :]
    if target._array.shape != wanted:
        batch = len(target._array.shape) == len(wanted) and axis and target._array.shape[0] != wanted[0]
        raise (ValueError if batch else RuntimeError)(
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
    check_tensor(name, "weight", weight)
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
    return reduced(loss, reduction)


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
        IndexError: a class number out of range. ValueError: batches that do not fit.
        RuntimeError: other shapes or types that do not fit, or a ``label_smoothing`` above 1.
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
        return reduced(loss, reduction)
    shares = P.cast(kept, logs._array.dtype)
    if weight is not None:
        shares = P.where(kept, P.take(weight, P.where(kept, target, P.zeros_like(target))), P.zeros_like(shares))
    return P.div(P.sum(loss, None, False), P.sum(shares, None, False))


def _soft_cross_entropy(
    logs: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float, axis: int
) -> Tensor:
    if logs._array.shape != target._array.shape:
        raise RuntimeError(
            f"cross_entropy: probabilities {describe(target)} must have the shape of input {list(logs.shape)}"
        )
    if smoothing:
        target = target * (1 - smoothing) + smoothing / logs._array.shape[axis]
    product = P.mul(logs, target)
    if weight is not None:
        product = P.mul(product, _class_weight(weight, logs, axis))
    loss = P.neg(P.sum(product, (axis,), False))
    if reduction != "mean":
        return reduced(loss, reduction)
    # PyTorch divides by the number of rows, which without classes is none.
    return P.div(P.sum(loss, None, False), float(loss._array.size if logs._array.size else 0))
