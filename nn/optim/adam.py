"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_betas, check_lr, check_range, check_switches, raw
from .optimizer import Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps by running means of the gradient and of its square (Kingma and Ba, 2015).

    Args:
        params: tensors or groups.
        lr: learning rate.
        betas: how much of the two running means is kept.
        eps: added to the root, against division by zero.
        weight_decay: the L2 penalty; with ``decoupled_weight_decay`` applied to the parameter itself.
        amsgrad: divide by the largest mean square so far (Reddi et al., 2018).
        maximize: go up rather than down.
        foreach, fused, capturable: accepted; there is one way to run a step.

    Raises:
        ValueError: an option out of range. RuntimeError: switches that exclude each other, or ``differentiable``.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        check_switches(type(self).__name__, foreach, fused, differentiable)
        if foreach and not capturable:
            for what, value in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
                if isinstance(value, Tensor):
                    raise ValueError(f"{what} as a Tensor is not supported for capturable=False and foreach=True")
        check_lr(lr)
        check_range("epsilon value", eps)
        if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        betas = (float(betas[0]), float(betas[1]))
        check_betas(betas)
        check_range("weight_decay value", weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        steps = self._count(moved)
        firsts, seconds = self._slot(moved, "exp_avg"), self._slot(moved, "exp_avg_sq")
        peaks = self._slot(moved, "max_exp_avg_sq") if group["amsgrad"] else []
        backend, params, grads = raw(moved)
        beta1, beta2 = group["betas"]
        backend.adam_update(
            params, grads, firsts, seconds, peaks, steps, float(group["lr"]), beta1, beta2, group["eps"],
            group["weight_decay"], group["decoupled_weight_decay"], group["maximize"],
        )  # fmt: skip


class AdamW(Adam):
    """Adam with weight decay applied to the parameters themselves (Loshchilov and Hutter, 2019).

    Args:
        params: tensors or groups.
        lr: learning rate.
        betas: how much of the two running means is kept.
        eps: added to the root, against division by zero.
        weight_decay: the share of a parameter, times ``lr``, that each step takes away.
        amsgrad: divide by the largest mean square so far.
        maximize: go up rather than down.
        foreach, fused, capturable: accepted; there is one way to run a step.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip
