"""Fused losses: softmax-cross-entropy and the mean square error.

No atomic addition takes part, so that the same input gives the same digits on every run.

The row of a class number out of range reads nothing out of bounds; the loss and the row's gradient become nan, and the
row and the class are noted on the card (see ``faults``).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .blocks import ROW, SUM, THREADS, countable, threads_for
from .declare import FLOATS, Kernels, blocks

__all__ = ["LossKernels"]

XENT = (
    ROW
    + """
extern "C" __global__ void xent_rows(const T* x, const long long* target, T* weights, A* losses, long long* fault,
                                     int cols, long long ignore, A nothing) {
  const long long row = blockIdx.x, t = target[row];
  x += row * cols;
  weights += row * cols;
  if (t == ignore) {
    if (threadIdx.x == 0) losses[row] = A(0);
    return;
  }
  if (t < 0 || t >= cols) {
    for (int j = threadIdx.x; j < cols; j += blockDim.x) weights[j] = T(nothing);
    if (threadIdx.x == 0) {
      losses[row] = nothing;
      if (atomicCAS((unsigned long long*)fault, 0ull, (unsigned long long)(row + 1)) == 0) {
        fault[1] = t;
        fault[2] = cols;
        fault[3] = 0;
      }
    }
    return;
  }
  A top;
  const A total = row_total(x, cols, top);
  const A scale = A(1) / total;
  for (int j = threadIdx.x; j < cols; j += blockDim.x) weights[j] = T(exp(A(x[j]) - top) * scale);
  if (threadIdx.x == 0) losses[row] = log(total) - (A(x[t]) - top);
}

// one block: the mean over the rows that count, and one over their number for the way back
extern "C" __global__ void xent_mean(const A* losses, const long long* target, T* loss, A* inverse, long long rows,
                                     long long ignore) {
  A total = 0, count = 0;
  for (long long i = threadIdx.x; i < rows; i += blockDim.x) {
    total += losses[i];
    count += target[i] != ignore ? A(1) : A(0);
  }
  total = block_sum(total);
  count = block_sum(count);
  if (threadIdx.x == 0) {
    *loss = T(total / count);
    *inverse = A(1) / count;
  }
}

extern "C" __global__ void xent_back(const T* weights, const long long* target, const T* g, const A* inverse, T* slope,
                                     int cols, long long ignore) {
  const long long start = (long long)blockIdx.x * cols, t = target[blockIdx.x];
  const A scale = A(*g) * *inverse;
  for (int j = threadIdx.x; j < cols; j += blockDim.x)
    slope[start + j] = t == ignore ? T(A(0)) : T((A(weights[start + j]) - (j == t ? A(1) : A(0))) * scale);
}
"""
)
blocks("xent", XENT, "xent_rows", "xent_mean", "xent_back")

MSE = (
    SUM
    + """
extern "C" __global__ void mse_parts(const T* x, const T* y, A* parts, long long n) {
  A total = 0;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) {
    const A d = A(x[i]) - A(y[i]);
    total += d * d;
  }
  total = block_sum(total);
  if (threadIdx.x == 0) parts[blockIdx.x] = total;
}

// one block
extern "C" __global__ void mse_total(const A* parts, T* loss, int count, A n) {
  A total = 0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) total += parts[i];
  total = block_sum(total);
  if (threadIdx.x == 0) *loss = T(total / n);
}

extern "C" __global__ void mse_back(const T* x, const T* y, const T* g, T* slope_x, T* slope_y, long long n, A factor) {
  const A scale = A(*g) * factor;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) {
    const A s = (A(x[i]) - A(y[i])) * scale;
    if (slope_x) slope_x[i] = T(s);
    if (slope_y) slope_y[i] = T(-s);
  }
}
"""
)
blocks("mse", MSE, "mse_parts", "mse_total", "mse_back")

MOST_BLOCKS = 1024  # of a loop over all elements: enough to fill a card several times


class LossKernels:
    """The fused losses for real floating types; the shared table for the others."""

    k: Kernels
    xp: Any
    watch: Any  # of Faults

    def softmax_xent(self, x: Any, target: Any, ignore: int) -> tuple[Any, Any]:
        """See the shared table. A class out of range makes the loss nan and is raised by the next ``check_faults``."""
        if x.dtype not in FLOATS or not x.size or not countable(*x.shape):
            return super().softmax_xent(x, target, ignore)  # type: ignore[misc]
        xp, (rows, cols), wide = self.xp, x.shape, _wide(x.dtype)
        target = xp.ascontiguousarray(target.astype(np.int64, copy=False))
        weights, losses = xp.empty(x.shape, x.dtype), xp.empty(rows, wide)
        loss, inverse = xp.empty((), x.dtype), xp.empty((), wide)
        self.k.xent_rows(x.dtype)(
            (rows,), (threads_for(cols),),
            (xp.ascontiguousarray(x), target, weights, losses, self.watch(), np.int32(cols), np.int64(ignore),
             wide.type(math.nan)),
        )  # fmt: skip
        arguments = losses, target, loss, inverse, np.int64(rows), np.int64(ignore)
        self.k.xent_mean(x.dtype)((1,), (THREADS,), arguments)
        return loss, (weights, inverse, target)

    def softmax_xent_vjp(self, g: Any, x: Any, target: Any, ignore: int, res: Any, x_dtype: Any) -> Any:
        if type(res) is not tuple:
            return super().softmax_xent_vjp(g, x, target, ignore, res, x_dtype)  # type: ignore[misc]
        weights, inverse, target = res
        rows, cols = weights.shape
        slope = self.xp.empty(weights.shape, weights.dtype)
        arguments = weights, target, g, inverse, slope, np.int32(cols), np.int64(ignore)
        self.k.xent_back(weights.dtype)((rows,), (threads_for(cols),), arguments)
        return slope

    def mse(self, x: Any, y: Any) -> Any:
        if not _pair(x, y):
            return super().mse(x, y)  # type: ignore[misc]
        xp, wide = self.xp, _wide(x.dtype)
        count = min(-(-x.size // THREADS), MOST_BLOCKS)
        parts, loss = xp.empty(count, wide), xp.empty((), x.dtype)
        arguments = xp.ascontiguousarray(x), xp.ascontiguousarray(y), parts, np.int64(x.size)
        self.k.mse_parts(x.dtype)((count,), (THREADS,), arguments)
        self.k.mse_total(x.dtype)((1,), (THREADS,), (parts, loss, np.int32(count), wide.type(x.size)))
        return loss

    def mse_vjp(self, g: Any, x: Any, y: Any, need: tuple[bool, ...]) -> tuple[Any, ...]:
        if not _pair(x, y):
            return super().mse_vjp(g, x, y, need)  # type: ignore[misc]
        xp = self.xp
        slopes = [xp.empty(x.shape, x.dtype) if wanted else None for wanted in need]
        arguments = (xp.ascontiguousarray(x), xp.ascontiguousarray(y), g, *slopes, np.int64(x.size),
                     _wide(x.dtype).type(2 / x.size))  # fmt: skip
        self.k.mse_back(x.dtype)((min(-(-x.size // THREADS), MOST_BLOCKS),), (THREADS,), arguments)
        return tuple(slopes)


def _wide(dtype: Any) -> np.dtype:
    """The type that a block kernel computes in."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def _pair(x: Any, y: Any) -> bool:
    return x.dtype in FLOATS and x.dtype == y.dtype and x.shape == y.shape and x.size > 0
