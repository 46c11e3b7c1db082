"""What the multi-layer perceptrons share: the network, its passes over the data, when to stop."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, shuffle

from .. import nn
from ..autograd import Tensor, no_grad
from ..autograd.ops.create import tensor

__all__ = ["Network", "check_options"]

ACTIVATIONS: dict[str, Any] = {"identity": nn.Identity, "logistic": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
# The numerator under the root of the bound of Glorot and Bengio (2010), 6 for the others.
_GAIN = {"logistic": 2.0}


def check_options(estimator: Any) -> None:
    """Refuse options outside their range.

    Raises:
        ValueError: so; it names the option.
    """
    name = type(estimator).__name__

    def need(holds: bool, option: str, what: str) -> None:
        if not holds:
            raise ValueError(f"{name}: {option} must be {what}, got {getattr(estimator, option)!r}")

    sizes = np.atleast_1d(np.asarray(estimator.hidden_layer_sizes, dtype=np.int64))
    need(bool((sizes > 0).all()), "hidden_layer_sizes", "positive integers")
    need(estimator.activation in ACTIVATIONS, "activation", f"one of {', '.join(ACTIVATIONS)}")
    need(estimator.solver in ("adam", "sgd"), "solver", "'adam' or 'sgd'")
    need(estimator.learning_rate in ("constant", "invscaling", "adaptive"), "learning_rate",
         "'constant', 'invscaling' or 'adaptive'")  # fmt: skip
    need(estimator.alpha >= 0, "alpha", "at least 0")
    need(estimator.learning_rate_init > 0, "learning_rate_init", "above 0")
    need(estimator.max_iter >= 1, "max_iter", "at least 1")
    need(estimator.n_iter_no_change >= 1, "n_iter_no_change", "at least 1")
    need(0 < estimator.validation_fraction < 1, "validation_fraction", "in (0, 1)")
    need(estimator.batch_size == "auto" or estimator.batch_size > 0, "batch_size", "'auto' or at least 1")
    for option in ("momentum", "beta_1", "beta_2"):
        need(0 <= getattr(estimator, option) < (1 if option != "momentum" else 1.0001), option, "in [0, 1)")


class Network:
    """A network in training: modules, optimizer, and what decides about the end.

    Args:
        estimator: whose options count.
        sizes: features of the input, of each hidden layer, and of the output.
        dtype: NumPy's, of the numbers.
    """

    def __init__(self, estimator: Any, sizes: list[int], dtype: Any, random: np.random.RandomState) -> None:
        self.activation = estimator.activation
        self.dtype = np.dtype(dtype)
        self.linears = [nn.Linear(a, b).to(tensor(np.zeros(1, dtype)).dtype) for a, b in pairwise(sizes)]
        with no_grad():
            for layer in self.linears:
                rows, columns = layer.weight.shape
                bound = np.sqrt(_GAIN.get(self.activation, 6.0) / (rows + columns))
                # In scikit-learn's layout and order: the same random_state starts from the same weights.
                layer.weight.copy_(tensor(random.uniform(-bound, bound, (columns, rows)).T.astype(dtype, order="C")))
                layer.bias.copy_(tensor(random.uniform(-bound, bound, rows).astype(dtype)))
        self.model = self._stack()
        self.epsilon, self.steps = estimator.epsilon, 0
        self.optimizer = self._make_optimizer(estimator)

    def _stack(self) -> nn.Sequential:
        layers: list[Any] = []
        for layer in self.linears:
            layers += [layer, ACTIVATIONS[self.activation]()]
        return nn.Sequential(*layers[:-1])

    def _make_optimizer(self, e: Any) -> Any:
        params = [p for layer in self.linears for p in (layer.weight, layer.bias)]
        if e.solver == "adam":
            return nn.optim.Adam(params, lr=e.learning_rate_init, betas=(e.beta_1, e.beta_2), eps=e.epsilon)
        return nn.optim.SGD(
            params, lr=e.learning_rate_init, momentum=e.momentum, nesterov=bool(e.nesterovs_momentum and e.momentum)
        )

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """What the last layer gives."""
        with no_grad():
            out: np.ndarray = self.model(tensor(np.ascontiguousarray(x, self.dtype))).numpy()
        return out

    def arrays(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Copies of the weights as scikit-learn lays them out, (in, out), and of the biases."""
        weights = [layer.weight.detach().numpy().T.copy() for layer in self.linears]
        return weights, [layer.bias.detach().numpy().copy() for layer in self.linears]

    def put(self, weights: list[np.ndarray], biases: list[np.ndarray]) -> None:
        """Set weights and biases."""
        with no_grad():
            for layer, w, b in zip(self.linears, weights, biases, strict=True):
                layer.weight.copy_(tensor(np.ascontiguousarray(w.T)))
                layer.bias.copy_(tensor(b))

    def step(self, loss: Any, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, alpha: float) -> float:
        """One step on one batch; returns its loss with the penalty."""
        self.optimizer.zero_grad()
        values: Tensor = loss(self.model(tensor(x)), tensor(y))
        if weight is None:
            value = values.mean()
        else:
            value = (values * tensor(weight)).sum() / max(float(weight.sum()), 1e-30)
        if alpha:
            squares = [(layer.weight * layer.weight).sum() for layer in self.linears]
            value = value + (0.5 * alpha / len(x)) * sum(squares[1:], start=squares[0])
        value.backward()
        self._before_step()
        self.optimizer.step()
        return float(value.item())

    def _before_step(self) -> None:
        """Have Adam's epsilon added before the second mean is corrected for its start, as scikit-learn does."""
        self.steps += 1
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["eps"] = self.epsilon / np.sqrt(1.0 - group["betas"][1] ** self.steps)

    # Passes

    def train(
        self, e: Any, x: np.ndarray, y: np.ndarray, weight: Any, held: Any, passes: int, random: np.random.RandomState
    ) -> None:
        """Pass over the data until the loss, or the score on held-out data, stops becoming better.

        Args:
            e: the estimator; its ``loss_curve_`` and the like are kept.
            x, y: (n, features) and targets as the loss takes them.
            weight: (n,) or None.
            held: None, or the function that scores held-out data.
            passes: at most.
            random: orders the examples.
        """
        n = len(x)
        size = min(200, n) if e.batch_size == "auto" else min(int(e.batch_size), n)
        order = np.arange(n)
        for _ in range(passes):
            order = shuffle(order, random_state=random) if e.shuffle else order
            total = 0.0
            for start in range(0, n, size):
                part = order[start : start + size]
                loss = self.step(e._loss, x[part], y[part], None if weight is None else weight[part], e.alpha)
                total += loss * len(part)
            e.n_iter_ += 1
            e.t_ += n
            e.loss_ = total / n
            e.loss_curve_.append(e.loss_)
            if e.verbose:
                print(f"Iteration {e.n_iter_}, loss = {e.loss_:.8f}")
            if not np.isfinite(e.loss_):
                raise ValueError(
                    f"{type(e).__name__}: the loss is {e.loss_} in pass {e.n_iter_}; lower learning_rate_init"
                )
            self._look(e, held)
            if e.solver == "sgd" and e.learning_rate == "invscaling":
                self._set_rate(e.learning_rate_init / (e.t_ + 1) ** e.power_t)
            if e._no_improvement > e.n_iter_no_change and not self._go_on(e):
                break
        else:
            if passes > 1:
                warnings.warn(
                    f"{type(e).__name__}: {passes} passes (max_iter) are over, and the training has not converged",
                    ConvergenceWarning, stacklevel=4,
                )  # fmt: skip

    def _look(self, e: Any, held: Any) -> None:
        """Count the passes without improvement, and keep the best weights of early stopping."""
        if held is not None:
            score = held(self)
            e.validation_scores_.append(score)
            better = score >= e.best_validation_score_ + e.tol
            if score > e.best_validation_score_:
                e.best_validation_score_, e._best = score, self.arrays()
        else:
            better = e.loss_ <= e.best_loss_ - e.tol
            e.best_loss_ = min(e.best_loss_, e.loss_)
        e._no_improvement = 0 if better else e._no_improvement + 1

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _go_on(self, e: Any) -> bool:
        """Whether an adaptive rate can be lowered once more."""
        rate = self.optimizer.param_groups[0]["lr"]
        if e.solver != "sgd" or e.learning_rate != "adaptive" or rate <= 1e-6:
            return False
        self._set_rate(rate / 5)
        e._no_improvement = 0
        return True


def random_of(estimator: Any) -> np.random.RandomState:
    """The generator of an estimator's ``random_state``."""
    made: np.random.RandomState = check_random_state(estimator.random_state)
    return made
