"""What optimizers share: options, clipping, decay, and the learning rate."""

from __future__ import annotations

import math
from typing import Any

from ... import nn
from ...autograd import Tensor, no_grad
from . import schedules

__all__ = ["Optimizer"]

# Options of Keras that are not possible here, with the values that say no more than their absence.
_ABSENT: dict[str, tuple[Any, ...]] = {
    "use_ema": (False,), "ema_momentum": (0.99, None), "ema_overwrite_frequency": (None,),
    "loss_scale_factor": (None,), "gradient_accumulation_steps": (None, 1),
}  # fmt: skip


class Optimizer:
    """Base: holds the options until the model knows its parameters.

    Args:
        learning_rate: the size of a step, or one of ``schedules``; can be set later.
        weight_decay: the share of a weight, times the learning rate, that each step takes away.
        clipnorm: the largest norm of each gradient.
        clipvalue: the largest absolute element.
        global_clipnorm: the largest norm of all gradients together.
        name: shown for it.
        options: of the subclass, named in its ``own``.

    Raises:
        ValueError: an unknown option, more than one way to clip, or a negative learning rate.

    Attributes:
        inner: the ``nn.optim.Optimizer`` that moves the parameters, once built.
        iterations: the number of steps.
    """

    own: tuple[str, ...] = ()

    def __init__(
        self, learning_rate: Any = 0.001, weight_decay: float | None = None, clipnorm: float | None = None,
        clipvalue: float | None = None, global_clipnorm: float | None = None, name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        what = type(self).__name__
        for key in [key for key in options if key in _ABSENT]:
            if options.pop(key) not in _ABSENT[key]:
                raise ValueError(f"{what}: {key} is not possible here; leave it out")
        unknown = [key for key in options if key not in self.own]
        if unknown:
            raise ValueError(
                f"{what}: unknown argument {unknown[0]!r}; it takes learning_rate, {', '.join((*self.own, ''))}"
                "weight_decay, clipnorm, clipvalue, global_clipnorm and name"
            )
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(f"{what}: give one of clipnorm, clipvalue and global_clipnorm only")
        self.name = name or what.lower()
        self.weight_decay, self.clipnorm = weight_decay, clipnorm
        self.clipvalue, self.global_clipnorm = clipvalue, global_clipnorm
        self.options = options
        self.inner: nn.optim.Optimizer | None = None
        self.params: list[Tensor] = []
        self.iterations = 0
        self._schedule: schedules.LearningRateSchedule | None = None
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> float:
        """The size of a step; can be set, to a number or a schedule."""
        return self._rate if self._schedule is None else float(self._schedule(self.iterations))

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, dict):
            value = schedules.get(value)
        if isinstance(value, schedules.LearningRateSchedule):
            self._schedule, value = value, value(self.iterations)
        else:
            self._schedule = None
        try:
            rate = float(value)
        except (TypeError, ValueError):
            rate = -1.0
        if not rate >= 0:
            raise ValueError(
                f"{type(self).__name__}: learning_rate must be a number, at least 0, or one of optimizers.schedules, "
                f"got {value!r}"
            )
        self._set(rate)

    lr = learning_rate

    def _set(self, rate: float) -> None:
        self._rate = rate
        if self.inner is not None:
            for group in self.inner.param_groups:
                group["lr"] = rate

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
        if self._schedule is not None:
            self._set(float(self._schedule(self.iterations)))
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
        schedule = self._schedule
        rate: Any = self._rate
        if schedule is not None:
            rate = {"class_name": type(schedule).__name__, "config": schedule.get_config()}
        return {
            "name": self.name, "learning_rate": rate, "weight_decay": self.weight_decay,
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
