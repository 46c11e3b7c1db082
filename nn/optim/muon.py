"""Muon."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor, no_grad
from ...backends import dtypes
from .checks import check_lr
from .optimizer import Optimizer

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum made orthogonal before each step, for matrices (Jordan et al., 2024).

    Args:
        params: tensors or groups, real matrices.
        lr: learning rate.
        weight_decay: the share of a parameter, times ``lr``, that each step takes away.
        momentum: how much of the running mean of the gradient is kept.
        nesterov: look ahead along the momentum.
        ns_coefficients: those of the polynomial of degree five that the singular values go through.
        eps: the smallest norm to divide by.
        ns_steps: how often the polynomial is applied, below 100.
        adjust_lr_fn: how the learning rate follows from the shape (A, B): ``"original"`` (the default) times
            sqrt(max(1, A / B)), ``"match_rms_adamw"`` times 0.2 sqrt(max(A, B)).

    Raises:
        ValueError: an option out of range, or a parameter that is not a matrix. RuntimeError (at the step): complex
            parameters.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
        nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_lr(lr, "Learning rate should be >= 0 but is: {lr}")
        if not momentum >= 0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Adjust learning rate function {adjust_lr_fn} is not supported; "
                "it must be 'original' or 'match_rms_adamw'"
            )
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        })  # fmt: skip
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}"
                    )

    @no_grad()
    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        if moved[0].is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        lr, keep = float(group["lr"]), group["momentum"]
        self._slot(moved, "momentum_buffer")
        for p in moved:
            grad: Any = p.grad
            mean = self.state[p]["momentum_buffer"].lerp_(grad, 1 - keep)
            step = grad.lerp(mean, keep) if group["nesterov"] else mean
            step = _orthogonal(step, group["ns_coefficients"], group["ns_steps"], group["eps"])
            p.mul_(1 - lr * group["weight_decay"])
            p.add_(step.to(p.dtype), alpha=-lr * _ratio(group["adjust_lr_fn"], *p.shape))


def _ratio(kind: str | None, rows: int, columns: int) -> float:
    return 0.2 * math.sqrt(max(rows, columns)) if kind == "match_rms_adamw" else math.sqrt(max(1, rows / columns))


def _orthogonal(x: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """The nearest orthogonal matrix, nearly, by Newton and Schulz's iteration: float32 holding bfloat16's values."""
    if steps >= 100:
        raise ValueError(f"Number of steps must be less than 100 for computational efficiency, but is {steps}")
    if len(coefficients) != 3:
        raise ValueError(f"Coefficients must be a tuple of exactly 3 values, but are {coefficients}")
    a, b, c = coefficients
    tall = x.size(0) > x.size(1)
    y = _rounded(x.T if tall else x)
    y = _rounded(y / _rounded(y.norm()).clamp(min=eps))
    for _ in range(steps):
        gram = _rounded(y @ y.T)
        turn = _rounded(gram * b + (gram @ gram) * c)
        y = _rounded(y * a + turn @ y)
    return y.T if tall else y


def _rounded(x: Tensor) -> Tensor:
    """As bfloat16 rounds, in a type whose products are fast."""
    return x.to(dtypes.of("bfloat16")).to(dtypes.of("float32"))
