"""Optimizers with Keras's names, arguments, defaults and formulas, over ``nn.optim``."""

from __future__ import annotations

import math
from typing import Any

from .. import nn
from ..autograd import Tensor, no_grad
from .updates import RootMeanSquare, SumOfSquares, Supremum

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Nadam", "Optimizer", "RMSprop", "get"]


class Optimizer:
    """Base: holds the options until the model knows its parameters.

    Args:
        learning_rate: the size of a step; can be set later.
        weight_decay: the share of a weight, times the learning rate, that each step takes away.
        clipnorm: the largest norm of each gradient.
        clipvalue: the largest absolute element.
        global_clipnorm: the largest norm of all gradients together.
        name: shown for it.
        options: of the subclass.

    Raises:
        ValueError: more than one way to clip, or a negative learning rate.

    Attributes:
        inner: the ``nn.optim.Optimizer`` that moves the parameters, once built.
        iterations: the number of steps.
    """

    def __init__(
        self, learning_rate: float = 0.001, weight_decay: float | None = None, clipnorm: float | None = None,
        clipvalue: float | None = None, global_clipnorm: float | None = None, name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        what = type(self).__name__
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(f"{what}: give one of clipnorm, clipvalue and global_clipnorm only")
        if not isinstance(learning_rate, (int, float)) or learning_rate < 0:
            raise ValueError(
                f"{what}: learning_rate must be a number, at least 0, got {learning_rate!r}; for a schedule use "
                "callbacks.LearningRateScheduler"
            )
        self.name = name or what.lower()
        self._rate = float(learning_rate)
        self.weight_decay, self.clipnorm = weight_decay, clipnorm
        self.clipvalue, self.global_clipnorm = clipvalue, global_clipnorm
        self.options = options
        self.inner: nn.optim.Optimizer | None = None
        self.params: list[Tensor] = []
        self.iterations = 0

    @property
    def learning_rate(self) -> float:
        """The size of a step; can be set."""
        return self._rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._change(self._rate, float(value))
        self._rate = float(value)
        if self.inner is not None:
            for group in self.inner.param_groups:
                group["lr"] = self._rate

    lr = learning_rate

    def _change(self, old: float, new: float) -> None:
        """What else a new learning rate changes."""

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        """The optimizer underneath; every subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define make(params)")

    def build(self, params: list[Tensor]) -> None:
        """Take over the parameters, once."""
        if self.inner is None:
            self.params, self.inner = params, self.make(params)
        elif len(params) != len(self.params) or any(a is not b for a, b in zip(params, self.params, strict=True)):
            raise ValueError(
                f"this {type(self).__name__} already trains other weights; give each model an optimizer of its own, "
                "and compile anew after layers were added"
            )

    def step(self) -> None:
        """Clip the gradients, decay the weights, move them once."""
        assert self.inner is not None, "build(params) comes first"
        moved = [p for p in self.params if p.grad is not None]
        self._clip(moved)
        if self.weight_decay:
            with no_grad():
                for p in moved:
                    p.mul_(1.0 - self.weight_decay * self._rate)
        self._before()
        self.inner.step()
        self.iterations += 1

    def _before(self) -> None:
        """What a step needs first."""

    def _clip(self, moved: list[Tensor]) -> None:
        if self.clipvalue is not None:
            nn.utils.clip_grad_value_(moved, self.clipvalue)
        elif self.clipnorm is not None:
            for p in moved:
                _scale_down([p], self.clipnorm)
        elif self.global_clipnorm is not None:
            _scale_down(moved, self.global_clipnorm)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            "name": self.name, "learning_rate": self._rate, "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm, "clipvalue": self.clipvalue, "global_clipnorm": self.global_clipnorm,
            **self.options,
        }  # fmt: skip


def _scale_down(params: list[Tensor], limit: float) -> None:
    """Scale gradients to a norm of at most ``limit``, exactly (PyTorch's clipping stays 1e-6 below)."""
    norm = math.sqrt(sum(float(p.grad.square().sum().item()) for p in params if p.grad is not None))
    if norm > limit:
        with no_grad():
            for p in params:
                if p.grad is not None:
                    p.grad.mul_(limit / norm)


class SGD(Optimizer):
    """Gradient descent: ``v = momentum * v - learning_rate * g``, ``w += v``."""

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, **kwargs: Any
    ) -> None:
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must be in [0, 1], got {momentum!r}")
        super().__init__(learning_rate, momentum=momentum, nesterov=nesterov, **kwargs)

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        momentum = self.options["momentum"]
        return nn.optim.SGD(
            params, lr=self._rate, momentum=momentum, nesterov=bool(self.options["nesterov"] and momentum)
        )

    def _change(self, old: float, new: float) -> None:
        # Keras's velocity holds the learning rate, nn.optim's does not.
        for state in self.inner.state.values() if self.inner is not None and new else ():
            if state.get("momentum_buffer") is not None:
                state["momentum_buffer"].mul_(old / new)


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean square (Hinton, 2012)."""

    def __init__(
        self, learning_rate: float = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
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

    def __init__(
        self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
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

    def __init__(self, learning_rate: float = 0.001, weight_decay: float = 0.004, **kwargs: Any) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)


class Adamax(Optimizer):
    """Adam with the largest gradient in place of the root (Kingma and Ba, 2015)."""

    def __init__(
        self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, **kwargs)

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        o = self.options
        return Supremum(params, self._rate, (o["beta_1"], o["beta_2"]), o["epsilon"])


class Nadam(Optimizer):
    """Adam with Nesterov's momentum (Dozat, 2016); the momentum's schedule is 0.96**t."""

    def __init__(
        self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
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

    def __init__(
        self, learning_rate: float = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, **kwargs: Any
    ) -> None:
        super().__init__(
            learning_rate, initial_accumulator_value=initial_accumulator_value, epsilon=epsilon, **kwargs
        )  # fmt: skip

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        return SumOfSquares(params, self._rate, self.options["initial_accumulator_value"], self.options["epsilon"])


class Adadelta(Optimizer):
    """Steps by the ratio of two running mean squares (Zeiler, 2012)."""

    def __init__(self, learning_rate: float = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(learning_rate, rho=rho, epsilon=epsilon, **kwargs)

    def make(self, params: list[Tensor]) -> nn.optim.Optimizer:
        return nn.optim.Adadelta(params, lr=self._rate, rho=self.options["rho"], eps=self.options["epsilon"])


_NAMES = {c.__name__.lower(): c for c in (SGD, RMSprop, Adam, AdamW, Adamax, Nadam, Adagrad, Adadelta)}


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
