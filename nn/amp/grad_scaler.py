"""Gradients scaled up so that float16 holds them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor, no_grad
from ...backends import cuda
from ..optim.optimizer import Optimizer
from ..warn import users_line

__all__ = ["GradScaler"]

READY, UNSCALED, STEPPED = "ready", "unscaled", "stepped"


class GradScaler:
    """Multiplies a loss by a factor, divides gradients by it, and leaves a step out where they are not finite.

    The factor grows after ``growth_interval`` steps with finite gradients, and shrinks after a step without.

    Args:
        device: ``"cuda"`` (disabled, with a warning, where there is none) or ``"cpu"``.
        init_scale: the first factor.
        growth_factor: above 1.
        backoff_factor: below 1.
        growth_interval: in steps.
        enabled: False lets every method do nothing but the optimizer's step.
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        if enabled and device == "cuda" and not cuda.is_available():
            warnings.warn(
                "cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                UserWarning,
                stacklevel=users_line(),
            )
            enabled = False
        if enabled and growth_factor <= 1.0:
            raise AssertionError(f"The growth factor must be > 1.0. It is {growth_factor}")
        if enabled and backoff_factor >= 1.0:
            raise AssertionError(f"The backoff factor must be < 1.0. It is {backoff_factor}")
        self._device, self._enabled = device, enabled
        self._scale = float(init_scale)
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._used = False
        # id of an optimizer -> its stage since the last update, and whether its gradients were finite
        self._stages: dict[int, tuple[str, bool]] = {}

    def scale(self, outputs: Any) -> Any:
        """A tensor, or several, times the factor."""
        if not self._enabled:
            return outputs
        self._used = True
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            made = [self.scale(v) for v in outputs]
            return type(outputs)(made) if isinstance(outputs, (list, tuple)) else iter(made)
        raise ValueError(f"outputs must be a Tensor or an iterable of Tensors, not {type(outputs).__name__}")

    def _check_used(self, what: str) -> None:
        if not self._used:
            raise AssertionError(
                f"Attempted {what} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )

    @no_grad()
    def _unscale(self, optimizer: Optimizer) -> bool:
        """Divide the gradients by the factor; returns whether all are finite."""
        finite, inverse = True, 1 / self._scale
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if p.grad.dtype.name == "float16":
                    raise ValueError("Attempting to unscale FP16 gradients.")
                finite = bool(p.grad.isfinite().all()) and finite
                p.grad.mul_(inverse)
        return finite

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients of an optimizer by the factor now, to look at them or clip them before the step.

        Raises:
            RuntimeError: done already since the last `update`. ValueError: gradients of float16.
        """
        if not self._enabled:
            return
        self._check_used("unscale_")
        stage, _ = self._stages.get(id(optimizer), (READY, True))
        if stage == UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if stage == STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        self._stages[id(optimizer)] = UNSCALED, self._unscale(optimizer)

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """The optimizer's step, unless a gradient is not finite.

        Returns:
            What the optimizer's step returns, or None.

        Raises:
            RuntimeError: a closure, or a second step since the last `update`.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_used("step")
        stage, _ = self._stages.get(id(optimizer), (READY, True))
        if stage == STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if stage == READY:
            self.unscale_(optimizer)
        finite = self._stages[id(optimizer)][1]
        if not any(p.grad is not None for group in optimizer.param_groups for p in group["params"]):
            raise AssertionError("No inf checks were recorded for this optimizer.")
        made = optimizer.step(*args, **kwargs) if finite else None
        self._stages[id(optimizer)] = STEPPED, finite
        return made

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Change the factor for the next iteration, or set it."""
        if not self._enabled:
            return
        self._check_used("update")
        if new_scale is not None:
            if isinstance(new_scale, Tensor) and (new_scale.numel() != 1 or new_scale.requires_grad):
                raise AssertionError(
                    "new_scale should be a float or a tensor of one element with requires_grad=False, not "
                    f"{tuple(new_scale.shape)}"
                )
            self._scale = float(new_scale)
        elif not self._stages:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif all(finite for _, finite in self._stages.values()):
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        else:
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        self._stages = {}

    def get_scale(self) -> float:
        """The present factor; 1 where disabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """By how much the factor grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Choose by how much the factor grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By how much the factor shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Choose by how much the factor shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many finite steps the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Choose after how many finite steps the factor grows."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Factor, options and the number of finite steps; nothing where disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale, "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave.

        Raises:
            RuntimeError: an empty state.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]
