"""Softmax and log-softmax along rows, one block a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from .blocks import ROW, countable, threads_for
from .declare import FLOATS, Kernels, blocks

__all__ = ["SoftmaxKernels"]

SOURCE = (
    ROW
    + """
extern "C" __global__ void softmax_rows(const T* x, T* y, int cols, bool logarithm) {
  x += (long long)blockIdx.x * cols;
  y += (long long)blockIdx.x * cols;
  A top;
  const A total = row_total(x, cols, top);
  const A shift = log(total), scale = A(1) / total;
  for (int j = threadIdx.x; j < cols; j += blockDim.x) {
    const A v = A(x[j]) - top;
    y[j] = T(logarithm ? v - shift : exp(v) * scale);
  }
}

extern "C" __global__ void softmax_rows_back(const T* g, const T* y, T* slope, int cols, bool logarithm) {
  const long long start = (long long)blockIdx.x * cols;
  A total = 0;
  for (int j = threadIdx.x; j < cols; j += blockDim.x) {
    const A c = g[start + j];
    total += logarithm ? c : c * A(y[start + j]);
  }
  total = block_sum(total);
  for (int j = threadIdx.x; j < cols; j += blockDim.x) {
    const A c = g[start + j], o = y[start + j];
    slope[start + j] = T(logarithm ? c - exp(o) * total : o * (c - total));
  }
}
"""
)
blocks("softmax", SOURCE, "softmax_rows", "softmax_rows_back")


class SoftmaxKernels:
    """The softmax family along the last axis; along another one the shared table does it."""

    k: Kernels
    xp: Any

    def softmax(self, x: Any, dim: int) -> Any:
        return self._rows(x, False) if _suits(x, dim) else super().softmax(x, dim)  # type: ignore[misc]

    def log_softmax(self, x: Any, dim: int) -> Any:
        return self._rows(x, True) if _suits(x, dim) else super().log_softmax(x, dim)  # type: ignore[misc]

    def softmax_vjp(self, g: Any, out: Any, dim: int) -> Any:
        return self._rows_back(g, out, False) if _suits(out, dim) else super().softmax_vjp(g, out, dim)  # type: ignore[misc]

    def log_softmax_vjp(self, g: Any, out: Any, dim: int) -> Any:
        if not _suits(out, dim):
            return super().log_softmax_vjp(g, out, dim)  # type: ignore[misc]
        return self._rows_back(g, out, True)

    def _rows(self, x: Any, logarithm: bool) -> Any:
        xp, cols = self.xp, x.shape[-1]
        out = xp.empty(x.shape, x.dtype)
        arguments = xp.ascontiguousarray(x), out, np.int32(cols), np.bool_(logarithm)
        self.k.softmax_rows(x.dtype)((x.size // cols,), (threads_for(cols),), arguments)
        return out

    def _rows_back(self, g: Any, out: Any, logarithm: bool) -> Any:
        xp, cols = self.xp, out.shape[-1]
        slope = xp.empty(out.shape, out.dtype)
        arguments = xp.ascontiguousarray(g), xp.ascontiguousarray(out), slope, np.int32(cols), np.bool_(logarithm)
        self.k.softmax_rows_back(out.dtype)((out.size // cols,), (threads_for(cols),), arguments)
        return slope


def _suits(x: Any, dim: int) -> bool:
    if x.dtype not in FLOATS or not x.size or dim not in (-1, x.ndim - 1) or not x.ndim:
        return False
    return countable(x.size // x.shape[-1], x.shape[-1])
