"""Losses: functions that give one number for each example, and classes that average them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..autograd import Tensor
from ..nn import functional as F

__all__ = [
    "EPSILON", "BinaryCrossentropy", "CategoricalCrossentropy", "CosineSimilarity", "Hinge", "Huber", "KLDivergence",
    "LogCosh", "Loss", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy", "binary_crossentropy",
    "categorical_crossentropy", "cosine_similarity", "get", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson", "sparse_categorical_crossentropy",
]  # fmt: skip

# Keras's epsilon(): what keeps logarithms and quotients finite.
EPSILON = 1e-7


def aligned(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Targets of the predictions' element type, with a last dimension of 1 added or taken where one has it alone.

    Raises:
        ValueError: shapes that do not fit.
    """
    y_true = y_true.to(y_pred.dtype)
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


def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean((y_true - y_pred)**2)`` over the last dimension."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (y_pred - y_true).square().mean(-1)


def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(|y_true - y_pred|)`` over the last dimension."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (y_pred - y_true).abs().mean(-1)


def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``100 * mean(|y_true - y_pred| / |y_true|)``."""
    y_true, y_pred = aligned(y_true, y_pred)
    return 100.0 * ((y_true - y_pred) / y_true.abs().clamp(min=EPSILON)).abs().mean(-1)


def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean((log(1 + y_true) - log(1 + y_pred))**2)``, of numbers raised to at least 1e-7."""
    y_true, y_pred = aligned(y_true, y_pred)
    difference = y_pred.clamp(min=EPSILON).log1p() - y_true.clamp(min=EPSILON).log1p()
    return difference.square().mean(-1)


def huber(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """Half the square up to ``delta``, a straight line beyond (Huber, 1964)."""
    y_true, y_pred = aligned(y_true, y_pred)
    return F.huber_loss(y_pred, y_true, reduction="none", delta=delta).mean(-1)


def log_cosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(log(cosh(y_pred - y_true)))``, written so that it cannot overflow."""
    y_true, y_pred = aligned(y_true, y_pred)
    x = y_pred - y_true
    return (x + F.softplus(-2.0 * x) - math.log(2.0)).mean(-1)


def hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(max(1 - y_true * y_pred, 0))``; targets 0 and 1 count as -1 and 1."""
    y_true, y_pred = aligned(y_true, y_pred)
    if bool(((y_true == 0) | (y_true == 1)).all()):
        y_true = 2.0 * y_true - 1.0
    return F.relu(1.0 - y_true * y_pred).mean(-1)


def kl_divergence(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``sum(y_true * log(y_true / y_pred))``, of probabilities between 1e-7 and 1."""
    y_true, y_pred = aligned(y_true, y_pred)
    p, q = y_true.clamp(EPSILON, 1.0), y_pred.clamp(EPSILON, 1.0)
    return (p * (p / q).log()).sum(-1)


def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(y_pred - y_true * log(y_pred))``."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (y_pred - y_true * (y_pred + EPSILON).log()).mean(-1)


def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The cosine of the angle between both (as a metric; the loss is its negative)."""
    y_true, y_pred = aligned(y_true, y_pred)
    return (_unit(y_true, axis) * _unit(y_pred, axis)).sum(axis)


def _unit(x: Tensor, axis: int) -> Tensor:
    return x / x.square().sum(axis, keepdim=True).clamp(min=EPSILON**2).sqrt()


def binary_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
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
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
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
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
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


class Loss:
    """A function of targets and predictions, weighted and averaged over the examples.

    Args:
        fn: gives one number for each example.
        reduction: "sum_over_batch_size" (the mean: weights do not enter the divisor), "sum", "mean_with_sample_weight"
            (divided by the sum of the weights), or None for no averaging.
        name: shown for it.
        options: handed on to ``fn``.

    Raises:
        ValueError: another reduction.
    """

    fn: Callable[..., Tensor]
    # The activation before which the loss can be computed without rounding ("sigmoid", "softmax").
    undoes: str | None = None

    def __init__(
        self, fn: Any = None, reduction: str | None = "sum_over_batch_size", name: str | None = None, **options: Any
    ) -> None:
        known = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
        if reduction not in known:
            raise ValueError(f"Loss: reduction must be one of {known}, got {reduction!r}")
        self.fn = fn if fn is not None else type(self).fn
        self.reduction, self.options = reduction, options
        self.name = name or getattr(self.fn, "__name__", type(self).__name__)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """One number for each example."""
        return self.fn(y_true, y_pred, **self.options)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        return self.reduce(self.call(as_tensor(y_true), as_tensor(y_pred)), sample_weight)

    def on_logits(self, y_true: Tensor, logits: Tensor, sample_weight: Any = None) -> Tensor:
        """The same, of what stands before the activation that ``undoes`` names."""
        return self.reduce(self.fn(y_true, logits, **{**self.options, "from_logits": True}), sample_weight)

    def reduce(self, values: Tensor, sample_weight: Any = None) -> Tensor:
        """The weighted values as ``reduction`` says."""
        weight = None
        if sample_weight is not None:
            weight = as_tensor(sample_weight).to(device=values.device, dtype=values.dtype)
            weight = weight.reshape(*weight.shape, *(1,) * (values.ndim - weight.ndim)) if values.ndim else weight
            values = values * weight
        if self.reduction == "sum":
            return values.sum()
        if self.reduction in ("none", None):
            return values
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            return values.sum() / weight.expand_as(values).sum().clamp(min=EPSILON)
        return values.mean()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"reduction": self.reduction, "name": self.name, **self.options}


def as_tensor(value: Any) -> Tensor:
    """A tensor of anything that NumPy reads."""
    from ..autograd.ops.create import tensor

    return value if isinstance(value, Tensor) else tensor(value)


class MeanSquaredError(Loss):
    """``mean((y_true - y_pred)**2)``."""

    fn = staticmethod(mean_squared_error)


class MeanAbsoluteError(Loss):
    """``mean(|y_true - y_pred|)``."""

    fn = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(Loss):
    """``100 * mean(|y_true - y_pred| / |y_true|)``."""

    fn = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(Loss):
    """``mean((log(1 + y_true) - log(1 + y_pred))**2)``."""

    fn = staticmethod(mean_squared_logarithmic_error)


class LogCosh(Loss):
    """``mean(log(cosh(y_pred - y_true)))``."""

    fn = staticmethod(log_cosh)


class Hinge(Loss):
    """``mean(max(1 - y_true * y_pred, 0))``."""

    fn = staticmethod(hinge)


class KLDivergence(Loss):
    """``sum(y_true * log(y_true / y_pred))``."""

    fn = staticmethod(kl_divergence)


class Poisson(Loss):
    """``mean(y_pred - y_true * log(y_pred))``."""

    fn = staticmethod(poisson)


class Huber(Loss):
    """Half the square up to ``delta``, a straight line beyond."""

    fn = staticmethod(huber)

    def __init__(self, delta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(delta=delta, **kwargs)


class CosineSimilarity(Loss):
    """Minus the cosine of the angle."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(lambda t, y, axis: -cosine_similarity(t, y, axis), axis=axis, **kwargs)
        self.name = kwargs.get("name") or "cosine_similarity"


class BinaryCrossentropy(Loss):
    """Cross-entropy of two classes; see ``binary_crossentropy``."""

    fn, undoes = staticmethod(binary_crossentropy), "sigmoid"

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, **kwargs: Any) -> None:
        super().__init__(from_logits=from_logits, label_smoothing=label_smoothing, **kwargs)


class CategoricalCrossentropy(Loss):
    """Cross-entropy with one-hot targets; see ``categorical_crossentropy``."""

    fn, undoes = staticmethod(categorical_crossentropy), "softmax"

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(from_logits=from_logits, label_smoothing=label_smoothing, axis=axis, **kwargs)


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy with class numbers; see ``sparse_categorical_crossentropy``."""

    fn, undoes = staticmethod(sparse_categorical_crossentropy), "softmax"

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1, **kwargs: Any
    ) -> None:
        super().__init__(from_logits=from_logits, ignore_class=ignore_class, axis=axis, **kwargs)


CLASSES: dict[str, type[Loss]] = {
    c.__name__: c
    for c in (
        BinaryCrossentropy, CategoricalCrossentropy, CosineSimilarity, Hinge, Huber, KLDivergence, LogCosh,
        MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
        SparseCategoricalCrossentropy,
    )
}  # fmt: skip
NAMES: dict[str, type[Loss]] = {
    "mse": MeanSquaredError, "mean_squared_error": MeanSquaredError, "mae": MeanAbsoluteError,
    "mean_absolute_error": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError, "msle": MeanSquaredLogarithmicError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError, "huber": Huber, "log_cosh": LogCosh,
    "logcosh": LogCosh, "hinge": Hinge, "kl_divergence": KLDivergence, "kld": KLDivergence, "poisson": Poisson,
    "cosine_similarity": CosineSimilarity, "binary_crossentropy": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy, **CLASSES,
}  # fmt: skip


def get(identifier: Any) -> Loss:
    """A loss by its name, from its saved form, a function of targets and predictions, or as it is.

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, dict):
        return CLASSES[identifier["class_name"]](**identifier["config"])
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        cls = NAMES.get(getattr(identifier, "__name__", ""))
        return cls() if cls is not None and getattr(cls, "fn", None) is identifier else Loss(identifier)
    if identifier not in NAMES:
        raise ValueError(f"unknown loss {identifier!r}; use one of {', '.join(NAMES)}, a Loss, or a function")
    return NAMES[identifier]()
