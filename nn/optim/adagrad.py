"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.factories import full_like
from .checks import check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients (Duchi, Hazan and Singer, 2011).

    Args:
        params: tensors or groups.
        lr: learning rate.
        lr_decay: the learning rate of step n is ``lr / (1 + (n - 1) * lr_decay)``.
        weight_decay: the L2 penalty.
        initial_accumulator_value: what the sums begin with.
        eps: added to the root, against division by zero.
        maximize: go up rather than down.
        foreach, fused: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: switches that exclude each other, or ``differentiable``.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_switches("Adagrad", foreach, fused, differentiable)
        check_lr(lr)
        check_range("lr_decay value", lr_decay)
        check_range("weight_decay value", weight_decay)
        check_range("initial_accumulator_value value", initial_accumulator_value)
        check_range("epsilon value", eps)
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip
        for group in self.param_groups:
            self._begin(group["params"])

    def _begin(self, params: list[Tensor]) -> None:
        start = self.defaults["initial_accumulator_value"]
        for p in params:
            if not self.state[p]:
                value = complex(start, start) if p.is_complex() else start
                self.state[p] |= {"step": 0, "sum": full_like(p, value, requires_grad=False)}

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        self._begin(moved)
        steps, sums = self._count(moved), self._slot(moved, "sum")
        backend, params, grads = raw(moved)
        backend.adagrad_update(
            params, grads, sums, steps, float(group["lr"]), group["lr_decay"], group["eps"], group["weight_decay"],
            group["maximize"],
        )  # fmt: skip
