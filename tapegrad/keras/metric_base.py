"""What metrics share: counting batch by batch, on the host."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import Tensor, no_grad
from ..autograd.ops.create import tensor

__all__ = ["Mean", "MeanMetricWrapper", "Metric", "Sum", "Variable", "as_array", "fitting", "words"]


def as_array(value: Any) -> np.ndarray:
    """A host array of a tensor or of anything that NumPy reads."""
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def words(name: str) -> str:
    """A class's name as Keras writes it: FalsePositives -> false_positives, AUC -> auc."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class Variable(np.ndarray):
    """What ``Metric.add_weight`` gives: an array that can be set."""

    def assign(self, value: Any) -> Variable:
        """Set it."""
        self[...] = as_array(value)
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to it."""
        return self.assign(self + as_array(value))


class Metric:
    """Base: ``update_state`` for each batch, ``result`` of all, ``reset_state`` before the next epoch.

    Args:
        dtype: kept for old scripts, and counts for nothing: metrics count in float64.
        name: shown for it, and its key in logs; by default made from the class: FalsePositives -> false_positives.
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or words(type(self).__name__)
        self.variables: list[Variable] = []
        self.reset_state()

    def add_weight(self, shape: Any = (), initializer: Any = "zeros", name: str | None = None, **_: Any) -> Variable:
        """A number or an array of a metric of the user's own, zero again with each ``reset_state``.

        Args:
            shape: of the array.
            initializer: "zeros", the only one here.
            name: counts for nothing.

        Raises:
            ValueError: another initializer.
        """
        if initializer not in ("zeros", None):
            raise ValueError(f"Metric.add_weight: initializer must be 'zeros', got {initializer!r}")
        self.variables.append(np.zeros(shape).view(Variable))
        return self.variables[-1]

    add_variable = add_weight

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch."""
        raise NotImplementedError(f"{type(self).__name__} does not define update_state")

    def result(self) -> float:
        """The metric of all that was counted."""
        raise NotImplementedError(f"{type(self).__name__} does not define result")

    def reset_state(self) -> None:
        """Forget what was counted."""
        self.total, self.count = 0.0, 0.0
        for variable in self.variables:
            variable.assign(0.0)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"name": self.name}


class Mean(Metric):
    """The weighted mean of numbers."""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)

    def update_state(self, values: Any, sample_weight: Any = None, *_: Any) -> None:  # type: ignore[override]
        """Count numbers."""
        array = np.asarray(as_array(values), np.float64)
        weight = np.ones(()) if sample_weight is None else np.asarray(as_array(sample_weight), np.float64)
        if weight.ndim == array.ndim + 1 and weight.shape[-1] == 1:
            weight = weight[..., 0]
        if weight.ndim and array.ndim > weight.ndim:
            weight = weight.reshape(*weight.shape, *(1,) * (array.ndim - weight.ndim))
        self.total += float((array * weight).sum())
        self.count += float(np.broadcast_to(weight, array.shape).sum())

    def result(self) -> float:
        return self.total / self.count if self.count else 0.0


class Sum(Mean):
    """The weighted sum of numbers."""

    def result(self) -> float:
        return self.total


class MeanMetricWrapper(Mean):
    """The mean over the examples of a function of targets and predictions.

    Args:
        fn: takes two tensors, gives one number for each example.
        name: shown for it.
        options: handed on to ``fn``.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", "metric"), dtype)
        self.fn, self.options = fn, options

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Count a batch."""
        with no_grad():
            values = self.fn(tensor(as_array(y_true)), tensor(as_array(y_pred)), **self.options)
        super().update_state(values, sample_weight)


def fitting(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Targets with the predictions' shape."""
    if y_true.shape == y_pred.shape:
        return y_true
    if y_true.size != y_pred.size:
        raise ValueError(f"metric: targets of shape {y_true.shape} do not fit predictions of shape {y_pred.shape}")
    return y_true.reshape(y_pred.shape)
