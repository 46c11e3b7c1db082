"""Reductions and the softmax family. ``dims`` is a tuple of non-negative axes, or None for all."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

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
        return x.any(axis=dims, keepdims=keepdim)

    def all(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        return x.all(axis=dims, keepdims=keepdim)

    def count_nonzero(self, x: Any, dims: Dims) -> Any:
        return self.xp.count_nonzero(x, axis=dims)

    @in_float32
    def cumsum(self, x: Any, dim: int) -> Any:
        return x.cumsum(axis=dim, dtype=x.dtype)

    @in_float32
    def cumsum_vjp(self, g: Any, dim: int) -> Any:
        """Sums that grow from the end."""
        return self.xp.ascontiguousarray(self.xp.flip(self.xp.flip(g, dim).cumsum(axis=dim, dtype=g.dtype), dim))

    @in_float32
    def cumprod(self, x: Any, dim: int) -> Any:
        return x.cumprod(axis=dim, dtype=x.dtype)

    @in_float32
    def prod_vjp(self, g: Any, x: Any, dim: int, keepdim: bool) -> Any:
        """The product of those before times that of those behind; nothing is divided, so zeros are no exception."""
        xp = self.xp
        lines = xp.moveaxis(x, dim, 0)
        before, behind = xp.ones_like(lines), xp.ones_like(lines)
        if lines.shape[0] > 1:
            before[1:] = xp.cumprod(lines[:-1], axis=0)
            behind[:-1] = xp.flip(xp.cumprod(xp.flip(lines[1:], 0), axis=0), 0)
        slope = xp.moveaxis(before * behind, 0, dim)
        return slope * (g if keepdim else xp.expand_dims(g, dim))

    @in_float32
    def cumprod_vjp(self, g: Any, x: Any, dim: int) -> Any:
        """The product of those before, times a sum that grows from the end: ``s[i] = g[i] + x[i + 1] s[i + 1]``."""
        xp, n = self.xp, x.shape[dim]
        lines, cotangents = xp.moveaxis(x, dim, 0), xp.moveaxis(g, dim, 0)
        sums = xp.array(cotangents)
        for i in range(n - 2, -1, -1):
            sums[i] += lines[i + 1] * sums[i + 1]
        if n > 1:
            sums[1:] *= xp.cumprod(lines[:-1], axis=0)
        return xp.ascontiguousarray(xp.moveaxis(sums, 0, dim))

    def topk_order(self, x: Any, dim: int, k: int, largest: bool) -> Any:
        """Where the ``k`` largest (or smallest) elements along ``dim`` lie, in order."""
        order = self.argsort(x, dim, largest, True)
        return self.xp.ascontiguousarray(order[(slice(None),) * dim + (slice(0, k),)])

    def largest_of_windows(self, x: Any, places: tuple[tuple[tuple[int, ...], ...], ...]) -> Any:
        """The number, among the last dimensions of ``x``, of the first largest element of each window; NaN is largest.

        Args:
            places: for each of these dimensions, for each place of a window, where it lies in every window.
        """
        xp, size = self.xp, x.shape[x.ndim - len(places) :]
        best = found = None
        for lines in product(*places):
            where = 0
            part = x
            for axis, (line, n) in enumerate(zip(lines, size, strict=True)):
                at = xp.asarray(np.array(line, np.int64))
                part = xp.take(part, at, axis=x.ndim - len(size) + axis)
                where = where * n + at.reshape((-1,) + (1,) * (len(size) - axis - 1))
            if best is None:
                best, found = part, xp.zeros(part.shape, np.int64) + where
                continue
            better = part > best
            if x.dtype.kind not in "biu":
                better = better | xp.isnan(part)
            best, found = xp.where(better, part, best), xp.where(better, where, found)
        return found

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
