"""Multi-layer perceptrons as scikit-learn's, trained on the tape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from ..nn import functional as F
from .fitting import Network, check_options, random_of

__all__ = ["MLPClassifier", "MLPRegressor"]


def _trains_step_by_step(estimator: Any) -> bool:
    if estimator.early_stopping:
        raise AttributeError("partial_fit does not support early_stopping=True: it would hold data out in every call")
    return True


class _MLP(BaseEstimator, ABC):
    """Fitting and what both estimators keep.

    Attributes:
        coefs_, intercepts_: weights (in, out) and biases of each layer.
        loss_, best_loss_, loss_curve_: of the passes, with the penalty.
        validation_scores_, best_validation_score_: with early stopping, else None.
        n_iter_, t_: passes, and examples seen. n_layers_, n_outputs_, out_activation_: of the network.
        n_features_in_, feature_names_in_: of the data.
    """

    def __init__(
        self, hidden_layer_sizes: Any = (100,), activation: str = "relu", *, solver: str = "adam",
        alpha: float = 0.0001, batch_size: Any = "auto", learning_rate: str = "constant",
        learning_rate_init: float = 0.001, power_t: float = 0.5, max_iter: int = 200, shuffle: bool = True,
        random_state: Any = None, tol: float = 1e-4, verbose: bool = False, warm_start: bool = False,
        momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False,
        validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
    ) -> None:  # fmt: skip
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change

    # What each of both defines: the targets as the loss takes them, the loss, the score of held-out data

    @abstractmethod
    def _targets(self, y: Any, dtype: Any) -> np.ndarray: ...

    @abstractmethod
    def _score(self, out: np.ndarray, y: np.ndarray, weight: Any) -> float: ...

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from examples.

        Args:
            X: (n, features); sparse matrices are refused.
            y: (n,) or (n, outputs).
            sample_weight: (n,), or None for ones.

        Returns:
            The estimator.

        Raises:
            ValueError: data or options that make no sense.
        """
        check_options(self)
        again = self.warm_start and hasattr(self, "_network")
        X, targets, weight = self._read(X, y, sample_weight, first=not again)
        if again:
            self.n_iter_ = 0
        return self._fit(X, targets, weight, again, self.max_iter)

    def _partial(self, X: Any, y: Any, sample_weight: Any, first: bool) -> Self:
        check_options(self)
        X, targets, weight = self._read(X, y, sample_weight, first=first)
        return self._fit(X, targets, weight, not first, 1)

    def _read(self, X: Any, y: Any, weight: Any, first: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        X, y = validate_data(
            self, X, y, accept_sparse=False, multi_output=True, dtype=(np.float64, np.float32), reset=first,
            y_numeric=not is_classifier(self),
        )  # fmt: skip
        if not first and X.dtype != self._network.dtype:
            X = X.astype(self._network.dtype)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self._see(y, first)
        if weight is not None:
            weight = _check_sample_weight(weight, X, dtype=X.dtype)
        return np.ascontiguousarray(X), self._targets(y, X.dtype), weight

    @abstractmethod
    def _see(self, y: np.ndarray, first: bool) -> None:
        """Look at the targets: classes, number of outputs."""

    def _fit(self, X: np.ndarray, y: np.ndarray, weight: Any, again: bool, passes: int) -> Self:
        random = random_of(self)
        if not again:
            hidden = [int(n) for n in np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=np.int64))]
            sizes = [X.shape[1], *hidden, self.n_outputs_]
            self._network = Network(self, sizes, X.dtype, random)
            self.n_iter_, self.t_, self.n_layers_ = 0, 0, len(sizes)
            self.loss_curve_: list[float] = []
        if not again or passes > 1:
            self.best_loss_: float | None = np.inf
            self._no_improvement = 0
            self.validation_scores_: list[float] | None = [] if self.early_stopping else None
            self.best_validation_score_: float | None = -np.inf if self.early_stopping else None
        held = None
        if self.early_stopping:
            X, y, weight, held = self._hold_out(X, y, weight, random)
        self._network.train(self, X, y, weight, held, passes, random)
        if held is not None:
            self._network.put(*self._best)
            del self._best
            self.best_loss_ = None
        self.coefs_, self.intercepts_ = self._network.arrays()
        return self

    def _hold_out(self, X: np.ndarray, y: np.ndarray, weight: Any, random: Any) -> Any:
        labels = None
        if is_classifier(self):
            labels = y.ravel() if y.ndim == 1 or y.shape[1] == 1 else None  # but for several labels, stratified
            if labels is not None and np.unique(labels, return_counts=True)[1].min() < 2:
                labels = None
        parts = train_test_split(
            X, y, np.ones(len(X), X.dtype) if weight is None else weight, test_size=self.validation_fraction,
            random_state=random, stratify=labels,
        )  # fmt: skip
        X, held_x, y, held_y, used, held_w = parts
        if len(X) < 1 or len(held_x) < 1:
            raise ValueError("early_stopping: there are too few examples to hold some out")

        def score(network: Network) -> float:
            return self._score(network.outputs(held_x), held_y, held_w)

        return X, y, None if weight is None else used, score

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=False, dtype=(np.float64, np.float32), reset=False)
        return self._network.outputs(X)


class MLPClassifier(ClassifierMixin, _MLP):
    """A multi-layer perceptron that tells classes apart, by cross-entropy.

    Args:
        hidden_layer_sizes: features of each hidden layer.
        activation: "identity", "logistic", "tanh" or "relu".
        solver: "adam" or "sgd".
        alpha: the L2 penalty.
        batch_size: 200 at most with "auto".
        learning_rate: for "sgd": "constant", "invscaling" (over ``t ** power_t``) or "adaptive" (a fifth when the loss
            stays).
        learning_rate_init, power_t: of the rate.
        max_iter: passes over the data at most.
        shuffle: a new order in each pass.
        random_state: seeds the weights, the order and what is held out.
        tol, n_iter_no_change: training ends after so many passes without becoming better by ``tol``.
        verbose: print the loss of each pass.
        warm_start: ``fit`` goes on where the last one ended.
        momentum, nesterovs_momentum: of "sgd".
        early_stopping, validation_fraction: hold a part out, and end by its score; the best weights are kept.
        beta_1, beta_2, epsilon: of "adam".

    >>> import numpy as np
    >>> x = np.array([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
    >>> model = MLPClassifier((8,), "tanh", learning_rate_init=0.05, max_iter=500, random_state=0)
    >>> model.fit(x, [0, 1, 1, 0]).predict(x).tolist()
    [0, 1, 1, 0]
    """

    def _see(self, y: np.ndarray, first: bool) -> None:
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError("MLPClassifier: several outputs must be 0 and 1 each (multilabel)")
        found = unique_labels(y)
        if first:
            self.classes_: Any = self.__dict__.get("_given_classes", found)
            self._multilabel = kind == "multilabel-indicator"
        if len(np.setdiff1d(found, self.classes_)):
            raise ValueError(f"`y` has classes not in `self.classes_`: {self.classes_} has not all of {found}")
        n = len(self.classes_)
        self.out_activation_ = "logistic" if self._multilabel or n <= 2 else "softmax"
        self.n_outputs_ = n if self._multilabel or n > 2 else 1

    def _targets(self, y: Any, dtype: Any) -> np.ndarray:
        if self._multilabel:
            return np.ascontiguousarray(y, dtype)
        numbers: np.ndarray = np.asarray(np.searchsorted(self.classes_, y))
        return numbers.astype(np.int64) if self.out_activation_ == "softmax" else numbers.astype(dtype)[:, None]

    def _loss(self, out: Any, y: Any) -> Any:
        if self.out_activation_ == "softmax":
            return F.cross_entropy(out, y, reduction="none")
        return F.binary_cross_entropy_with_logits(out, y, reduction="none").sum(1)

    def _score(self, out: np.ndarray, y: np.ndarray, weight: Any) -> float:
        guess = out.argmax(1) if self.out_activation_ == "softmax" else (out > 0).astype(int)
        return float(accuracy_score(y.astype(int), guess, sample_weight=weight))

    def _check_partial(self) -> bool:
        return _trains_step_by_step(self)

    @available_if(_check_partial)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """One pass over some examples.

        Args:
            X, y, sample_weight: see ``fit``.
            classes: all there are; the first call may not leave them out.

        Raises:
            ValueError: it does, or they are others than at first.
        """
        first = not hasattr(self, "_network")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if first:
            self._given_classes = unique_labels(classes)
        elif classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(
                f"classes={classes!r} is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        try:
            return self._partial(X, y, sample_weight, first)
        finally:
            self.__dict__.pop("_given_classes", None)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each example, (n,), or 0 and 1 of each label, (n, labels)."""
        out = self._outputs(X)
        if self._multilabel:
            return (out > 0).astype(int)
        guess = out.argmax(1) if self.out_activation_ == "softmax" else (out[:, 0] > 0).astype(int)
        made: np.ndarray = self.classes_[np.minimum(guess, len(self.classes_) - 1)]
        return made

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of ``predict_proba``."""
        with np.errstate(divide="ignore"):
            made: np.ndarray = np.log(self.predict_proba(X))
        return made

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, (n, classes)."""
        out = self._outputs(X)
        if self.out_activation_ == "softmax":
            out = np.exp(out - out.max(1, keepdims=True))
            made: np.ndarray = out / out.sum(1, keepdims=True)
            return made
        p = 0.5 * (1.0 + np.tanh(0.5 * out))
        return p if self._multilabel else np.hstack([1 - p, p])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, _MLP):
    """A multi-layer perceptron that predicts numbers, by half the squared error.

    Args:
        loss: "squared_error".
        hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter,
            shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping,
            validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change: see ``MLPClassifier``.
    """

    def __init__(
        self, loss: str = "squared_error", hidden_layer_sizes: Any = (100,), activation: str = "relu", *,
        solver: str = "adam", alpha: float = 0.0001, batch_size: Any = "auto", learning_rate: str = "constant",
        learning_rate_init: float = 0.001, power_t: float = 0.5, max_iter: int = 200, shuffle: bool = True,
        random_state: Any = None, tol: float = 1e-4, verbose: bool = False, warm_start: bool = False,
        momentum: float = 0.9, nesterovs_momentum: bool = True, early_stopping: bool = False,
        validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
    ) -> None:  # fmt: skip
        super().__init__(
            hidden_layer_sizes, activation, solver=solver, alpha=alpha, batch_size=batch_size,
            learning_rate=learning_rate, learning_rate_init=learning_rate_init, power_t=power_t, max_iter=max_iter,
            shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
            momentum=momentum, nesterovs_momentum=nesterovs_momentum, early_stopping=early_stopping,
            validation_fraction=validation_fraction, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
        )  # fmt: skip
        self.loss = loss

    def _see(self, y: np.ndarray, first: bool) -> None:
        if self.loss != "squared_error":
            raise ValueError(f"MLPRegressor: loss must be 'squared_error', got {self.loss!r}")
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if first:
            self.n_outputs_, self._flat, self.out_activation_ = outputs, y.ndim == 1, "identity"
        elif outputs != self.n_outputs_:
            raise ValueError(f"MLPRegressor: y has {outputs} outputs, the network {self.n_outputs_}")

    def _targets(self, y: Any, dtype: Any) -> np.ndarray:
        return np.ascontiguousarray(y.reshape(len(y), -1), dtype)

    def _loss(self, out: Any, y: Any) -> Any:
        return 0.5 * (out - y).square().mean(1)

    def _score(self, out: np.ndarray, y: np.ndarray, weight: Any) -> float:
        if len(y) < 2:
            return -float(((out - y) ** 2).mean())
        return float(r2_score(y, out, sample_weight=weight))

    def _check_partial(self) -> bool:
        return _trains_step_by_step(self)

    @available_if(_check_partial)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One pass over some examples; arguments as of ``fit``."""
        return self._partial(X, y, sample_weight, not hasattr(self, "_network"))

    def predict(self, X: Any) -> np.ndarray:
        """The numbers, (n,) or (n, outputs)."""
        out = self._outputs(X)
        return out.ravel() if self._flat else out
