"""Layers, activations and losses as functions."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..autograd import P, Tensor
from ..autograd.ops.create import from_numpy
from ..autograd.ops.reduce import log_softmax, softmax
from ..autograd.ops.shape import pad as _pad
from ..autograd.promote import describe
from ..autograd.views import write
from ..backends.random import default_generator

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "dropout", "gelu", "huber_loss",
    "l1_loss", "leaky_relu", "linear", "log_softmax", "logsigmoid", "mse_loss", "nll_loss", "one_hot", "pad", "relu",
    "sigmoid", "silu", "smooth_l1_loss", "softmax", "softplus", "tanh",
]  # fmt: skip


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``.

    Args:
        input: (..., in_features).
        weight: (out_features, in_features), or (in_features,).
        bias: (out_features,), or None.

    Returns:
        (..., out_features).

    Raises:
        RuntimeError: sizes, types or devices that do not fit.
    """
    if weight._array.ndim == 1:
        out = P.matmul(input, weight[:, None])[..., 0]
        return out if bias is None else out + bias
    return P.linear(input, weight, bias, None)


# Activations


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)``."""
    return write("relu_", input, P.relu) if inplace else P.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``input`` where positive, else ``negative_slope * input``."""
    if inplace:
        return write("leaky_relu_", input, P.leaky_relu, negative_slope)
    return P.leaky_relu(input, negative_slope)


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-input))``."""
    return P.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return P.tanh(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * sigmoid(input)``."""
    return write("silu_", input, P.silu) if inplace else P.silu(input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``input * Phi(input)``; ``approximate="tanh"`` takes the formula with a hyperbolic tangent.

    Raises:
        RuntimeError: another approximation.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return P.gelu(input) if approximate == "none" else P.gelu_tanh(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``, linear where ``beta * input`` exceeds ``threshold``."""
    return P.softplus(input, float(beta), float(threshold))


def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(input))``, without overflow."""
    return P.neg(P.softplus(P.neg(input), 1.0, math.inf))


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability ``p`` and scale the rest by ``1 / (1 - p)``; the input itself in evaluation.

    Raises:
        ValueError: a probability outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: the probability must lie between 0 and 1, got {p}")
    if not training or p == 0:
        return input
    array = input._array
    if p == 1:
        scaled = P.mul(input, 0.0)
    else:
        mask = default_generator.bernoulli(1 - p, array.shape, array.dtype)
        mask /= array.dtype.type(1 - p)
        scaled = P.mul(input, from_numpy(mask).to(input._device))
    return write("dropout_", input, lambda _: scaled) if inplace else scaled


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """Padding with a constant; ``pad`` names (before, after) from the last dimension on.

    Raises:
        RuntimeError: another mode.
    """
    if mode != "constant":
        raise RuntimeError(f"pad: mode must be 'constant', got {mode!r}")
    return _pad(input, pad, 0.0 if value is None else value)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Class numbers as rows of zeros with a one.

    Args:
        tensor: int64, any shape.
        num_classes: how many; -1 for the largest number plus one.

    Returns:
        int64, with one more dimension.
    """
    if tensor.dtype.name != "int64":
        raise RuntimeError(f"one_hot: needs int64 class numbers, got {describe(tensor)}")
    array = tensor._array
    if num_classes < 0 and array.size == 0:
        raise RuntimeError("one_hot: num_classes must be given for an empty tensor")
    highest = int(array.max()) if array.size else -1
    classes = highest + 1 if num_classes < 0 else num_classes
    if array.size and (int(array.min()) < 0 or highest >= classes):
        raise RuntimeError(
            f"one_hot: class numbers must lie in 0 .. {classes - 1}, got {int(array.min())} .. {highest}"
        )
    line = from_numpy(_arange(classes)).to(tensor._device)
    return P.cast(P.eq(P.reshape(tensor, (*array.shape, 1)), line), array.dtype)


def _arange(n: int) -> Any:
    import numpy as np

    return np.arange(n)


# Losses


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return P.mean(loss, None, False)
    if reduction == "sum":
        return P.sum(loss, None, False)
    if reduction == "none":
        return loss
    raise ValueError(f"{reduction} is not a valid value for reduction; use 'mean', 'sum' or 'none'")


def _legacy(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """PyTorch's two old switches for the reduction."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "mean" if size_average is None or size_average else "sum"


def _pair(name: str, input: Tensor, target: Tensor) -> None:
    for argument, x in (("input", input), ("target", target)):
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: argument '{argument}' must be a Tensor, not {type(x).__name__}")
    if input._array.shape != target._array.shape:
        warnings.warn(
            f"{name}: the target's shape {list(target.shape)} differs from the input's {list(input.shape)}; they are "
            "broadcast, which is seldom meant",
            stacklevel=3,
        )


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The mean of ``(input - target)**2``."""
    reduction = _legacy(size_average, reduce, reduction)
    try:
        a, b = input._array, target._array
        if reduction == "mean" and weight is None and a.shape == b.shape and a.dtype == b.dtype and a.dtype.kind == "f":
            return P.mse(input, target)
    except AttributeError:
        pass
    _pair("mse_loss", input, target)
    loss = P.square(P.sub(input, target))
    return _reduce(loss if weight is None else P.mul(loss, weight), reduction)


def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The mean of ``|input - target|``."""
    _pair("l1_loss", input, target)
    loss = P.abs(P.sub(input, target))
    return _reduce(loss if weight is None else P.mul(loss, weight), _legacy(size_average, reduce, reduction))


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Half the square of the error up to ``delta``, linear beyond (Huber, 1964).

    Raises:
        ValueError: ``delta`` is not positive.
    """
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}")
    _pair("huber_loss", input, target)
    error = P.abs(P.sub(input, target))
    loss = P.where(P.le(error, delta), P.mul(P.square(error), 0.5), P.mul(P.sub(error, 0.5 * delta), delta))
    return _reduce(loss if weight is None else P.mul(loss, weight), reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """The Huber loss divided by ``beta``; the absolute error where ``beta`` is 0."""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    reduction = _legacy(size_average, reduce, reduction)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return huber_loss(input, target, reduction, beta) / beta


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Cross-entropy of probabilities against targets in [0, 1]; logarithms are bounded below by -100.

    Raises:
        ValueError: shapes that differ. RuntimeError: an input outside [0, 1].
    """
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"binary_cross_entropy: target {describe(target)} must have the shape of input {describe(input)}; "
            "use view_as or unsqueeze"
        )
    values = input.detach()
    if bool(P.any(P.logical_or(P.lt(values, 0.0), P.gt(values, 1.0)), None, False)):
        raise RuntimeError("binary_cross_entropy: all elements of input should be between 0 and 1")
    positive = P.clamp(P.log(input), -100.0, None)
    negative = P.clamp(P.log1p(P.neg(input)), -100.0, None)
    loss = P.sub(P.mul(P.sub(target, 1.0), negative), P.mul(target, positive))
    return _reduce(loss if weight is None else P.mul(loss, weight), _legacy(size_average, reduce, reduction))


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
        ValueError: shapes that differ.
    """
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"binary_cross_entropy_with_logits: target {describe(target)} must have the shape of {describe(input)}"
        )
    tail = P.softplus(P.neg(input), 1.0, math.inf)  # -log(sigmoid(input))
    if pos_weight is not None:
        tail = P.mul(tail, P.add(P.mul(P.sub(pos_weight, 1.0), target), 1.0))
    loss = P.add(P.mul(P.sub(1.0, target), input), tail)
    return _reduce(loss if weight is None else P.mul(loss, weight), _legacy(size_average, reduce, reduction))


def _check_classes(name: str, input: Tensor, target: Tensor, ignore_index: int, axis: int) -> None:
    """Refuse class numbers that the input has no place for."""
    if target._array.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: class numbers must be integers (int64), got target {describe(target)}")
    shape = input._array.shape
    if shape[:axis] + shape[axis + 1 :] != target._array.shape:
        raise ValueError(
            f"{name}: input {describe(input)} asks for a target of shape {list(shape[:axis] + shape[axis + 1 :])}, "
            f"got {describe(target)}"
        )
    if bool(input._device.backend.out_of_range(target._array, shape[axis], ignore_index)):
        raise IndexError(f"{name}: a target is out of bounds: class numbers must lie in 0 .. {shape[axis] - 1}")


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean of minus the log-probability of each target.

    Args:
        input: log-probabilities (C,), (N, C) or (N, C, d1, ...).
        target: class numbers of that shape without C.
        weight: a factor for each class (C,); the mean is then weighted.
        ignore_index: targets of this number count for nothing.
        reduction: "mean", "sum" or "none".

    Raises:
        IndexError: a class number out of range. ValueError: shapes that do not fit.
    """
    reduction = _legacy(size_average, reduce, reduction)
    axis = 1 if input.ndim > 1 else 0
    _check_classes("nll_loss", input, target, ignore_index, axis)
    kept = P.ne(target, ignore_index)
    safe = P.where(kept, target, P.zeros_like(target))
    column = (*target._array.shape[:axis], 1, *target._array.shape[axis:])
    picked = P.reshape(P.gather(input, P.reshape(safe, column), axis), target._array.shape)
    factor = P.cast(kept, input._array.dtype)
    if weight is not None:
        factor = P.mul(factor, P.take(weight, safe))
    loss = P.neg(P.where(kept, P.mul(picked, factor), P.zeros_like(picked)))
    if reduction == "mean":
        return P.div(P.sum(loss, None, False), P.sum(factor, None, False))
    return _reduce(loss, reduction)


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """The cross-entropy of logits against classes, or against probabilities.

    Args:
        input: logits (C,), (N, C) or (N, C, d1, ...).
        target: class numbers of that shape without C (int64), or probabilities of the shape of ``input``.
        weight: a factor for each class (C,); the mean is then weighted.
        ignore_index: class numbers that count for nothing.
        reduction: "mean", "sum" or "none".
        label_smoothing: the share of the target that is spread over all classes (Szegedy et al., 2016).

    Raises:
        IndexError: a class number out of range. ValueError: shapes that do not fit.
    """
    reduction = _legacy(size_average, reduce, reduction)
    plain = weight is None and reduction == "mean" and not label_smoothing
    if plain and input._array.ndim == 2 and target._array.ndim == 1 and target._array.dtype.kind == "i":
        if input._array.shape[0] != target._array.shape[0]:
            raise ValueError(
                f"cross_entropy: input {describe(input)} has {input._array.shape[0]} rows, target {describe(target)} "
                f"{target._array.shape[0]}"
            )
        return P.softmax_xent(input, target, ignore_index)
    axis = 1 if input.ndim > 1 else 0
    logs = P.log_softmax(input, axis)
    if target._array.dtype.kind in "fV":
        return _soft_cross_entropy(logs, target, weight, reduction, label_smoothing, axis)
    loss = nll_loss(logs, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return loss
    return loss * (1 - label_smoothing) + _smooth(logs, target, weight, ignore_index, reduction, axis) * (
        label_smoothing / input._array.shape[axis]
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
    factor = P.cast(kept, logs._array.dtype)
    if weight is not None:
        factor = P.mul(factor, P.take(weight, P.where(kept, target, P.zeros_like(target))))
    return P.div(P.sum(loss, None, False), P.sum(factor, None, False))


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
    return P.div(P.sum(loss, None, False), float(loss._array.size))
