"""The perceptron: a neuron with a step, and the rule that trains it without a gradient."""

from __future__ import annotations

import warnings
from typing import Any

from ..autograd import Tensor, no_grad
from ..autograd.ops.create import tensor
from ..autograd.ops.factories import zeros
from .module import Module

__all__ = ["Perceptron"]


class Perceptron(Module):
    """Rosenblatt's perceptron (1958): 1 where ``x @ weight + bias`` is positive, else 0.

    The step has no useful slope, so it is not trained by gradients but by its own rule: for each example that it gets
    wrong, ``weight += lr * (target - output) * x``. Where a straight line separates the classes the rule ends after
    finitely many mistakes (Novikoff, 1962); where none does (XOR), it never ends, and ``fit`` says so.

    Args:
        in_features: size of the last dimension of the input, at least 1.

    Raises:
        ValueError: ``in_features`` is less than 1.

    Attributes:
        weight: (in_features,), zeros at first. bias: (), zero at first.
        converged: after ``fit``, whether a whole pass went by without a mistake.
        mistakes: after ``fit``, the number of mistakes of each pass.

    >>> x = tensor([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
    >>> Perceptron(2).fit(x, tensor([0, 0, 0, 1])).predict(x).tolist()
    [0, 0, 0, 1]
    """

    def __init__(self, in_features: int) -> None:
        super().__init__()
        if in_features < 1:
            raise ValueError(f"Perceptron: in_features must be at least 1, got {in_features}")
        self.in_features = in_features
        self.register_buffer("weight", zeros(in_features))
        self.register_buffer("bias", zeros(()))
        self.converged = False
        self.mistakes: list[int] = []

    def decision_function(self, x: Tensor) -> Tensor:
        """``x @ weight + bias``: positive on the side of class 1.

        Args:
            x: (..., in_features).

        Returns:
            (...).
        """
        return x @ self.weight + self.bias

    def forward(self, x: Tensor) -> Tensor:
        """The step of the decision function: 1.0 or 0.0."""
        return (self.decision_function(x) > 0).to(x.dtype)

    def predict(self, x: Tensor) -> Tensor:
        """The classes, 0 or 1, as int64."""
        return (self.decision_function(x) > 0).long()

    def fit(self, x: Any, y: Any, epochs: int = 100, lr: float = 1.0) -> Perceptron:
        """Learn by the perceptron rule, example by example.

        Args:
            x: (n, in_features).
            y: (n,), classes 0 and 1.
            epochs: passes over the examples at most.
            lr: the size of a correction.

        Returns:
            The perceptron itself. A warning says when no pass was without a mistake.

        Raises:
            ValueError: no examples, shapes that do not fit, or classes other than 0 and 1.
        """
        x = x if isinstance(x, Tensor) else tensor(x)
        y = (y if isinstance(y, Tensor) else tensor(y)).to(self.weight.dtype)
        if x.ndim != 2 or x.shape[1] != self.in_features or y.shape != (x.shape[0],):
            raise ValueError(
                f"Perceptron.fit: x must be (n, {self.in_features}) and y (n,), got {list(x.shape)} and {list(y.shape)}"
            )
        if not x.shape[0]:
            raise ValueError("Perceptron.fit: there are no examples to learn from")
        if not set(y.tolist()) <= {0.0, 1.0}:
            raise ValueError(f"Perceptron.fit: the classes must be 0 and 1, got {sorted(set(y.tolist()))}")
        self.converged, self.mistakes = False, []
        with no_grad():
            for _ in range(epochs):
                wrong = 0
                for row, target in zip(x.to(self.weight.dtype), y, strict=True):
                    error = target - self.forward(row)
                    if error.item() != 0:
                        wrong += 1
                        self.weight += lr * error * row
                        self.bias += lr * error
                self.mistakes.append(wrong)
                if not wrong:
                    self.converged = True
                    return self
        warnings.warn(
            f"Perceptron.fit: still {self.mistakes[-1]} mistakes in pass {epochs}; "
            "perhaps no straight line separates the classes (as for XOR): an MLP can",
            stacklevel=2,
        )
        return self

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}"
