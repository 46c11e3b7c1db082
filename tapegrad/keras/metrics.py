"""Metrics: counted over the batches of an epoch, on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import Tensor, no_grad
from ..autograd.ops.create import tensor
from . import losses

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "Mean", "MeanAbsoluteError", "MeanMetricWrapper",
    "MeanSquaredError", "Metric", "Precision", "Recall", "RootMeanSquaredError", "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "get",
]  # fmt: skip


def as_array(value: Any) -> np.ndarray:
    """A host array of a tensor or of anything that NumPy reads."""
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


class Metric:
    """Base: ``update_state`` for each batch, ``result`` of all, ``reset_state`` before the next epoch.

    Args:
        name: shown for it, and its key in logs.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or type(self).__name__.lower()
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch."""
        raise NotImplementedError(f"{type(self).__name__} does not define update_state")

    def result(self) -> float:
        """The metric of all that was counted."""
        raise NotImplementedError(f"{type(self).__name__} does not define result")

    def reset_state(self) -> None:
        """Forget what was counted."""
        self.total, self.count = 0.0, 0.0

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"name": self.name}


class Mean(Metric):
    """The weighted mean of numbers."""

    def update_state(self, values: Any, sample_weight: Any = None, *_: Any) -> None:  # type: ignore[override]
        """Count numbers."""
        array = np.asarray(as_array(values), np.float64)
        weight = np.ones(()) if sample_weight is None else np.asarray(as_array(sample_weight), np.float64)
        if weight.ndim and array.ndim > weight.ndim:
            weight = weight.reshape(*weight.shape, *(1,) * (array.ndim - weight.ndim))
        self.total += float((array * weight).sum())
        self.count += float(np.broadcast_to(weight, array.shape).sum())

    def result(self) -> float:
        return self.total / self.count if self.count else 0.0


class MeanMetricWrapper(Mean):
    """The mean over the examples of a function of targets and predictions.

    Args:
        fn: takes two tensors, gives one number for each example.
        name: shown for it.
        options: handed on to ``fn``.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, **options: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", "metric"))
        self.fn, self.options = fn, options

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Count a batch."""
        with no_grad():
            values = self.fn(tensor(as_array(y_true)), tensor(as_array(y_pred)), **self.options)
        super().update_state(values, sample_weight)


class _Matches(Mean):
    """The share of examples that are right."""

    standard = ""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name or self.standard)

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Count a batch."""
        super().update_state(self.right(as_array(y_true), as_array(y_pred)), sample_weight)


def _fit(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Targets with the predictions' shape."""
    if y_true.shape == y_pred.shape:
        return y_true
    if y_true.size != y_pred.size:
        raise ValueError(f"metric: targets of shape {y_true.shape} do not fit predictions of shape {y_pred.shape}")
    return y_true.reshape(y_pred.shape)


def _classes(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Class numbers with the predictions' shape but for the classes."""
    return y_true.reshape(y_pred.shape[:-1]).astype(np.int64)


class Accuracy(_Matches):
    """The share of predictions that equal the targets."""

    standard = "accuracy"

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return _fit(y_true, y_pred) == y_pred


class BinaryAccuracy(_Matches):
    """The share of probabilities on the right side of ``threshold``."""

    standard = "binary_accuracy"

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = threshold

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return ((y_pred > self.threshold) == _fit(y_true, y_pred)).mean(-1)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "threshold": self.threshold}


class CategoricalAccuracy(_Matches):
    """The share of rows whose largest probability stands at the 1 of the one-hot target."""

    standard = "categorical_accuracy"

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return _fit(y_true, y_pred).argmax(-1) == y_pred.argmax(-1)


class SparseCategoricalAccuracy(_Matches):
    """The share of rows whose largest probability stands at the target's number."""

    standard = "sparse_categorical_accuracy"

    def right(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return _classes(y_true, y_pred) == y_pred.argmax(-1)


class SparseTopKCategoricalAccuracy(_Matches):
    """The share of rows with the target's number among the ``k`` largest probabilities."""

    standard = "sparse_top_k_categorical_accuracy"

    def __init__(self, k: int = 5, name: str | None = None) -> None:
        super().__init__(name)
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

    def __init__(self, name: str | None = "root_mean_squared_error") -> None:
        super().__init__(name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Count a batch."""
        pred = np.asarray(as_array(y_pred), np.float64)
        super().update_state((pred - _fit(as_array(y_true), pred)) ** 2, sample_weight)

    def result(self) -> float:
        return float(np.sqrt(super().result()))


class MeanSquaredError(MeanMetricWrapper):
    """``mean((y_true - y_pred)**2)``."""

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(losses.mean_squared_error, name)


class MeanAbsoluteError(MeanMetricWrapper):
    """``mean(|y_true - y_pred|)``."""

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(losses.mean_absolute_error, name)


class _Counts(Metric):
    """Of the predictions above a threshold: how many are right, how many there are, how many should be."""

    def __init__(self, thresholds: float | None = None, name: str | None = None) -> None:
        super().__init__(name)
        self.thresholds = 0.5 if thresholds is None else float(thresholds)

    def reset_state(self) -> None:
        self.right, self.said, self.true = 0.0, 0.0, 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        pred = as_array(y_pred)
        true, said = _fit(as_array(y_true), pred).astype(bool), pred > self.thresholds
        weight = np.ones(()) if sample_weight is None else as_array(sample_weight)
        weight = weight.reshape(*weight.shape, *(1,) * (pred.ndim - weight.ndim)) if weight.ndim else weight
        self.right += float((weight * (true & said)).sum())
        self.said += float((weight * said).sum())
        self.true += float((weight * true).sum())

    def get_config(self) -> dict[str, Any]:
        return {"thresholds": self.thresholds, "name": self.name}


class Precision(_Counts):
    """The share of the predictions above ``thresholds`` (0.5) that are right."""

    def result(self) -> float:
        return self.right / self.said if self.said else 0.0


class Recall(_Counts):
    """The share of the true ones that are predicted above ``thresholds`` (0.5)."""

    def result(self) -> float:
        return self.right / self.true if self.true else 0.0


class AUC(Metric):
    """The area under the ROC curve, by trapezoids between thresholds as Keras takes them.

    Args:
        num_thresholds: how many thresholds between 0 and 1.
        name: shown for it.
    """

    def __init__(self, num_thresholds: int = 200, name: str | None = "auc") -> None:
        if num_thresholds < 2:
            raise ValueError(f"AUC: num_thresholds must be at least 2, got {num_thresholds}")
        inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self.thresholds = np.array([-losses.EPSILON, *inner, 1 + losses.EPSILON])
        super().__init__(name)

    def reset_state(self) -> None:
        n = len(self.thresholds)
        self.positives, self.negatives = np.zeros(n), np.zeros(n)  # said to be so above each threshold
        self.all_positives, self.all_negatives = 0.0, 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        pred = as_array(y_pred)
        true = _fit(as_array(y_true), pred).astype(bool).ravel()
        weight = np.ones(pred.shape)
        if sample_weight is not None:
            given = as_array(sample_weight)
            weight = weight * given.reshape(*given.shape, *(1,) * (pred.ndim - given.ndim))
        flat, values = weight.ravel(), pred.ravel()
        for kind, table in ((true, self.positives), (~true, self.negatives)):
            order = np.argsort(values[kind])
            above = np.concatenate([np.cumsum(flat[kind][order][::-1])[::-1], [0.0]])
            table += above[np.searchsorted(values[kind][order], self.thresholds, side="right")]
        self.all_positives += float(flat[true].sum())
        self.all_negatives += float(flat[~true].sum())

    def result(self) -> float:
        if not self.all_positives or not self.all_negatives:
            return 0.0
        hits, alarms = self.positives / self.all_positives, self.negatives / self.all_negatives
        return float(((alarms[:-1] - alarms[1:]) * (hits[:-1] + hits[1:]) / 2).sum())

    def get_config(self) -> dict[str, Any]:
        return {"num_thresholds": len(self.thresholds), "name": self.name}


CLASSES: dict[str, type[Metric]] = {
    c.__name__: c
    for c in (
        AUC, Accuracy, BinaryAccuracy, CategoricalAccuracy, MeanAbsoluteError, MeanSquaredError, Precision, Recall,
        RootMeanSquaredError, SparseCategoricalAccuracy, SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
    )
}  # fmt: skip
_NAMES: dict[str, type[Metric]] = {
    "binary_accuracy": BinaryAccuracy, "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy, "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy, "auc": AUC, "precision": Precision,
    "recall": Recall, "rmse": RootMeanSquaredError, "root_mean_squared_error": RootMeanSquaredError, **CLASSES,
}  # fmt: skip


def get(identifier: Any, y_true: Any = None, y_pred: Any = None) -> Metric:
    """A metric by its name, a function of targets and predictions, or as it is.

    Args:
        identifier: what to get; "accuracy" becomes binary, categorical or sparse by the shapes of the next two.
        y_true, y_pred: a batch's targets and predictions.

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, dict):
        return CLASSES[identifier["class_name"]](**identifier["config"])
    if identifier in ("accuracy", "acc"):
        return _accuracy(identifier, np.shape(y_true), np.shape(y_pred))
    if isinstance(identifier, str) and identifier in _NAMES:
        return _NAMES[identifier]()
    if isinstance(identifier, str):
        if identifier not in losses.NAMES:
            raise ValueError(f"unknown metric {identifier!r}; use 'accuracy', one of {', '.join(_NAMES)}, or a loss")
        cls = losses.NAMES[identifier]
        fn = losses.cosine_similarity if cls is losses.CosineSimilarity else cls.fn
        return MeanMetricWrapper(fn, identifier)
    if isinstance(identifier, losses.Loss):
        return MeanMetricWrapper(identifier.call, identifier.name)
    if callable(identifier):
        return MeanMetricWrapper(identifier)
    raise ValueError(f"a metric must be a name, a Metric or a function, got {identifier!r}")


def _accuracy(name: str, true: tuple[int, ...], pred: tuple[int, ...]) -> Metric:
    if len(pred) < 2 or pred[-1] == 1:
        return BinaryAccuracy(name)
    one_each = len(true) < len(pred) or true[-1] == 1
    return SparseCategoricalAccuracy(name) if one_each else CategoricalAccuracy(name)
