"""NAdam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_betas, check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat, 2016).

    Args:
        params: tensors or groups.
        lr: learning rate.
        betas: how much of the two running means is kept.
        eps: added to the root, against division by zero.
        weight_decay: the L2 penalty; with ``decoupled_weight_decay`` applied to the parameter itself.
        momentum_decay: how fast the momentum grows to its final share.
        decoupled_weight_decay: see ``weight_decay``.
        maximize: go up rather than down.
        foreach, capturable: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: ``differentiable``.
    """

    _numbers = ("step", "mu_product")

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_switches("NAdam", foreach, None, differentiable)
        check_lr(lr)
        check_range("epsilon value", eps)
        check_betas(betas)
        check_range("weight_decay value", weight_decay)
        check_range("momentum_decay value", momentum_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        steps = self._count(moved)
        lr, (beta1, beta2), slowness = float(group["lr"]), map(float, group["betas"]), group["momentum_decay"]
        rates = []
        for p, n in zip(moved, steps, strict=True):
            share, following = (beta1 * (1 - 0.5 * 0.96 ** (k * slowness)) for k in (n, n + 1))
            state = self.state[p]
            product = state["mu_product"] = state.get("mu_product", 1.0) * share
            rates.append((lr * (1 - share) / (1 - product), lr * following / (1 - product * following)))
        firsts, seconds = self._slot(moved, "exp_avg"), self._slot(moved, "exp_avg_sq")
        backend, params, grads = raw(moved)
        backend.nadam_update(
            params, grads, firsts, seconds, steps, rates, lr, beta1, beta2, group["eps"], group["weight_decay"],
            group["decoupled_weight_decay"], group["maximize"],
        )  # fmt: skip
