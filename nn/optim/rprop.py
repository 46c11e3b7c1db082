"""Resilient backpropagation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.factories import full_like
from .checks import check_lr, check_switches, raw
from .optimizer import Optimizer

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Steps of a size of their own for each number, of which only the gradient's sign matters (Riedmiller, 1993).

    Args:
        params: tensors or groups.
        lr: the size of the first steps.
        etas: by how much a step shrinks where the gradient changed its sign, and grows where it did not.
        step_sizes: the smallest and the largest step.
        maximize: go up rather than down.
        foreach, capturable: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: ``differentiable``.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_switches("Rprop", foreach, None, differentiable)
        check_lr(lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(
                f"Invalid eta values: {etas[0]}, {etas[1]}; the first must be in (0, 1), the other above 1"
            )
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        self._count(moved)
        lr, lasts = float(group["lr"]), self._slot(moved, "prev")
        for p in moved:
            if "step_size" not in self.state[p]:
                value = complex(lr, lr) if p.is_complex() else lr
                self.state[p]["step_size"] = full_like(p, value, requires_grad=False)
        sizes = self._slot(moved, "step_size")
        backend, params, grads = raw(moved)
        backend.rprop_update(params, grads, lasts, sizes, *group["etas"], *group["step_sizes"], group["maximize"])
