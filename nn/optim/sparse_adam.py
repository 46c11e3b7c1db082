"""Adam for gradients that are mostly zero."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from .checks import check_betas, check_lr, raw
from .optimizer import Optimizer

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that leaves a row, and its running means, as they are while its gradient is zero.

    PyTorch's takes sparse gradients and refuses dense ones. There are only dense gradients here: a row of the first
    dimension (an embedding's entry) counts as absent where all of its gradient is zero; of a vector, every element.

    Args:
        params: tensors or groups.
        lr: learning rate, above 0.
        betas: how much of the two running means is kept.
        eps: added to the root, against division by zero; above 0.
        maximize: go up rather than down.

    Raises:
        ValueError: an option out of range, or complex parameters.
    """

    _numbers = ()  # PyTorch's counts in a plain integer here

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not lr > 0:
            raise ValueError(f"Invalid learning rate: {lr}; it must be above 0")
        if not eps > 0:
            raise ValueError(f"Invalid epsilon value: {eps}; it must be above 0")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        found = [
            [i, k] for i, group in enumerate(self.param_groups) for k, p in enumerate(group["params"])
            if p.is_complex()
        ]  # fmt: skip
        if found:
            raise ValueError(f"Complex params at indices {found}: SparseAdam does not support complex parameters")

    def _update(self, group: dict[str, Any], moved: list[Tensor]) -> None:
        steps = self._count(moved)
        firsts, seconds = self._slot(moved, "exp_avg"), self._slot(moved, "exp_avg_sq")
        backend, params, grads = raw(moved)
        backend.sparse_adam_update(
            params, grads, firsts, seconds, steps, float(group["lr"]), *group["betas"], group["eps"],
            group["maximize"],
        )  # fmt: skip
