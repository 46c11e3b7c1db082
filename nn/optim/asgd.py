"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Gradient descent that keeps the average of its parameters, as state ``"ax"`` (Polyak and Juditsky, 1992).

    Args:
        params: tensors or groups.
        lr: learning rate of the first step.
        lambd: how fast the learning rate falls.
        alpha: the power with which it falls.
        t0: the step from which on parameters are averaged.
        weight_decay: the L2 penalty.
        maximize: go up rather than down.
        foreach, capturable: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: ``differentiable``.
    """

    _numbers = ("step", "eta", "mu")

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_switches("ASGD", foreach, None, differentiable)
        check_lr(lr)
        check_range("weight_decay value", weight_decay)
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        lr, shrink = float(group["lr"]), group["lambd"]
        steps, states = self._count(moved), [self.state[p] for p in moved]
        rates = [s.setdefault("eta", lr) for s in states]
        weights = [s.setdefault("mu", 1.0) for s in states]
        means = self._slot(moved, "ax")
        backend, params, grads = raw(moved)
        backend.asgd_update(
            params, grads, means, rates, weights, shrink, group["weight_decay"], group["maximize"]
        )  # fmt: skip
        for s, n in zip(states, steps, strict=True):
            s["eta"] = lr / (1 + shrink * lr * n) ** group["alpha"]
            s["mu"] = 1 / max(1, n - group["t0"])
