"""Rosenblatt's perceptron for any number of classes, one against the rest."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..autograd import no_grad
from ..autograd.ops.create import tensor

__all__ = ["Perceptron"]


class Perceptron(ClassifierMixin, BaseEstimator):
    """Linear classes by the perceptron rule: each mistake moves the line towards the example (Rosenblatt, 1958).

    Args:
        penalty: None, "l2", "l1" or "elasticnet": shrinks the weights at each example.
        alpha, l1_ratio: of the penalty.
        fit_intercept: whether the line need not go through the origin.
        max_iter: passes over the data at most.
        tol: training ends when the mean hinge at zero does not fall by this in ``n_iter_no_change`` passes; None for
            all passes.
        shuffle: a new order in each pass.
        verbose: print the loss of each pass.
        eta0: the size of a correction.
        n_jobs: accepted; all classes are learned together.
        random_state: seeds the order and what is held out.
        early_stopping, validation_fraction: hold a part out, and end by its score.
        n_iter_no_change: see ``tol``.
        class_weight: None, "balanced", or a weight for each class, of its examples in all lines (scikit-learn's counts
            in the class's own line alone, where there are more than two).
        warm_start: ``fit`` goes on where the last one ended.

    Attributes:
        coef_: (1, features) for two classes, else (classes, features).
        intercept_: (1,) or (classes,).
        classes_, n_iter_, t_, n_features_in_, feature_names_in_: as scikit-learn has them.
    """

    def __init__(
        self, *, penalty: str | None = None, alpha: float = 0.0001, l1_ratio: float = 0.15, fit_intercept: bool = True,
        max_iter: int = 1000, tol: float | None = 1e-3, shuffle: bool = True, verbose: int = 0, eta0: float = 1.0,
        n_jobs: int | None = None, random_state: Any = 0, early_stopping: bool = False,
        validation_fraction: float = 0.1, n_iter_no_change: int = 5, class_weight: Any = None,
        warm_start: bool = False,
    ) -> None:  # fmt: skip
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start

    def _check_options(self) -> None:
        for option, holds, what in (
            ("penalty", self.penalty in (None, "l1", "l2", "elasticnet"), "None, 'l1', 'l2' or 'elasticnet'"),
            ("alpha", self.alpha >= 0, "at least 0"),
            ("l1_ratio", 0 <= self.l1_ratio <= 1, "in [0, 1]"),
            ("max_iter", self.max_iter >= 1, "at least 1"),
            ("eta0", self.eta0 > 0, "above 0"),
            ("validation_fraction", 0 < self.validation_fraction < 1, "in (0, 1)"),
            ("n_iter_no_change", self.n_iter_no_change >= 1, "at least 1"),
        ):
            if not holds:
                raise ValueError(f"Perceptron: {option} must be {what}, got {getattr(self, option)!r}")

    def fit(self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None) -> Self:
        """Learn from examples.

        Args:
            X: (n, features); sparse matrices are refused.
            y: (n,), classes.
            coef_init, intercept_init: to start from.
            sample_weight: (n,), the size of each example's correction; None for ones.

        Returns:
            The perceptron. A ConvergenceWarning says when ``max_iter`` passes did not do.

        Raises:
            ValueError: data or options that make no sense, or one class alone.
        """
        self._check_options()
        X, y, weight = self._read(X, y, sample_weight, first=True)
        again = self.warm_start and hasattr(self, "coef_")
        found = unique_labels(y)
        if not again or not np.array_equal(found, self.classes_):
            self._start(found, X.shape[1], coef_init, intercept_init)
        if self.early_stopping:
            X, held_x, y, held_y, weight, _ = train_test_split(
                X, y, weight, test_size=self.validation_fraction, random_state=self.random_state
            )
            self._train(X, y, weight, self.max_iter, (held_x, held_y))
        else:
            self._train(X, y, weight, self.max_iter)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One pass over some examples; the first call names all ``classes``.

        Raises:
            ValueError: it does not, or ``class_weight="balanced"``, which must see all examples.
        """
        self._check_options()
        if self.class_weight == "balanced":
            raise ValueError("Perceptron.partial_fit: class_weight='balanced' must see all data; give the weights")
        first = not hasattr(self, "coef_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        X, y, weight = self._read(X, y, sample_weight, first=first)
        if first:
            self._start(unique_labels(classes), X.shape[1])
        if len(np.setdiff1d(y, self.classes_)):
            raise ValueError(f"`y` has classes not in `self.classes_`: {self.classes_}")
        self._train(X, y, weight, 1)
        return self

    def _read(self, X: Any, y: Any, weight: Any, first: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, accept_sparse=False, dtype=np.float64, reset=first)
        check_classification_targets(y)
        return np.ascontiguousarray(X), y, _check_sample_weight(weight, X, dtype=X.dtype)

    def _start(self, classes: np.ndarray, features: int, coef: Any = None, intercept: Any = None) -> None:
        if len(classes) < 2:
            raise ValueError(f"Perceptron: needs at least 2 classes, got 1 class: {classes[0]!r}")
        self.classes_, self.n_iter_, self.t_ = classes, 0, 1.0
        rows = 1 if len(classes) == 2 else len(classes)
        self.coef_ = np.zeros((rows, features)) if coef is None else np.array(coef, float).reshape(rows, features)
        self.intercept_ = np.zeros(rows) if intercept is None else np.array(intercept, float).reshape(rows)

    def _train(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray, passes: int, held: Any = None) -> None:
        numbers = np.searchsorted(self.classes_, y)
        weights = (weight * self._class_weights(y)[numbers])[:, None]
        sides = np.where(numbers == 1, 1.0, -1.0)[:, None]
        if len(self.classes_) > 2:
            sides = np.where(numbers[:, None] == np.arange(len(self.classes_)), 1.0, -1.0)
        random = check_random_state(self.random_state)
        rows = len(self.coef_)
        best, waited, active = np.full(rows, np.inf), np.zeros(rows, int), np.ones(rows)
        best_score, kept = -np.inf, None
        self.n_iter_ = 0
        for _ in range(passes):
            order = random.permutation(len(X)) if self.shuffle else np.arange(len(X))
            losses = self._pass(X, sides, weights, order, active)
            self.n_iter_ += 1
            if self.verbose:
                print(f"Epoch {self.n_iter_}, mean loss {losses.sum():.6f}")
            if held is not None:
                score = self.score(*held)
                better = np.full(rows, score > best_score + (self.tol or 0.0))
                if score > best_score:
                    best_score, kept = score, (self.coef_.copy(), self.intercept_.copy())
            else:
                better = losses < best - (-np.inf if self.tol is None else self.tol)
                best = np.minimum(best, losses)
            waited = np.where(better, 0, waited + 1)
            active = np.where(waited >= self.n_iter_no_change, 0.0, active)
            if not active.any():
                break
        else:
            if passes > 1 and self.tol is not None:
                warnings.warn(
                    f"Perceptron: {passes} passes (max_iter) are over, and there are still mistakes; perhaps no "
                    "straight line separates the classes", ConvergenceWarning, stacklevel=3,
                )  # fmt: skip
        if kept is not None:
            self.coef_, self.intercept_ = kept

    def _pass(
        self, X: np.ndarray, sides: np.ndarray, weights: np.ndarray, order: np.ndarray, active: np.ndarray
    ) -> np.ndarray:
        """Correct mistake by mistake, all lines that are still learned at once.

        Returns:
            The mean of ``max(-side * value, 0)`` of each line.
        """
        with no_grad():
            coef, intercept, learned = tensor(self.coef_), tensor(self.intercept_), tensor(active)
            total = intercept * 0.0
            for i in order:
                x, side, weight = tensor(X[i]), tensor(sides[i]), tensor(weights[i])
                margin = side * (coef @ x + intercept)
                total = total + (-margin).clamp(min=0.0)
                if self.penalty is not None:
                    coef = coef + learned.unsqueeze(1) * (self._shrunk(coef) - coef)
                push = side * (margin <= 0) * learned * weight * self.eta0
                if not push.any():
                    continue
                coef = coef + push.unsqueeze(1) * x
                if self.fit_intercept:
                    intercept = intercept + push
            self.coef_, self.intercept_ = coef.numpy().copy(), intercept.numpy().copy()
        self.t_ += len(order)
        means: np.ndarray = total.numpy() / len(order)
        return means

    def _shrunk(self, coef: Any) -> Any:
        """The weights after one step of the penalty."""
        share = {"l2": 0.0, "l1": 1.0}.get(self.penalty or "", self.l1_ratio)
        coef = coef * max(0.0, 1.0 - (1.0 - share) * self.alpha * self.eta0)
        cut = share * self.alpha * self.eta0
        return coef.sign() * (coef.abs() - cut).clamp(min=0.0) if cut else coef

    def _class_weights(self, y: np.ndarray) -> np.ndarray:
        if self.class_weight is None or isinstance(self.class_weight, dict):
            return compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        present = np.unique(y)
        made = np.ones(len(self.classes_))
        made[np.searchsorted(self.classes_, present)] = compute_class_weight(self.class_weight, classes=present, y=y)
        return made

    def decision_function(self, X: Any) -> np.ndarray:
        """``X @ coef_.T + intercept_``: (n,) for two classes, else (n, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=False, dtype=np.float64, reset=False)
        values: np.ndarray = X @ self.coef_.T + self.intercept_
        return values.ravel() if len(self.classes_) == 2 else values

    def predict(self, X: Any) -> np.ndarray:
        """The class of each example, (n,)."""
        values = self.decision_function(X)
        guess = (values > 0).astype(int) if values.ndim == 1 else values.argmax(1)
        made: np.ndarray = self.classes_[guess]
        return made
