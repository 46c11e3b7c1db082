"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent with momentum (Polyak, 1964; Sutskever et al., 2013).

    Args:
        params: tensors or groups.
        lr: learning rate.
        momentum: how much of the last step is kept.
        dampening: how much of the gradient does not enter the momentum.
        weight_decay: the L2 penalty.
        nesterov: look ahead along the momentum.
        maximize: go up rather than down.
        foreach, fused: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: switches that exclude each other, or ``differentiable``.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_switches("SGD", foreach, fused, differentiable)
        check_lr(lr)
        check_range("momentum value", momentum)
        check_range("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        if not group["momentum"]:
            self._run(group, moved, [], group["dampening"])
            return
        # A parameter's first step enters the momentum undamped.
        fresh = [p for p in moved if "momentum_buffer" not in self.state[p]]
        old = [p for p in moved if "momentum_buffer" in self.state[p]]
        for some, dampening in ((fresh, 0), (old, group["dampening"])):
            if some:
                self._run(group, some, self._slot(some, "momentum_buffer"), dampening)

    def _run(self, group: dict[str, Any], moved: list[Tensor], moments: list[Any], dampening: float) -> None:
        backend, params, grads = raw(moved)
        backend.sgd_update(
            params, grads, moments, float(group["lr"]), group["momentum"], dampening, group["weight_decay"],
            group["nesterov"], group["maximize"],
        )  # fmt: skip
