"""The linear layer around its matrix product: bias and activation after it, and their way back before it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..array.linear import check_bias
from .declare import FLOATS, Kernels, blocks, elementwise

__all__ = ["LinearKernels"]

elementwise("bias", "T x, T b", "T y", "y = A(x) + A(b)")
elementwise("bias_relu", "T x, T b", "T y", "const A v = A(x) + A(b); y = v > A(0) || v != v ? v : A(0)")
elementwise("bias_tanh", "T x, T b", "T y", "y = tanh(A(x) + A(b))")
elementwise(
    "bias_sigmoid", "T x, T b", "T y",
    "const A u = A(x) + A(b); const A tail = exp(-fabs(u)); y = (u >= A(0) ? A(1) : tail) / (A(1) + tail)",
)  # fmt: skip

# How the kernel below numbers the activations.
NUMBER = {None: 0, "relu": 1, "tanh": 2, "sigmoid": 3}

# Blocks of 32 columns by 8 rows; a block walks down `chunk` rows and leaves the sums of its columns in `parts`.
SOURCE = """
extern "C" __global__ void linear_back(const T* g, const T* out, T* before, A* parts, long long rows, int cols,
                                       long long chunk, int act) {
  __shared__ A part[8][33];
  const int col = blockIdx.x * 32 + threadIdx.x;
  const long long first = blockIdx.y * chunk, last = first + chunk < rows ? first + chunk : rows;
  A total = 0;
  if (col < cols)
    for (long long row = first + threadIdx.y; row < last; row += 8) {
      const long long i = row * cols + col;
      A v = g[i];
      if (act) {
        const A o = out[i];
        v = act == 1 ? (o <= A(0) ? A(0) : v) : v * (act == 2 ? A(1) - o * o : o * (A(1) - o));
        before[i] = T(v);
      }
      total += v;
    }
  part[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y == 0 && col < cols) {
    for (int i = 1; i < 8; ++i) total += part[i][threadIdx.x];
    parts[(long long)blockIdx.y * cols + col] = total;
  }
}

// one thread a column
extern "C" __global__ void add_parts(const A* parts, T* sums, int count, int cols) {
  const int col = blockIdx.x * blockDim.x + threadIdx.x;
  if (col >= cols) return;
  A total = 0;
  for (int i = 0; i < count; ++i) total += parts[(long long)i * cols + col];
  sums[col] = T(total);
}
"""
blocks("linear", SOURCE, "linear_back", "add_parts")

ROWS = 128  # that one block walks down


class LinearKernels:
    """The linear layer for real floating types; the shared table for the others."""

    k: Kernels
    xp: Any

    def linear(self, x: Any, w: Any, b: Any, act: str | None) -> Any:
        if w.dtype not in FLOATS:
            return super().linear(x, w, b, act)  # type: ignore[misc]
        check_bias(w, b)
        rows = x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), w.shape[1])
        out = self.matmul(rows, w.T)  # type: ignore[attr-defined]
        if b is not None:
            getattr(self.k, "bias" if act is None else "bias_" + act)(out, b, out)
        elif act is not None:
            (self.xp.tanh if act == "tanh" else getattr(self.k, act))(out, out)
        return out if x.ndim == 2 else out.reshape(*x.shape[:-1], w.shape[0])

    def linear_vjp(self, g: Any, x: Any, w: Any, out: Any, act: str | None, need: tuple[bool, ...]) -> tuple[Any, ...]:
        """The cotangents of x, w and b; those that ``need`` does not ask for are None."""
        if w.dtype not in FLOATS:
            return super().linear_vjp(g, x, w, out, act, need)  # type: ignore[misc]
        shape, (features, inner) = x.shape, w.shape
        if g.ndim != 2:
            count = math.prod(shape[:-1])
            g, out, x = g.reshape(count, features), out.reshape(count, features), x.reshape(count, inner)
        sums = None
        if need[2]:
            g, sums = self._before_and_sums(g, out, act)
        elif act is not None:
            g = getattr(self, act + "_vjp")(g, out)
        matmul = self.matmul  # type: ignore[attr-defined]
        gx = matmul(g, w) if need[0] else None
        if gx is not None and len(shape) != 2:
            gx = gx.reshape(shape)
        return gx, matmul(g.T, x) if need[1] else None, sums

    def _before_and_sums(self, g: Any, out: Any, act: str | None) -> tuple[Any, Any]:
        """The cotangent before the activation, and the sums of its columns."""
        xp, (rows, cols) = self.xp, g.shape
        sums = xp.zeros(cols, g.dtype)
        if not g.size:
            return g, sums
        g = xp.ascontiguousarray(g)
        before = g if act is None else xp.empty(g.shape, g.dtype)
        chunk = max(ROWS, -(-rows // 65535))
        count = -(-rows // chunk)
        parts = xp.empty((count, cols), np.float64 if g.dtype == np.float64 else np.float32)
        self.k.linear_back(g.dtype)(
            (-(-cols // 32), count), (32, 8),
            (g, xp.ascontiguousarray(out), before, parts, np.int64(rows), np.int32(cols), np.int64(chunk),
             np.int32(NUMBER[act])),
        )  # fmt: skip
        self.k.add_parts(g.dtype)((-(-cols // 128),), (128,), (parts, sums, np.int32(count), np.int32(cols)))
        return before, sums
