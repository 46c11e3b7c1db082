"""RAdam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_betas, check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Adam that divides by the mean square only when that is known well enough (Liu et al., 2020).

    Args:
        params: tensors or groups.
        lr: learning rate.
        betas: how much of the two running means is kept.
        eps: added to the root, against division by zero.
        weight_decay: the L2 penalty; with ``decoupled_weight_decay`` applied to the parameter itself.
        decoupled_weight_decay: see ``weight_decay``.
        maximize: go up rather than down.
        foreach, capturable: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: ``differentiable``.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_switches("RAdam", foreach, None, differentiable)
        check_lr(lr)
        check_range("epsilon value", eps)
        check_betas(betas)
        check_range("weight_decay value", weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        steps = self._count(moved)
        firsts, seconds = self._slot(moved, "exp_avg"), self._slot(moved, "exp_avg_sq")
        backend, params, grads = raw(moved)
        beta1, beta2 = map(float, group["betas"])
        backend.radam_update(
            params, grads, firsts, seconds, steps, float(group["lr"]), beta1, beta2, group["eps"],
            group["weight_decay"], group["decoupled_weight_decay"], group["maximize"],
        )  # fmt: skip
