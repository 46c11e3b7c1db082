"""Matrix products and the fused linear layer."""

from __future__ import annotations

import math
from typing import Any

from .narrow import in_float32

__all__ = ["ACTIVATIONS", "LinearMixin"]

# The activations that `linear` can end in: those whose derivative follows from their output.
ACTIVATIONS = ("relu", "tanh", "sigmoid")


class LinearMixin:
    """Matrix products over ``self.xp``."""

    xp: Any

    @in_float32
    def matmul(self, a: Any, b: Any) -> Any:
        return self.xp.matmul(a, b)

    @in_float32
    def linear(self, x: Any, w: Any, b: Any, act: str | None) -> Any:
        """``act(x @ w.T + b)`` for x (..., in), w (out, in), b (out,) or None."""
        out = self.xp.matmul(x, w.T)
        if b is not None:
            out += b
        return out if act is None else getattr(self, act)(out)

    @in_float32
    def linear_vjp(self, g: Any, x: Any, w: Any, out: Any, act: str | None, need: tuple[bool, ...]) -> tuple[Any, ...]:
        """The cotangents of x, w and b; those that ``need`` does not ask for are None."""
        if act is not None:
            g = getattr(self, act + "_vjp")(g, out)
        count = math.prod(x.shape[:-1])
        rows = g.reshape(count, w.shape[0])
        return (
            self.xp.matmul(g, w) if need[0] else None,
            self.xp.matmul(rows.T, x.reshape(count, w.shape[1])) if need[1] else None,
            rows.sum(axis=0) if need[2] else None,
        )
