"""Fused losses: one pass over the data instead of five."""

from __future__ import annotations

import math
from typing import Any

from .narrow import in_float32

__all__ = ["LossMixin"]


class LossMixin:
    """Losses over ``self.xp``."""

    xp: Any

    @in_float32
    def mse(self, x: Any, y: Any) -> Any:
        """The mean of ``(x - y)**2`` over all elements; nan for none."""
        difference = x - y
        return self.xp.square(difference).sum() / x.dtype.type(x.size)

    @in_float32
    def mse_vjp(self, g: Any, x: Any, y: Any, need: tuple[bool, ...]) -> tuple[Any, ...]:
        slope = (x - y) * (g * (2.0 / max(x.size, 1)))
        return slope if need[0] else None, -slope if need[1] else None

    @in_float32
    def huber(self, x: Any, target: Any, delta: float) -> Any:
        """Half the square of the error up to ``delta``, linear beyond."""
        error = self.xp.abs(x - target)
        return self.xp.where(error <= delta, error * error * 0.5, (error - 0.5 * delta) * delta)

    @in_float32
    def bce(self, x: Any, target: Any) -> Any:
        """The cross-entropy of probabilities, with logarithms of at least -100."""
        xp = self.xp
        return (target - 1) * xp.maximum(xp.log1p(-x), -100) - target * xp.maximum(xp.log(x), -100)

    def within_unit(self, x: Any) -> bool:
        """Whether all elements lie within 0 and 1."""
        return bool(((x >= 0) & (x <= 1)).all())

    @in_float32
    def bce_logits(self, x: Any, target: Any) -> Any:
        """The cross-entropy of ``sigmoid(x)``."""
        xp = self.xp
        return (1 - target) * x + (xp.maximum(-x, 0) + xp.log1p(xp.exp(-xp.abs(x))))

    @in_float32
    def nll(self, x: Any, target: Any, weight: Any, ignore: int, reduction: str) -> tuple[Any, Any]:
        """Minus x (N, C) at classes target (N,), weighted: each, their sum or mean; and the sum of the weights.

        Rows whose target is ``ignore`` count for nothing; the mean over no rows is nan.

        Raises:
            IndexError: a class number out of range.
        """
        xp = self.xp
        if target.size and self.refused(target, x.shape[1], ignore):
            raise IndexError(f"a target is out of bounds for {x.shape[1]} classes")
        shares, wanted = self._shares(x.dtype, target, weight, ignore)
        picked = x[xp.arange(x.shape[0]), wanted] if x.size else xp.zeros(target.shape, x.dtype)
        each = xp.where(target != ignore, -picked * shares, x.dtype.type(0))
        mass = shares.sum()
        return (each if reduction == "none" else each.sum() / mass if reduction == "mean" else each.sum()), mass

    def _shares(self, dtype: Any, target: Any, weight: Any, ignore: int) -> tuple[Any, Any]:
        """How much each row counts, and the class to look at in each, 0 where the row does not count."""
        kept = target != ignore
        wanted = self.xp.where(kept, target, 0)
        return self.xp.where(kept, dtype.type(1) if weight is None else weight[wanted], dtype.type(0)), wanted

    @in_float32
    def nll_vjp(
        self, g: Any, x: Any, target: Any, weight: Any, ignore: int, reduction: str, res: Any, x_dtype: Any
    ) -> Any:
        xp = self.xp
        slope = xp.zeros(x.shape, g.dtype)
        if slope.size:
            shares, wanted = self._shares(g.dtype, target, weight, ignore)
            scale = g / res if reduction == "mean" else g
            slope[xp.arange(x.shape[0]), wanted] = xp.where(target != ignore, -scale * shares, g.dtype.type(0))
        return slope

    @in_float32
    def softmax_xent(self, x: Any, target: Any, ignore: int) -> tuple[Any, Any]:
        """Mean cross-entropy of logits x (N, C) against classes target (N,), and the softmax for the vjp.

        Rows whose target is ``ignore`` count for nothing; the mean over no rows is nan.

        Raises:
            IndexError: a class number out of range.
        """
        xp = self.xp
        if target.size and self.refused(target, x.shape[1], ignore):
            raise IndexError(f"a target is out of bounds for {x.shape[1]} classes")
        if not x.size:
            return xp.full((), math.nan, x.dtype), x.copy()
        shifted = x - x.max(axis=1, keepdims=True)
        weights = xp.exp(shifted)
        total = weights.sum(axis=1, keepdims=True)
        kept = target != ignore
        rows = xp.arange(x.shape[0])
        picked = shifted[rows, xp.where(kept, target, 0)] - xp.log(total[:, 0])
        loss = -xp.where(kept, picked, x.dtype.type(0)).sum() / kept.sum().astype(x.dtype)
        weights /= total
        return loss, weights

    @in_float32
    def softmax_xent_vjp(self, g: Any, x: Any, target: Any, ignore: int, res: Any, x_dtype: Any) -> Any:
        xp = self.xp
        kept = target != ignore
        slope = res.copy()
        slope[xp.arange(res.shape[0]), xp.where(kept, target, 0)] -= 1
        scale = g / kept.sum().astype(res.dtype)
        return slope * xp.where(kept, scale, res.dtype.type(0))[:, None]

    def refused(self, index: Any, size: int, ignore: int) -> bool:
        """Whether an operation must refuse the index, since ``out_of_range`` holds of it.

        A device that works by itself may answer False and tell at the next wait.
        """
        return bool(self.out_of_range(index, size, ignore))

    def out_of_range(self, target: Any, classes: int, ignore: int) -> Any:
        """Whether any class number lies outside ``0 .. classes - 1`` and is not ``ignore``."""
        return (((target < 0) | (target >= classes)) & (target != ignore)).any()
