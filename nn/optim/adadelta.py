"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Steps as large as the last ones, relative to the gradient's size (Zeiler, 2012).

    Args:
        params: tensors or groups.
        lr: learning rate.
        rho: how much of the two running mean squares is kept, in [0, 1].
        eps: added under the roots, against division by zero.
        weight_decay: the L2 penalty.
        maximize: go up rather than down.
        foreach, capturable: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: ``differentiable``.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_switches("Adadelta", foreach, None, differentiable)
        check_lr(lr)
        if not 0 <= rho <= 1:
            raise ValueError(f"Invalid rho value: {rho}; it must be in [0, 1]")
        check_range("epsilon value", eps)
        check_range("weight_decay value", weight_decay)
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        self._count(moved)
        squares, deltas = self._slot(moved, "square_avg"), self._slot(moved, "acc_delta")
        backend, params, grads = raw(moved)
        backend.adadelta_update(
            params, grads, squares, deltas, float(group["lr"]), group["rho"], group["eps"], group["weight_decay"],
            group["maximize"],
        )  # fmt: skip
