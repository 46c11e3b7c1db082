"""Metrics: counted over the batches of an epoch, on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import losses
from .confusion import (
    AUC,
    F1Score,
    FalseNegatives,
    FalsePositives,
    FBetaScore,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from .metric_base import Mean, MeanMetricWrapper, Metric, Sum, as_array, fitting

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy", "CategoricalCrossentropy",
    "CategoricalHinge", "CosineSimilarity", "F1Score", "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge",
    "KLDivergence", "LogCoshError", "Mean", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanMetricWrapper",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Metric", "Poisson", "Precision", "R2Score", "Recall",
    "RootMeanSquaredError", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SquaredHinge", "Sum", "TopKCategoricalAccuracy", "TrueNegatives",
    "TruePositives", "get",
]  # fmt: skip


class _Matches(Mean):
    """The share of examples that are right."""

    standard = ""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or self.standard, dtype)

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Count a batch."""
        super().update_state(self.right(as_array(y_true), as_array(y_pred)), sample_weight)


def _classes(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Class numbers with the predictions' shape but for the classes."""
    return y_true.reshape(y_pred.shape[:-1]).astype(np.int64)


class Accuracy(_Matches):
    """The share of predictions that equal the targets."""

    standard = "accuracy"

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return fitting(y_true, y_pred) == y_pred


class BinaryAccuracy(_Matches):
    """The share of probabilities on the right side of ``threshold``."""

    standard = "binary_accuracy"

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.threshold = threshold

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return ((y_pred > self.threshold) == fitting(y_true, y_pred)).mean(-1)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "threshold": self.threshold}


class CategoricalAccuracy(_Matches):
    """The share of rows whose largest probability stands at the 1 of the one-hot target."""

    standard = "categorical_accuracy"

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return fitting(y_true, y_pred).argmax(-1) == y_pred.argmax(-1)


class SparseCategoricalAccuracy(_Matches):
    """The share of rows whose largest probability stands at the target's number."""

    standard = "sparse_categorical_accuracy"

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return _classes(y_true, y_pred) == y_pred.argmax(-1)


class SparseTopKCategoricalAccuracy(_Matches):
    """The share of rows with the target's number among the ``k`` largest probabilities."""

    standard = "sparse_top_k_categorical_accuracy"

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.k = k

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        own = np.take_along_axis(y_pred, _classes(y_true, y_pred)[..., None], -1)
        return (y_pred > own).sum(-1) < self.k

    def get_config(self) -> dict[str, Any]:
        return {"k": self.k, "name": self.name}


class TopKCategoricalAccuracy(SparseTopKCategoricalAccuracy):
    """The same with one-hot targets."""

    standard = "top_k_categorical_accuracy"

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return super().right(y_true.argmax(-1), y_pred)


class RootMeanSquaredError(Mean):
    """The root of the mean square of all differences."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Count a batch."""
        pred = np.asarray(as_array(y_pred), np.float64)
        super().update_state((pred - fitting(as_array(y_true), pred)) ** 2, sample_weight)

    def result(self) -> float:
        return float(np.sqrt(super().result()))


class R2Score(Metric):
    """The share of the targets' variance that the predictions explain, the mean over the columns.

    Args:
        name: shown for it.
        dtype: counts for nothing.
    """

    def __init__(self, name: str | None = "r2_score", dtype: Any = None) -> None:
        super().__init__(dtype, name)

    def reset_state(self) -> None:
        super().reset_state()
        self.sums: Any = np.zeros((4, 1))  # of the weights, the targets, their squares, and the squared mistakes

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        pred = np.asarray(as_array(y_pred), np.float64)
        true = fitting(as_array(y_true), pred).astype(np.float64)
        true, pred = (a.reshape(len(a), -1) for a in (true, pred))
        weight = np.ones(1) if sample_weight is None else np.asarray(as_array(sample_weight), np.float64)
        weight = np.broadcast_to(weight.reshape(-1, 1), true.shape)
        self.sums = self.sums + [(weight * a).sum(0) for a in (np.ones_like(true), true, true**2, (true - pred) ** 2)]

    def result(self) -> float:
        count, total, squares, mistakes = self.sums
        if not count.all():
            return 0.0
        return float((1 - mistakes / (squares - total**2 / count)).mean())


class _OfLoss(MeanMetricWrapper):
    """A loss's function as a metric."""

    fn: Callable[..., Any]

    def __init__(self, name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(type(self).fn, name, dtype, **options)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self.options}


def _of_loss(cls: str, function: Callable[..., Any], name: str | None = None) -> type[_OfLoss]:
    def __init__(self: Any, name: str | None = name or function.__name__, dtype: Any = None, **options: Any) -> None:
        _OfLoss.__init__(self, name, dtype, **options)

    body = {"fn": staticmethod(function), "__init__": __init__, "__module__": __name__,
            "__doc__": f"The mean of ``losses.{function.__name__}``."}  # fmt: skip
    return type(cls, (_OfLoss,), body)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    return -losses.cosine_similarity(y_true, y_pred, axis)


MeanSquaredError = _of_loss("MeanSquaredError", losses.mean_squared_error)
MeanAbsoluteError = _of_loss("MeanAbsoluteError", losses.mean_absolute_error)
MeanAbsolutePercentageError = _of_loss("MeanAbsolutePercentageError", losses.mean_absolute_percentage_error)
MeanSquaredLogarithmicError = _of_loss("MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error)
CosineSimilarity = _of_loss("CosineSimilarity", _cosine, "cosine_similarity")
LogCoshError = _of_loss("LogCoshError", losses.log_cosh, "logcosh")
Hinge = _of_loss("Hinge", losses.hinge)
SquaredHinge = _of_loss("SquaredHinge", losses.squared_hinge)
CategoricalHinge = _of_loss("CategoricalHinge", losses.categorical_hinge)
KLDivergence = _of_loss("KLDivergence", losses.kl_divergence)
Poisson = _of_loss("Poisson", losses.poisson)
BinaryCrossentropy = _of_loss("BinaryCrossentropy", losses.binary_crossentropy)
CategoricalCrossentropy = _of_loss("CategoricalCrossentropy", losses.categorical_crossentropy)
SparseCategoricalCrossentropy = _of_loss("SparseCategoricalCrossentropy", losses.sparse_categorical_crossentropy)

CLASSES: dict[str, type[Metric]] = {
    name: made for name, made in globals().items()
    if name in __all__ and isinstance(made, type) and made not in (Metric, Mean, Sum, MeanMetricWrapper)
}  # fmt: skip
_NAMES: dict[str, type[Metric]] = {
    "binary_accuracy": BinaryAccuracy, "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy, "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy, "auc": AUC, "precision": Precision,
    "recall": Recall, "rmse": RootMeanSquaredError, "root_mean_squared_error": RootMeanSquaredError,
    "f1_score": F1Score, "fbeta_score": FBetaScore, "r2_score": R2Score, **CLASSES,
}  # fmt: skip


def get(identifier: Any, y_true: Any = None, y_pred: Any = None) -> Metric:
    """A metric by its name, a function of targets and predictions, or as it is.

    Args:
        identifier: what to get; "accuracy" becomes binary, categorical or sparse by the shapes of the next two. A name
            is also what the logs call it.
        y_true, y_pred: a batch's targets and predictions.

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, dict) and set(identifier) == {"class_name", "config"}:
        return CLASSES[identifier["class_name"]](**identifier["config"])
    if isinstance(identifier, str):
        return _by_name(identifier, y_true, y_pred)
    if isinstance(identifier, losses.Loss):
        return MeanMetricWrapper(identifier.call, identifier.name)
    if callable(identifier):
        return MeanMetricWrapper(identifier)
    raise ValueError(f"a metric must be a name, a Metric or a function, got {identifier!r}")


def _by_name(name: str, y_true: Any, y_pred: Any) -> Metric:
    if name in ("accuracy", "acc"):
        return _accuracy(name, np.shape(y_true), np.shape(y_pred))
    if name in _NAMES:
        return _NAMES[name](name=name)
    if name == "cosine_similarity":
        return MeanMetricWrapper(_cosine, name)
    if name in losses.NAMES:
        return MeanMetricWrapper(losses.NAMES[name].fn, name)
    raise ValueError(f"unknown metric {name!r}; use 'accuracy', one of {', '.join(_NAMES)}, or a loss")


def _accuracy(name: str, true: tuple[int, ...], pred: tuple[int, ...]) -> Metric:
    if len(pred) < 2 or pred[-1] == 1:
        return BinaryAccuracy(name)
    one_each = len(true) < len(pred) or true[-1] == 1
    return SparseCategoricalAccuracy(name) if one_each else CategoricalAccuracy(name)
