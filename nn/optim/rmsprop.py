"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient (Hinton, 2012).

    Args:
        params: tensors or groups.
        lr: learning rate.
        alpha: how much of the running mean is kept.
        eps: added to the root, against division by zero.
        weight_decay: the L2 penalty.
        momentum: how much of the last step is kept.
        centered: take the variance in place of the mean square.
        maximize: go up rather than down.
        foreach, capturable: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: switches that exclude each other, or ``differentiable``.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_switches("RMSprop", foreach, None, differentiable)
        check_lr(lr)
        check_range("epsilon value", eps)
        check_range("momentum value", momentum)
        check_range("weight_decay value", weight_decay)
        check_range("alpha value", alpha)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable, "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        self._count(moved)
        squares = self._slot(moved, "square_avg")
        moments = self._slot(moved, "momentum_buffer") if group["momentum"] > 0 else []
        means = self._slot(moved, "grad_avg") if group["centered"] else []
        backend, params, grads = raw(moved)
        backend.rmsprop_update(
            params, grads, squares, moments, means, float(group["lr"]), group["alpha"], group["eps"],
            group["weight_decay"], group["momentum"], group["centered"], group["maximize"],
        )  # fmt: skip
