"""The optimizers by name."""

from __future__ import annotations

import math
from typing import Any

from ... import nn
from ...autograd import Tensor
from .base import Optimizer
from .updates import RootMeanSquare, Sign, SumOfSquares, Supremum, Velocity

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "Nadam", "RMSprop", "get"]


class SGD(Optimizer):
    """Gradient descent: ``v = momentum * v - learning_rate * g``, ``w += v``."""

    own = ("momentum", "nesterov")

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **kwargs: Any) -> None:
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must be in [0, 1], got {momentum!r}")
        super().__init__(learning_rate, momentum=momentum, nesterov=nesterov, **kwargs)

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        if not self.options["momentum"]:
            return nn.optim.SGD(params, lr=self._rate)
        return Velocity(params, self._rate, self.options["momentum"], self.options["nesterov"])


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean square (Hinton, 2012)."""

    own = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
        centered: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            learning_rate, rho=rho, momentum=momentum, epsilon=epsilon, centered=centered, **kwargs
        )  # fmt: skip

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        o = self.options
        return RootMeanSquare(params, self._rate, o["rho"], o["momentum"], o["epsilon"], o["centered"])


class Adam(Optimizer):
    """Steps by running means of the gradient and its square (Kingma and Ba, 2015).

    Epsilon is the paper's "epsilon hat", added before the second mean is corrected for its start.
    """

    own = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        amsgrad: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, amsgrad=amsgrad, **kwargs
        )  # fmt: skip

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        o = self.options
        return nn.optim.Adam(
            params, lr=self._rate, betas=(o["beta_1"], o["beta_2"]), eps=o["epsilon"], amsgrad=o["amsgrad"]
        )

    def _before(self) -> None:
        assert self.inner is not None
        corrected = math.sqrt(1.0 - self.options["beta_2"] ** (self.iterations + 1))
        self.inner.param_groups[0]["eps"] = self.options["epsilon"] / corrected


class AdamW(Adam):
    """Adam with decay of the weights themselves (Loshchilov and Hutter, 2019)."""

    def __init__(
        self, learning_rate: Any = 0.001, weight_decay: float = 0.004, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-7, amsgrad: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)


class Adamax(Optimizer):
    """Adam with the largest gradient in place of the root (Kingma and Ba, 2015)."""

    own = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, **kwargs)

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        o = self.options
        return Supremum(params, self._rate, (o["beta_1"], o["beta_2"]), o["epsilon"])


class Nadam(Optimizer):
    """Adam with Nesterov's momentum (Dozat, 2016); the momentum's schedule is 0.96**t."""

    own = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, **kwargs)

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        o = self.options
        return nn.optim.NAdam(
            params, lr=self._rate, betas=(o["beta_1"], o["beta_2"]), eps=o["epsilon"], momentum_decay=1.0
        )


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squares (Duchi et al., 2011)."""

    own = ("initial_accumulator_value", "epsilon")

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, **kwargs: Any
    ) -> None:
        super().__init__(
            learning_rate, initial_accumulator_value=initial_accumulator_value, epsilon=epsilon, **kwargs
        )  # fmt: skip

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        return SumOfSquares(params, self._rate, self.options["initial_accumulator_value"], self.options["epsilon"])


class Adadelta(Optimizer):
    """Steps by the ratio of two running mean squares (Zeiler, 2012)."""

    own = ("rho", "epsilon")

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(learning_rate, rho=rho, epsilon=epsilon, **kwargs)

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        return nn.optim.Adadelta(params, lr=self._rate, rho=self.options["rho"], eps=self.options["epsilon"])


class Lion(Optimizer):
    """Steps of one size by the sign of a running mean (Chen et al., 2023)."""

    own = ("beta_1", "beta_2")

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **kwargs: Any) -> None:
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, **kwargs)

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        return Sign(params, self._rate, (self.options["beta_1"], self.options["beta_2"]))


_NAMES = {c.__name__.lower(): c for c in (SGD, RMSprop, Adam, AdamW, Adamax, Nadam, Adagrad, Adadelta, Lion)}


def get(identifier: Any) -> Optimizer:
    """An optimizer by its name in any case, from its saved form, or as it is.

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return _NAMES[identifier["class_name"].lower()](**identifier["config"])
    if isinstance(identifier, type):
        made: Optimizer = identifier()
        return made
    if not isinstance(identifier, str) or identifier.lower() not in _NAMES:
        raise ValueError(
            f"unknown optimizer {identifier!r}; use one of {', '.join(_NAMES)}, or one of tapegrad.keras.optimizers"
        )
    return _NAMES[identifier.lower()]()
