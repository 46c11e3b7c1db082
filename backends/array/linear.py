"""Matrix products and the fused linear layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .narrow import NARROW, in_float32

__all__ = ["ACTIVATIONS", "LinearMixin", "check_bias"]

# The activations that `linear` can end in: those whose derivative follows from their output.
ACTIVATIONS = ("relu", "tanh", "sigmoid")


def check_bias(w: Any, b: Any) -> None:
    """Refuse a bias ``b`` of another shape than (out,), for the weight ``w`` (out, in) of a linear layer.

    Raises:
        ValueError: another shape.
    """
    if b is not None and b.shape != w.shape[:1]:
        raise ValueError(f"the bias must have shape {list(w.shape[:1])}, got {list(b.shape)}")


class LinearMixin:
    """Matrix products over ``self.xp``."""

    xp: Any

    @in_float32
    def matmul(self, a: Any, b: Any) -> Any:
        if a.dtype.kind == "b":
            raise TypeError("matmul is not defined for bool")
        return self.xp.matmul(a, b)

    @in_float32
    def linear(self, x: Any, w: Any, b: Any, act: str | None) -> Any:
        """``act(x @ w.T + b)`` for x (..., in), w (out, in), b (out,) or None."""
        check_bias(w, b)
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

    def layer_norm(self, x: Any, weight: Any, bias: Any, rank: int, eps: float) -> tuple[Any, Any]:
        """x less its mean and over its deviation along the last ``rank`` axes, times weight, plus bias (or None).

        Beside it the mean and ``1 / sqrt(variance + eps)`` of each row.
        """
        wide = _wide(x)
        axes = tuple(range(-rank, 0))
        mean = wide.mean(axis=axes, keepdims=True)
        centred = wide - mean
        inverse = 1 / self.xp.sqrt((centred * centred).mean(axis=axes, keepdims=True) + eps)
        out = centred * inverse
        out = out if weight is None else out * _wide(weight)
        out = out if bias is None else out + _wide(bias)
        return out.astype(x.dtype, copy=False), (mean, inverse)

    def layer_norm_vjp(
        self, g: Any, x: Any, weight: Any, rank: int, eps: float, res: Any, need: tuple[bool, ...]
    ) -> tuple[Any, ...]:
        """The cotangents of x, weight and bias; those that ``need`` does not ask for are None."""
        mean, inverse = res
        axes, lead = tuple(range(-rank, 0)), tuple(range(x.ndim - rank))
        cotangent, normal = _wide(g), (_wide(x) - mean) * inverse
        scaled = cotangent if weight is None else cotangent * _wide(weight)
        across = scaled - scaled.mean(axis=axes, keepdims=True)
        across = across - normal * (scaled * normal).mean(axis=axes, keepdims=True)
        found = (
            across * inverse if need[0] else None,
            (cotangent * normal).sum(axis=lead) if need[1] else None,
            cotangent.sum(axis=lead) if need[2] else None,
        )
        return tuple([c if c is None else self.xp.asarray(c).astype(x.dtype, copy=False) for c in found])


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.char in NARROW else x
