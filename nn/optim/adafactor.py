"""Adafactor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor, finfo, no_grad
from .checks import check_lr
from .optimizer import Optimizer

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Steps by mean squares of which only rows' and columns' are kept (Shazeer and Stern, 2018).

    Args:
        params: tensors or groups, of real numbers.
        lr: the largest relative size of a step.
        beta2_decay: the power of the step's number that gives how much of a new square is taken, at most 0.
        eps: against division by zero (the element type's precision where None), and the smallest size of a
            parameter that a step is relative to.
        d: updates with a larger root mean square are scaled down to it, at least 1.
        weight_decay: the share of a parameter, times ``lr``, that each step takes away.
        foreach: accepted; there is one way to run a step.
        maximize: go up rather than down.

    Raises:
        ValueError: an option out of range. RuntimeError (at the step): complex parameters.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
        foreach: bool | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr, "Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize,
        })  # fmt: skip

    @no_grad()
    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        if moved[0].is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        for p, n in zip(moved, self._count(moved), strict=True):
            self._move(group, p, n)

    def _move(self, group: dict[str, Any], p: Tensor, n: int) -> None:
        lr, (tiny, smallest) = float(group["lr"]), group["eps"]
        if tiny is None:
            tiny = finfo(p.dtype).eps
        grad: Any = p.grad
        if group["maximize"]:
            grad = -grad
        size = max(smallest, p.norm().item() / p.numel() ** 0.5) * min(lr, n**-0.5)
        if group["weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        squares = self._mean_squares(self.state[p], grad, n ** group["beta2_decay"], tiny)
        step = squares.clamp_(min=tiny * tiny).rsqrt_().mul_(grad)
        excess = max(1.0, step.norm().item() / (step.numel() ** 0.5 * group["d"]))
        p.add_(step, alpha=-size / excess)

    def _mean_squares(self, state: dict[str, Any], grad: Tensor, new: float, tiny: float) -> Tensor:
        """The running mean of the squared gradient: whole for vectors, else from those of rows and columns."""
        if grad.dim() < 2:
            state.setdefault("variance", grad.new_zeros(grad.shape)).lerp_(grad * grad, new)
            return state["variance"].clone()
        for name, dim in (("row_var", -1), ("col_var", -2)):
            mean = grad.norm(dim=dim, keepdim=True).square_().div_(grad.size(dim))
            state.setdefault(name, mean.new_zeros(mean.shape)).lerp_(mean, new)
        rows, columns = state["row_var"], state["col_var"]
        return (rows * columns).div_(rows.mean(dim=-2, keepdim=True).clamp_(min=tiny))
