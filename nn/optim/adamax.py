"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_betas, check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam with the largest absolute value of the gradients in place of their mean square (Kingma and Ba, 2015).

    Args:
        params: tensors or groups.
        lr: learning rate.
        betas: how much of the running mean and of the largest value is kept.
        eps: added to absolute values, against division by zero.
        weight_decay: the L2 penalty.
        maximize: go up rather than down.
        foreach, capturable: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: ``differentiable``.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_switches("Adamax", foreach, None, differentiable)
        check_lr(lr)
        check_range("epsilon value", eps)
        check_betas(betas)
        check_range("weight_decay value", weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        steps = self._count(moved)
        firsts, norms = self._slot(moved, "exp_avg"), self._slot(moved, "exp_inf")
        backend, params, grads = raw(moved)
        beta1, beta2 = map(float, group["betas"])
        backend.adamax_update(
            params, grads, firsts, norms, steps, float(group["lr"]), beta1, beta2, group["eps"],
            group["weight_decay"], group["maximize"],
        )  # fmt: skip
