"""Reductions and the softmax family. ``dims`` is a tuple of non-negative axes, or None for all."""

from __future__ import annotations

import math
from typing import Any

from .narrow import in_float32

__all__ = ["ReduceMixin"]

Dims = tuple[int, ...] | None


class ReduceMixin:
    """Reductions over ``self.xp``."""

    xp: Any

    @in_float32
    def sum(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        return self.xp.add.reduce(x, dims, None, None, keepdim)

    @in_float32
    def mean(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        total = self.xp.add.reduce(x, dims, None, None, keepdim)
        count = x.size // max(total.size, 1)
        return total / x.dtype.type(count)  # the mean of nothing is nan, as PyTorch's is

    @in_float32
    def var(self, x: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
        mean = self.mean(x, dims, True)
        rest = x - mean
        squares = self.xp.square(self.xp.abs(rest) if rest.dtype.kind == "c" else rest)
        degrees = max(x.size // max(mean.size, 1) - correction, 0)
        return squares.sum(axis=dims, keepdims=keepdim) / squares.dtype.type(degrees)

    @in_float32
    def prod(self, x: Any, dim: int, keepdim: bool) -> Any:
        return self.xp.multiply.reduce(x, dim, None, None, keepdim)

    def amax(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        return self.xp.max(x, axis=dims, keepdims=keepdim)

    def amin(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        return self.xp.min(x, axis=dims, keepdims=keepdim)

    def argmax(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        return self.xp.argmax(x, axis=dim, keepdims=keepdim)

    def argmin(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        return self.xp.argmin(x, axis=dim, keepdims=keepdim)

    def any(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        return self.xp.any(x, axis=dims, keepdims=keepdim)

    def all(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        return self.xp.all(x, axis=dims, keepdims=keepdim)

    def count_nonzero(self, x: Any, dims: Dims) -> Any:
        return self.xp.count_nonzero(x, axis=dims)

    @in_float32
    def cumsum(self, x: Any, dim: int) -> Any:
        return x.cumsum(axis=dim, dtype=x.dtype)

    @in_float32
    def cumprod(self, x: Any, dim: int) -> Any:
        return x.cumprod(axis=dim, dtype=x.dtype)

    def argsort(self, x: Any, dim: int, descending: bool, stable: bool) -> Any:
        if not descending:
            return self.xp.argsort(x, axis=dim, kind="stable")
        # Reversing both the input and the order keeps equal elements in their order, and NaN first.
        order = self.xp.flip(self.xp.argsort(self.xp.flip(x, dim), axis=dim, kind="stable"), dim)
        return x.shape[dim] - 1 - order

    @in_float32
    def logsumexp(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        xp = self.xp
        if not x.size:
            return xp.full_like(xp.sum(x, axis=dims, keepdims=keepdim), -math.inf)
        top = xp.max(x, axis=dims, keepdims=True)
        top = xp.where(xp.isfinite(top), top, x.dtype.type(0))
        total = xp.log(xp.exp(x - top).sum(axis=dims, keepdims=True)) + top
        return total if keepdim else total.squeeze(axis=dims)

    @in_float32
    def softmax(self, x: Any, dim: int) -> Any:
        if not x.size:
            return x.copy()
        weights = self.xp.exp(x - x.max(axis=dim, keepdims=True))
        weights /= weights.sum(axis=dim, keepdims=True)
        return weights

    @in_float32
    def softmax_vjp(self, g: Any, out: Any, dim: int) -> Any:
        product = g * out
        return product - out * product.sum(axis=dim, keepdims=True)

    @in_float32
    def log_softmax(self, x: Any, dim: int) -> Any:
        if not x.size:
            return x.copy()
        shifted = x - x.max(axis=dim, keepdims=True)
        shifted -= self.xp.log(self.xp.exp(shifted).sum(axis=dim, keepdims=True))
        return shifted

    @in_float32
    def log_softmax_vjp(self, g: Any, out: Any, dim: int) -> Any:
        return g - self.xp.exp(out) * g.sum(axis=dim, keepdims=True)
