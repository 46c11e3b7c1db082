"""Loss functions: targets and predictions to one number for each example."""

from __future__ import annotations

import math
from typing import Any

from ..autograd import Tensor
from ..autograd.ops.create import tensor
from ..nn import functional as F

__all__ = [
    "EPSILON", "aligned", "as_tensor", "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_hinge", "cosine_similarity", "dice", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
]  # fmt: skip

# Keras's epsilon(): what keeps logarithms and quotients finite.
EPSILON = 1e-7


def as_tensor(value: Any) -> Tensor:
    """A tensor of anything that NumPy reads."""
    return value if isinstance(value, Tensor) else tensor(value)


def aligned(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Targets of the predictions' element type, with a last dimension of 1 added or taken where one has it alone.

    Raises:
        ValueError: shapes that do not fit.
    """
    y_pred = as_tensor(y_pred)
    y_pred = y_pred if y_pred.is_floating_point() else y_pred.float()
    y_true = as_tensor(y_true).to(y_pred.dtype)
    if y_true.ndim == y_pred.ndim - 1 and y_pred.shape[-1] == 1:
        y_true = y_true.unsqueeze(-1)
    elif y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        y_true = y_true.squeeze(-1)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"the targets have shape {tuple(y_true.shape)}, the predictions {tuple(y_pred.shape)}; they must be the "
            "same (whole-number classes go with a sparse_categorical_crossentropy)"
        )
    return y_true, y_pred


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean((y_true - y_pred)**2)`` over the last dimension."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (y_pred - y_true).square().mean(-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(|y_true - y_pred|)`` over the last dimension."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (y_pred - y_true).abs().mean(-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """``100 * mean(|y_true - y_pred| / |y_true|)``."""
    y_true, y_pred = aligned(y_true, y_pred)
    return 100.0 * ((y_true - y_pred) / y_true.abs().clamp(min=EPSILON)).abs().mean(-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean((log(1 + y_true) - log(1 + y_pred))**2)``, of numbers raised to at least 1e-7."""
    y_true, y_pred = aligned(y_true, y_pred)
    difference = y_pred.clamp(min=EPSILON).log1p() - y_true.clamp(min=EPSILON).log1p()
    return difference.square().mean(-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Half the square up to ``delta``, a straight line beyond (Huber, 1964)."""
    y_true, y_pred = aligned(y_true, y_pred)
    return F.huber_loss(y_pred, y_true, reduction="none", delta=delta).mean(-1)


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(log(cosh(y_pred - y_true)))``, written so that it cannot overflow."""
    y_true, y_pred = aligned(y_true, y_pred)
    x = y_pred - y_true
    return (x + F.softplus(-2.0 * x) - math.log(2.0)).mean(-1)


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(max(1 - y_true * y_pred, 0))``; targets 0 and 1 count as -1 and 1."""
    return F.relu(_margin(y_true, y_pred)).mean(-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(max(1 - y_true * y_pred, 0)**2)``; targets 0 and 1 count as -1 and 1."""
    return F.relu(_margin(y_true, y_pred)).square().mean(-1)


def _margin(y_true: Any, y_pred: Any) -> Tensor:
    y_true, y_pred = aligned(y_true, y_pred)
    if bool(((y_true == 0) | (y_true == 1)).all()):
        y_true = 2.0 * y_true - 1.0
    return 1.0 - y_true * y_pred


def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """``max(largest wrong score - right score + 1, 0)``; the targets are one-hot."""
    y_true, y_pred = aligned(y_true, y_pred)
    return F.relu(((1.0 - y_true) * y_pred).amax(-1) - (y_true * y_pred).sum(-1) + 1.0)


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """``sum(y_true * log(y_true / y_pred))``, of probabilities between 1e-7 and 1."""
    y_true, y_pred = aligned(y_true, y_pred)
    p, q = y_true.clamp(EPSILON, 1.0), y_pred.clamp(EPSILON, 1.0)
    return (p * (p / q).log()).sum(-1)


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(y_pred - y_true * log(y_pred))``."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (y_pred - y_true * (y_pred + EPSILON).log()).mean(-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between both (the metric of this name has no minus)."""
    y_true, y_pred = aligned(y_true, y_pred)
    return -(_unit(y_true, axis) * _unit(y_pred, axis)).sum(axis)


def _unit(x: Tensor, axis: int) -> Tensor:
    return x / x.square().sum(axis, keepdim=True).clamp(min=EPSILON**2).sqrt()


def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Tensor:
    """``-mean(t log p + (1 - t) log(1 - p))`` over the last dimension.

    Args:
        y_true: 0 and 1, or probabilities.
        y_pred: probabilities (kept within 1e-7 of 0 and 1), or their logits with ``from_logits``.
        from_logits: ``y_pred`` is before the sigmoid.
        label_smoothing: moves targets this share of the way to 0.5.
    """
    t, y = aligned(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        return F.binary_cross_entropy_with_logits(y, t, reduction="none").mean(-1)
    p = y.clamp(EPSILON, 1.0 - EPSILON)
    return -(t * p.log() + (1.0 - t) * (1.0 - p).log()).mean(-1)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """``-sum(t log p)`` over the classes.

    Args:
        y_true: one-hot rows, or probabilities.
        y_pred: probabilities (scaled to sum 1, kept within 1e-7 of 0 and 1), or their logits.
        from_logits: ``y_pred`` is before the softmax.
        label_smoothing: moves targets this share of the way to equal probabilities.
        axis: of the classes.
    """
    t, y = aligned(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / t.shape[axis]
    return -(t * _log_probabilities(y, from_logits, axis)).sum(axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """``-log p[y_true]``.

    Args:
        y_true: the numbers of the classes, with or without a last dimension of 1.
        y_pred: probabilities, or their logits.
        from_logits: ``y_pred`` is before the softmax.
        ignore_class: examples of this class cost nothing.
        axis: of the classes; the last one.

    Raises:
        ValueError: shapes that do not fit, or another axis.
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if axis not in (-1, y_pred.ndim - 1):
        raise ValueError(f"sparse_categorical_crossentropy: axis must be the last one, got {axis}")
    t = y_true.long()
    if t.ndim == y_pred.ndim and t.shape[-1] == 1:
        t = t.squeeze(-1)
    if t.shape != y_pred.shape[:-1]:
        raise ValueError(
            f"sparse_categorical_crossentropy: predictions of shape {tuple(y_pred.shape)} need one class number each, "
            f"shape {tuple(y_pred.shape[:-1])}, got {tuple(y_true.shape)}; one-hot rows need categorical_crossentropy"
        )
    kept = None if ignore_class is None else t != ignore_class
    if kept is not None:
        t = t.where(kept, t.new_zeros(()))
    value = -_log_probabilities(y_pred, from_logits, -1).gather(-1, t.unsqueeze(-1)).squeeze(-1)
    return value if kept is None else value.where(kept, value.new_zeros(()))


def _log_probabilities(y: Tensor, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return F.log_softmax(y, axis)
    return (y / y.sum(axis, keepdim=True)).clamp(EPSILON, 1.0 - EPSILON).log()


def binary_focal_crossentropy(
    y_true: Any, y_pred: Any, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
    from_logits: bool = False, label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """Binary cross-entropy times ``(1 - p_right)**gamma``: what is easy counts less (Lin et al., 2017).

    Args:
        y_true, y_pred, from_logits, label_smoothing: see ``binary_crossentropy``.
        apply_class_balancing: also weigh the class 1 by ``alpha`` and the class 0 by ``1 - alpha``.
        alpha: that weight.
        gamma: the power.
    """
    t, y = aligned(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    p = y.sigmoid() if from_logits else y.clamp(EPSILON, 1.0 - EPSILON)
    value = (1.0 - (t * p + (1.0 - t) * (1.0 - p))) ** gamma
    if from_logits:
        value = value * F.binary_cross_entropy_with_logits(y, t, reduction="none")
    else:
        value = -value * (t * p.log() + (1.0 - t) * (1.0 - p).log())
    if apply_class_balancing:
        value = value * (t * alpha + (1.0 - t) * (1.0 - alpha))
    return value.mean(-1)


def categorical_focal_crossentropy(
    y_true: Any, y_pred: Any, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
    label_smoothing: float = 0.0, axis: int = -1,
) -> Tensor:  # fmt: skip
    """``-alpha * sum((1 - p)**gamma * t * log p)`` over the classes; arguments as of ``binary_focal_crossentropy``."""
    t, y = aligned(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / t.shape[axis]
    log_p = _log_probabilities(y, from_logits, axis)
    return -(alpha * (1.0 - log_p.exp()) ** gamma * t * log_p).sum(axis)


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """``1 - 2 * overlap / (sum of both)``, of the whole batch, or along the dimensions ``axis`` (Dice, 1945)."""
    t, p = aligned(y_true, y_pred)
    return 1.0 - 2.0 * _total(t * p, axis) / (_total(t + p, axis) + EPSILON)


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Tensor:
    """``1 - both / (both + alpha * sum(t * (1 - p)) + beta * sum((1 - t) * p))`` (Salehi et al., 2017)."""
    t, p = aligned(y_true, y_pred)
    both = _total(t * p, axis)
    missed, wrong = _total(t * (1.0 - p), axis), _total((1.0 - t) * p, axis)
    return 1.0 - both / (both + alpha * missed + beta * wrong + EPSILON)


def _total(x: Tensor, axis: Any) -> Tensor:
    return x.sum() if axis is None else x.sum(axis)
