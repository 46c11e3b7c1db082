"""Losses: classes that weigh and average what ``loss_functions`` gives for each example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import Tensor
from .loss_functions import (
    EPSILON,
    as_tensor,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    dice,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)

__all__ = [
    "EPSILON", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Dice", "Hinge", "Huber", "KLDivergence",
    "LogCosh", "Loss", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky",
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_hinge", "cosine_similarity", "dice", "get", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
]  # fmt: skip


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
        return self.reduce(self.call(as_tensor(y_true), as_tensor(y_pred)), sample_weight, self.kept(y_true))

    def kept(self, y_true: Any) -> Tensor | None:
        """Which examples count; None for all."""

    def on_logits(self, y_true: Tensor, logits: Tensor, sample_weight: Any = None) -> Tensor:
        """The same, of what stands before the activation that ``undoes`` names."""
        values = self.fn(y_true, logits, **{**self.options, "from_logits": True})
        return self.reduce(values, sample_weight, self.kept(y_true))

    def reduce(self, values: Tensor, sample_weight: Any = None, kept: Tensor | None = None) -> Tensor:
        """The weighted values as ``reduction`` says; a mean is over the examples that ``kept`` marks."""
        weight = None
        if sample_weight is not None:
            weight = _fitting(as_tensor(sample_weight).to(device=values.device, dtype=values.dtype), values)
            values = values * weight
        if kept is not None and self.reduction in ("sum_over_batch_size", "mean"):
            return values.sum() / kept.sum().clamp(min=1)
        if self.reduction == "sum":
            return values.sum()
        if self.reduction in ("none", None):
            return values
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            counted = weight.expand_as(values) if values.ndim else weight
            return values.sum() / counted.sum().clamp(min=EPSILON)
        return values.mean()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"reduction": self.reduction, "name": self.name, **self.options}


def _fitting(weight: Tensor, values: Tensor) -> Tensor:
    """Weights with as many dimensions as the values, so that each meets its own example."""
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight.squeeze(-1)
    if weight.ndim > values.ndim > 0:
        raise ValueError(f"sample_weight has shape {tuple(weight.shape)}, there are losses {tuple(values.shape)}")
    return weight.reshape(*weight.shape, *(1,) * (values.ndim - weight.ndim))


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


class SquaredHinge(Loss):
    """``mean(max(1 - y_true * y_pred, 0)**2)``."""

    fn = staticmethod(squared_hinge)


class CategoricalHinge(Loss):
    """``max(largest wrong score - right score + 1, 0)``."""

    fn = staticmethod(categorical_hinge)


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
        super().__init__(delta=delta, **{"name": "huber_loss", **kwargs})


class CosineSimilarity(Loss):
    """Minus the cosine of the angle."""

    fn = staticmethod(cosine_similarity)

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(axis=axis, **kwargs)


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

    def kept(self, y_true: Any) -> Tensor | None:
        ignored = self.options["ignore_class"]
        return None if ignored is None else as_tensor(y_true) != ignored


class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy in which easy examples count less; see ``binary_focal_crossentropy``."""

    fn, undoes = staticmethod(binary_focal_crossentropy), "sigmoid"

    def __init__(
        self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
        label_smoothing: float = 0.0, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma,
                         from_logits=from_logits, label_smoothing=label_smoothing, **kwargs)  # fmt: skip


class CategoricalFocalCrossentropy(Loss):
    """Cross-entropy in which easy examples count less; see ``categorical_focal_crossentropy``."""

    fn, undoes = staticmethod(categorical_focal_crossentropy), "softmax"

    def __init__(
        self, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
        axis: int = -1, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(alpha=alpha, gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
                         **kwargs)  # fmt: skip


class Dice(Loss):
    """One minus the share of overlap; see ``dice``."""

    fn = staticmethod(dice)

    def __init__(self, axis: Any = None, **kwargs: Any) -> None:
        super().__init__(axis=axis, **kwargs)


class Tversky(Loss):
    """Overlap with a weight for each kind of error; see ``tversky``."""

    fn = staticmethod(tversky)

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, axis: Any = None, **kwargs: Any) -> None:
        super().__init__(alpha=alpha, beta=beta, axis=axis, **kwargs)


CLASSES: dict[str, type[Loss]] = {
    c.__name__: c
    for c in (
        BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy,
        CategoricalHinge, CosineSimilarity, Dice, Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError,
        MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
        SparseCategoricalCrossentropy, SquaredHinge, Tversky,
    )
}  # fmt: skip
FUNCTIONS: dict[Any, type[Loss]] = {c.fn: c for c in CLASSES.values()}
_SHORT = {
    "bce": BinaryCrossentropy, "kld": KLDivergence, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError, "msle": MeanSquaredLogarithmicError,
}  # fmt: skip
NAMES: dict[str, type[Loss]] = {
    **_SHORT, **{name.upper(): c for name, c in _SHORT.items()}, "logcosh": LogCosh,
    **{f.__name__: c for f, c in FUNCTIONS.items()}, **CLASSES,
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
    if isinstance(identifier, (list, tuple)) and len(identifier) == 1:  # a loss for each output, of which there is one
        return get(identifier[0])
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return FUNCTIONS[identifier]() if identifier in FUNCTIONS else Loss(identifier)
    if not isinstance(identifier, str) or identifier not in NAMES:
        raise ValueError(f"unknown loss {identifier!r}; use one of {', '.join(NAMES)}, a Loss, or a function")
    return NAMES[identifier]()
