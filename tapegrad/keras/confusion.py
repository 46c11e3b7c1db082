"""Metrics that count right and wrong alarms: precision, recall, F1, areas under curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from .loss_functions import EPSILON
from .metric_base import Metric, as_array, fitting

__all__ = [
    "AUC", "F1Score", "FBetaScore", "FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives",
    "TruePositives",
]  # fmt: skip


def _weights(sample_weight: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A weight for each prediction."""
    weight = np.ones(()) if sample_weight is None else np.asarray(as_array(sample_weight), np.float64)
    if weight.ndim == len(shape) + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    return np.broadcast_to(weight.reshape(*weight.shape, *(1,) * (len(shape) - weight.ndim)) if weight.ndim else weight,
                           shape)  # fmt: skip


class _Counts(Metric):
    """Counts the predictions above each threshold that are right or wrong, and those below it.

    Args:
        thresholds: 0.5 without; a list gives an array of results.
        name: shown for it.
        dtype: counts for nothing.
    """

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        self.thresholds = thresholds
        self.levels = np.atleast_1d(np.asarray(0.5 if thresholds is None else thresholds, np.float64))
        if not ((self.levels >= 0) & (self.levels <= 1)).all():
            raise ValueError(f"{type(self).__name__}: thresholds must lie in [0, 1], got {thresholds!r}")
        super().__init__(dtype, name)

    def reset_state(self) -> None:
        super().reset_state()
        zeros = np.zeros(len(self.levels))
        self.true_positives, self.false_positives = zeros.copy(), zeros.copy()
        self.true_negatives, self.false_negatives = zeros.copy(), zeros.copy()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        pred = np.asarray(as_array(y_pred))
        true = fitting(as_array(y_true), pred).astype(bool)
        weight = _weights(sample_weight, pred.shape)
        pred, true, weight = self._select(pred, true, weight)
        for i, level in enumerate(self.levels):
            said = pred > level
            self.true_positives[i] += (weight * (true & said)).sum()
            self.false_positives[i] += (weight * (~true & said)).sum()
            self.true_negatives[i] += (weight * (~true & ~said)).sum()
            self.false_negatives[i] += (weight * (true & ~said)).sum()

    def _select(self, pred: np.ndarray, true: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, ...]:
        return pred, true, weight

    def _answer(self, values: np.ndarray) -> Any:
        """A number, or an array where several thresholds were given."""
        return values if isinstance(self.thresholds, (list, tuple)) else float(values[0])

    def get_config(self) -> dict[str, Any]:
        given = self.thresholds
        return {"name": self.name, "thresholds": list(given) if isinstance(given, (list, tuple)) else given}


class TruePositives(_Counts):
    """How many true ones were predicted above ``thresholds`` (0.5)."""

    def result(self) -> Any:
        return self._answer(self.true_positives)


class FalsePositives(_Counts):
    """How many false ones were predicted above ``thresholds`` (0.5)."""

    def result(self) -> Any:
        return self._answer(self.false_positives)


class TrueNegatives(_Counts):
    """How many false ones were not predicted above ``thresholds`` (0.5)."""

    def result(self) -> Any:
        return self._answer(self.true_negatives)


class FalseNegatives(_Counts):
    """How many true ones were not predicted above ``thresholds`` (0.5)."""

    def result(self) -> Any:
        return self._answer(self.false_negatives)


class _Shares(_Counts):
    """Precision and recall.

    Args:
        thresholds: 0.5 without, or 0 with ``top_k``; a list gives an array of results.
        top_k: only the k largest predictions of a row count as said.
        class_id: look at this column alone.
        name: shown for it.
        dtype: counts for nothing.
    """

    def __init__(
        self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        self.top_k, self.class_id = top_k, class_id
        super().__init__(thresholds, name, dtype)
        if thresholds is None and top_k is not None:
            self.levels = np.zeros(1)

    def _select(self, pred: np.ndarray, true: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, ...]:
        if self.top_k is not None:
            least = np.sort(pred, -1)[..., -self.top_k, None]
            pred = np.where(pred >= least, pred, -np.inf)
        if self.class_id is not None:
            pred, true, weight = (a[..., self.class_id] for a in (pred, true, weight))
        return pred, true, weight

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "top_k": self.top_k, "class_id": self.class_id}


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


class Precision(_Shares):
    """The share of the predictions above ``thresholds`` (0.5) that are right; arguments as of ``_Shares``."""

    def result(self) -> Any:
        return self._answer(_share(self.true_positives, self.true_positives + self.false_positives))


class Recall(_Shares):
    """The share of the true ones that are predicted above ``thresholds`` (0.5); arguments as of ``_Shares``."""

    def result(self) -> Any:
        return self._answer(_share(self.true_positives, self.true_positives + self.false_negatives))


class FBetaScore(Metric):
    """``(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`` of each class.

    Args:
        average: None for an array with a number for each class; "micro" counts all classes together, "macro" is their
            mean, "weighted" the mean by how many examples each has.
        beta: how much recall counts.
        threshold: what counts as said; None for the largest prediction of each row.
        name: shown for it.
        dtype: counts for nothing.

    Raises:
        ValueError: another ``average``.
    """

    def __init__(
        self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
        name: str | None = "fbeta_score", dtype: Any = None,
    ) -> None:  # fmt: skip
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"FBetaScore: average must be None, 'micro', 'macro' or 'weighted', got {average!r}")
        self.average, self.beta, self.threshold = average, beta, threshold
        super().__init__(dtype, name)

    def reset_state(self) -> None:
        super().reset_state()
        self.right: Any = 0.0
        self.said: Any = 0.0
        self.true: Any = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        pred = np.asarray(as_array(y_pred))
        if pred.ndim != 2:
            raise ValueError(f"{type(self).__name__}: predictions must be (batch, classes), got shape {pred.shape}")
        true = fitting(as_array(y_true), pred).astype(bool)
        said = pred == pred.max(-1, keepdims=True) if self.threshold is None else pred > self.threshold
        weight = _weights(sample_weight, pred.shape)
        axis = None if self.average == "micro" else 0
        self.right = self.right + (weight * (true & said)).sum(axis)
        self.said = self.said + (weight * said).sum(axis)
        self.true = self.true + (weight * true).sum(axis)

    def result(self) -> Any:
        right, said, true = (np.asarray(a, np.float64) for a in (self.right, self.said, self.true))
        square = self.beta**2
        scores = (1 + square) * right / (square * true + said + EPSILON)
        if self.average == "weighted":
            return float((scores * true).sum() / max(true.sum(), EPSILON))
        return float(scores.mean()) if self.average == "macro" or scores.ndim == 0 else scores

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """``2 * precision * recall / (precision + recall)``; arguments as of ``FBetaScore``, whose ``beta`` is 1."""

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "average": self.average, "threshold": self.threshold}


class AUC(Metric):
    """The area under the ROC or the precision-recall curve, between thresholds as Keras takes them.

    The ROC curve goes by trapezoids; between two points of the other one the precision is not a straight line (Davis
    and Goadrich, 2006).

    Args:
        num_thresholds: how many thresholds between 0 and 1.
        curve: "ROC" or "PR".
        name: shown for it.
        dtype: counts for nothing.

    Raises:
        ValueError: too few thresholds, or another curve.
    """

    def __init__(
        self, num_thresholds: int = 200, curve: str = "ROC", name: str | None = None, dtype: Any = None
    ) -> None:
        if curve not in ("ROC", "PR"):
            raise ValueError(f"AUC: curve must be 'ROC' or 'PR', got {curve!r}")
        self.curve = curve
        if num_thresholds < 2:
            raise ValueError(f"AUC: num_thresholds must be at least 2, got {num_thresholds}")
        inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self.thresholds = np.array([-EPSILON, *inner, 1 + EPSILON])
        super().__init__(dtype, name)

    def reset_state(self) -> None:
        super().reset_state()
        n = len(self.thresholds)
        self.positives, self.negatives = np.zeros(n), np.zeros(n)  # said to be so above each threshold
        self.all_positives, self.all_negatives = 0.0, 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        pred = as_array(y_pred)
        true = fitting(as_array(y_true), pred).astype(bool).ravel()
        weight = _weights(sample_weight, pred.shape)
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
        if self.curve == "PR":
            return self._precision_recall()
        hits, alarms = self.positives / self.all_positives, self.negatives / self.all_negatives
        return float(((alarms[:-1] - alarms[1:]) * (hits[:-1] + hits[1:]) / 2).sum())

    def _precision_recall(self) -> float:
        said = self.positives + self.negatives
        gained, more = self.positives[:-1] - self.positives[1:], said[:-1] - said[1:]
        slope = _share(gained, np.maximum(more, 0.0))
        start = self.positives[1:] - slope * said[1:]
        both = (said[:-1] > 0) & (said[1:] > 0)
        ratio = np.where(both, _share(said[:-1], np.maximum(said[1:], 0.0)), 1.0)
        area = slope * (gained + start * np.log(np.where(ratio > 0, ratio, 1.0)))
        return float(area.sum() / self.all_positives)

    def get_config(self) -> dict[str, Any]:
        return {"num_thresholds": len(self.thresholds), "curve": self.curve, "name": self.name}
