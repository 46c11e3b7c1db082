"""Fused losses: one pass over the data instead of five."""

from __future__ import annotations

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
    def softmax_xent(self, x: Any, target: Any, ignore: int) -> tuple[Any, Any]:
        """Mean cross-entropy of logits x (N, C) against classes target (N,), and the softmax for the vjp.

        Rows whose target is ``ignore`` count for nothing; the mean over no rows is nan.

        Raises:
            IndexError: a class number out of range.
        """
        xp = self.xp
        if target.size and bool(self.out_of_range(target, x.shape[1], ignore)):
            raise IndexError(f"a target is out of bounds for {x.shape[1]} classes")
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
        return xp.where(kept[:, None], slope * scale, res.dtype.type(0))

    def out_of_range(self, target: Any, classes: int, ignore: int) -> Any:
        """Whether any class number lies outside ``0 .. classes - 1`` and is not ``ignore``."""
        return (((target < 0) | (target >= classes)) & (target != ignore)).any()
