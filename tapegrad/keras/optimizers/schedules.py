"""Learning rates that follow the number of steps."""

from __future__ import annotations

import math
from typing import Any

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "get",
]  # fmt: skip


class LearningRateSchedule:
    """Base: a subclass defines ``__call__(step)``, which gives the learning rate of a step, the first being 0.

    Args:
        config: the arguments, which ``get_config`` gives back.
    """

    def __init__(self, **config: Any) -> None:
        self.config = config

    def __call__(self, step: int) -> float:
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(step)")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return dict(self.config)


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate**(step / decay_steps)``.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: in how many steps it becomes ``decay_rate`` times as large.
        decay_rate: that factor.
        staircase: by whole ``decay_steps`` only.
        name: shown for it.
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:  # fmt: skip
        super().__init__(initial_learning_rate=initial_learning_rate, decay_steps=decay_steps, decay_rate=decay_rate,
                         staircase=staircase, name=name)  # fmt: skip

    def _time(self, step: int) -> float:
        time = step / self.config["decay_steps"]
        return math.floor(time) if self.config["staircase"] else time

    def __call__(self, step: int) -> float:
        return float(self.config["initial_learning_rate"] * self.config["decay_rate"] ** self._time(step))


class InverseTimeDecay(ExponentialDecay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; arguments as of ``ExponentialDecay``."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:  # fmt: skip
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: int) -> float:
        return float(self.config["initial_learning_rate"] / (1 + self.config["decay_rate"] * self._time(step)))


class PiecewiseConstantDecay(LearningRateSchedule):
    """The first of ``values`` up to the first of ``boundaries``, the second up to the second ….

    Args:
        boundaries: steps, rising.
        values: one more of them.
        name: shown for it.

    Raises:
        ValueError: other numbers of them.
    """

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant") -> None:
        super().__init__(boundaries=list(boundaries), values=list(values), name=name)
        if len(self.config["values"]) != len(self.config["boundaries"]) + 1:
            raise ValueError(
                f"PiecewiseConstantDecay: needs one more value than boundaries, got {len(self.config['values'])} and "
                f"{len(self.config['boundaries'])}"
            )

    def __call__(self, step: int) -> float:
        return float(self.config["values"][sum(step > boundary for boundary in self.config["boundaries"])])


class PolynomialDecay(LearningRateSchedule):
    """From the first rate to the last one by ``(1 - step / decay_steps)**power``.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: after these steps it is ``end_learning_rate``.
        end_learning_rate: the last rate.
        power: 1 for a straight line.
        cycle: rise again and fall for longer each time.
        name: shown for it.
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, end_learning_rate: float = 0.0001, power: float = 1.0,
        cycle: bool = False, name: str = "PolynomialDecay",
    ) -> None:  # fmt: skip
        super().__init__(initial_learning_rate=initial_learning_rate, decay_steps=decay_steps,
                         end_learning_rate=end_learning_rate, power=power, cycle=cycle, name=name)  # fmt: skip

    def __call__(self, step: int) -> float:
        c = self.config
        length = c["decay_steps"] * (max(1, math.ceil(step / c["decay_steps"])) if c["cycle"] else 1)
        left = 1 - min(step, length) / length
        return float((c["initial_learning_rate"] - c["end_learning_rate"]) * left ** c["power"]
                     + c["end_learning_rate"])  # fmt: skip


class CosineDecay(LearningRateSchedule):
    """Half a wave of the cosine downward, after a straight rise (Loshchilov and Hutter, 2017).

    Args:
        initial_learning_rate: at step 0.
        decay_steps: how many steps the fall takes.
        alpha: the last rate, as a share of the highest one.
        name: shown for it.
        warmup_target: the highest rate; None for no rise.
        warmup_steps: how many steps the rise takes.
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, alpha: float = 0.0, name: str = "CosineDecay",
        warmup_target: float | None = None, warmup_steps: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(initial_learning_rate=initial_learning_rate, decay_steps=decay_steps, alpha=alpha, name=name,
                         warmup_target=warmup_target, warmup_steps=warmup_steps)  # fmt: skip

    def __call__(self, step: int) -> float:
        c = self.config
        first, top, rise = c["initial_learning_rate"], c["warmup_target"], c["warmup_steps"]
        if top is None:
            return float(first * _wave(min(step / c["decay_steps"], 1.0), c["alpha"]))
        if step < rise:
            return float(first + (top - first) * step / rise)
        return float(top * _wave(min((step - rise) / c["decay_steps"], 1.0), c["alpha"]))


def _wave(done: float, alpha: float) -> float:
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * done)) + alpha


class CosineDecayRestarts(LearningRateSchedule):
    """``CosineDecay`` again and again (Loshchilov and Hutter, 2017).

    Args:
        initial_learning_rate: at step 0.
        first_decay_steps: how many steps the first fall takes.
        t_mul: each fall takes so many times the steps of the one before.
        m_mul: and begins at so many times its rate.
        alpha: the last rate, as a share of the first one.
        name: shown for it.
    """

    def __init__(
        self, initial_learning_rate: float, first_decay_steps: float, t_mul: float = 2.0, m_mul: float = 1.0,
        alpha: float = 0.0, name: str = "SGDRDecay",
    ) -> None:  # fmt: skip
        super().__init__(initial_learning_rate=initial_learning_rate, first_decay_steps=first_decay_steps, t_mul=t_mul,
                         m_mul=m_mul, alpha=alpha, name=name)  # fmt: skip

    def __call__(self, step: int) -> float:
        c = self.config
        length, rate, rest = float(c["first_decay_steps"]), float(c["initial_learning_rate"]), float(step)
        while rest >= length:
            rest, length, rate = rest - length, length * c["t_mul"], rate * c["m_mul"]
        return rate * _wave(rest / length, c["alpha"])


def get(entry: dict[str, Any]) -> LearningRateSchedule:
    """The schedule that was saved as its class's name and its arguments.

    Raises:
        ValueError: an unknown class.
    """
    cls = globals().get(entry["class_name"]) if entry["class_name"] in __all__ else None
    if not isinstance(cls, type):
        raise ValueError(f"unknown learning rate schedule {entry['class_name']!r}")
    made: LearningRateSchedule = cls(**entry["config"])
    return made
