"""Reductions and running sums of the Numba backend, on rows and columns of contiguous float32 and float64 arrays."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .array.reduce import Dims, ReduceMixin
from .memory import ready as ready_memory
from .numba_elementwise import LARGE, Kernels, ready

__all__ = ["NumbaReduce"]

reductions = Kernels("numba_kernels.reductions")


def as_matrix(x: Any, dims: Dims) -> tuple[Any, int]:
    """``x`` as a matrix, and the axis of it that ``dims`` make up, or -1 if the kernels cannot serve them."""
    n = x.ndim
    if not x.size or not ready(x):
        return x, -1
    if dims is None or len(dims) == n:
        return x.reshape(1, -1), 1
    k = len(dims)
    if n == 2 and k == 1:
        return x, dims[0]
    if k and dims == tuple(range(n - k, n)):
        return x.reshape(prod(x.shape[: n - k]), -1), 1
    if k and dims == tuple(range(k)):
        return x.reshape(-1, prod(x.shape[k:])), 0
    return x, -1


def shaped(out: Any, x: Any, dims: Dims, keepdim: bool) -> Any:
    """What was left of ``x`` in the shape that a reduction over ``dims`` gives it."""
    n = x.ndim
    if n == 2 and not keepdim and dims is not None and len(dims) == 1:
        return out
    if keepdim:
        return out.reshape([1 if dims is None or i in dims else x.shape[i] for i in range(n)])
    return out.reshape([x.shape[i] for i in range(n) if dims is not None and i not in dims])


def average(x: Any, dims: Dims, keepdim: bool, names: tuple[str, str], correction: float | None) -> Any:
    """A reduction by one of the kernels ``names``, for columns and rows; None if they cannot serve it.

    The sum is divided by the number of terms less ``correction``, or not at all where that is None.
    """
    matrix, axis = as_matrix(x, dims)
    if axis < 0:
        return None
    out = np.empty(matrix.shape[1 - axis], x.dtype)
    divisor = 1.0 if correction is None else max(matrix.shape[axis] - float(correction), 0.0)
    getattr(reductions, names[axis])(matrix, divisor, out)
    return shaped(out, x, dims, keepdim)


def running(name: str, x: Any, dim: int, backward: int = 0) -> Any:
    """Running sums or products along rows; None if the kernels cannot serve ``x``."""
    if dim != x.ndim - 1 or not x.size or not ready(x):
        return None
    if x.size >= LARGE:
        ready_memory()
    out = np.empty(x.shape, x.dtype)
    getattr(reductions, name)(x.reshape(-1, x.shape[-1]), backward, out.reshape(-1, x.shape[-1]))
    return out


def extreme(name: str, x: Any, dims: Dims, keepdim: bool) -> Any:
    """The largest element of each row, the smallest, or the product; None if ``dims`` do not make up rows."""
    matrix, axis = as_matrix(x, dims)
    if axis != 1:
        return None
    out = np.empty(len(matrix), x.dtype)
    getattr(reductions, name)(matrix, out)
    return shaped(out, x, dims, keepdim)


def total(x: Any, count: float, keepdim: bool) -> Any:
    """The sum of all elements over ``count``."""
    out = np.array(reductions.total(x.reshape(-1), count), x.dtype)
    return out.reshape((1,) * x.ndim) if keepdim else out


class NumbaReduce(ReduceMixin):
    """The reductions of the table that have kernels."""

    def sum(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        if dims is None and ready(x):
            return total(x, 1.0, keepdim)
        out = average(x, dims, keepdim, ("mean_columns", "mean_rows"), None)
        return super().sum(x, dims, keepdim) if out is None else out

    def mean(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        if dims is None and ready(x):
            return total(x, float(x.size), keepdim)
        out = average(x, dims, keepdim, ("mean_columns", "mean_rows"), 0.0)
        return super().mean(x, dims, keepdim) if out is None else out

    def var(self, x: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
        out = average(x, dims, keepdim, ("var_columns", "var_rows"), correction)
        return super().var(x, dims, correction, keepdim) if out is None else out

    def prod(self, x: Any, dim: int, keepdim: bool) -> Any:
        out = extreme("prod_rows", x, (dim,), keepdim)
        return super().prod(x, dim, keepdim) if out is None else out

    def cumsum(self, x: Any, dim: int) -> Any:
        out = running("cumsum_rows", x, dim)
        return super().cumsum(x, dim) if out is None else out

    def cumsum_vjp(self, g: Any, dim: int) -> Any:
        out = running("cumsum_rows", g, dim, 1)
        return super().cumsum_vjp(g, dim) if out is None else out

    def cumprod(self, x: Any, dim: int) -> Any:
        out = running("cumprod_rows", x, dim)
        return super().cumprod(x, dim) if out is None else out

    def prod_vjp(self, g: Any, x: Any, dim: int, keepdim: bool) -> Any:
        if dim != x.ndim - 1 or not x.size or not ready(x) or g.dtype != x.dtype:
            return super().prod_vjp(g, x, dim, keepdim)
        out = np.empty(x.shape, x.dtype)
        line = np.array(g, order="C").reshape(-1)
        reductions.prod_back(line, x.reshape(-1, x.shape[-1]), out.reshape(-1, x.shape[-1]))
        return out

    def cumprod_vjp(self, g: Any, x: Any, dim: int) -> Any:
        if dim != x.ndim - 1 or not x.size or not (ready(x) and ready(g)) or g.dtype != x.dtype:
            return super().cumprod_vjp(g, x, dim)
        out = np.empty(x.shape, x.dtype)
        width = x.shape[-1]
        reductions.cumprod_back(g.reshape(-1, width), x.reshape(-1, width), out.reshape(-1, width))
        return out

    def amax(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        out = extreme("max_rows", x, dims, keepdim)
        return super().amax(x, dims, keepdim) if out is None else out

    def amin(self, x: Any, dims: Dims, keepdim: bool) -> Any:
        out = extreme("min_rows", x, dims, keepdim)
        return super().amin(x, dims, keepdim) if out is None else out
