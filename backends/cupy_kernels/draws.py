"""Random numbers on the card by Philox: words, and uniform and normal numbers made of them in the same launch."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..random import CounterGenerator
from .blocks import THREADS
from .declare import Kernels, blocks
from .dropout import PHILOX, PLAIN

__all__ = ["DrawKernels"]

# Numbers in float64 take two words each, others one. Two normal numbers come of two uniform ones, u of which is not 0.
SOURCE = (
    PHILOX
    + """
extern "C" __global__ void random_words(unsigned long long* out, long long n, unsigned long long seed,
                                        unsigned long long offset) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  unsigned c[4];
  counted(c, seed, offset + i);
  for (int j = 0; j < 2 && 2 * i + j < n; ++j) out[2 * i + j] = (unsigned long long)c[2 * j] << 32 | c[2 * j + 1];
}

extern "C" __global__ void random_uniform(T* out, long long n, unsigned long long seed, unsigned long long offset,
                                          A low, A high) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const int each = sizeof(A) == 8 ? 2 : 4;
  unsigned c[4];
  counted(c, seed, offset + i);
  for (int j = 0; j < each && each * i + j < n; ++j) {
    const unsigned long long both = (unsigned long long)c[(2 * j) & 3] << 32 | c[(2 * j + 1) & 3];
    const A u = sizeof(A) == 8 ? A(both >> 11) * A(1.1102230246251565e-16) : A(c[j] >> 8) * A(5.9604644775390625e-8);
    const T v = T(low + u * (high - low));
    out[each * i + j] = A(v) < high ? v : T(low);
  }
}

extern "C" __global__ void random_normal(T* out, long long n, unsigned long long seed, unsigned long long offset,
                                         A mean, A deviation) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const int each = sizeof(A) == 8 ? 2 : 4;
  unsigned c[4];
  counted(c, seed, offset + i);
  for (int j = 0; j < each && each * i + j < n; j += 2) {
    const unsigned long long first = (unsigned long long)c[0] << 32 | c[1];
    const unsigned long long second = (unsigned long long)c[2] << 32 | c[3];
    const A u = sizeof(A) == 8 ? A(first >> 11) * A(1.1102230246251565e-16) + A(5.5511151231257827e-17)
                               : A(c[j]) * A(2.3283064365386963e-10) + A(1.1641532182693481e-10);
    const A turn = sizeof(A) == 8 ? A(second >> 11) * A(2.2204460492503131e-16)
                                  : A(c[j + 1]) * A(4.6566128730773926e-10);
    const A radius = sqrt(A(-2) * log(u)) * deviation;
    out[each * i + j] = T(radius * cospi(turn) + mean);
    if (each * i + j + 1 < n) out[each * i + j + 1] = T(radius * sinpi(turn) + mean);
  }
}
"""
)
blocks("draws", SOURCE, "random_words", "random_uniform", "random_normal")


class DrawKernels:
    """Arrays of random numbers. ``source`` is the generator whose counter they use up."""

    k: Kernels
    xp: Any

    def random_words(self, count: int, source: CounterGenerator) -> Any:
        """``count`` words of 64 bits."""
        out = self.xp.empty(count, np.uint64)
        return self._drawn(self.k.random_words(PLAIN), out, 2, source)

    def random_uniform(
        self, shape: tuple[int, ...], low: float, high: float, dtype: np.dtype, source: CounterGenerator
    ) -> Any:
        """Uniform numbers in [low, high) of a real floating type."""
        kernel = self.k.random_uniform(dtype)
        return self._drawn(kernel, self.xp.empty(shape, dtype), _each(dtype), source, *_numbers(dtype, low, high))

    def random_normal(
        self, shape: tuple[int, ...], mean: float, std: float, dtype: np.dtype, source: CounterGenerator
    ) -> Any:
        """Normal numbers of a real floating type (G. E. P. Box and M. E. Muller, 1958)."""
        kernel = self.k.random_normal(dtype)
        return self._drawn(kernel, self.xp.empty(shape, dtype), _each(dtype), source, *_numbers(dtype, mean, std))

    def _drawn(self, kernel: Any, out: Any, each: int, source: CounterGenerator, *numbers: Any) -> Any:
        """``out``, filled by threads that write ``each`` elements."""
        n = prod(out.shape)
        if n:
            threads = -(-n // each)
            seed, offset = source.take(threads)
            kernel(
                (-(-threads // THREADS),), (THREADS,),
                (out, np.int64(n), np.uint64(seed), np.uint64(offset), *numbers),
            )  # fmt: skip
        return out


def _each(dtype: np.dtype) -> int:
    return 2 if dtype == np.float64 else 4


def _numbers(dtype: np.dtype, *values: float) -> list[Any]:
    wide = np.float64 if dtype == np.float64 else np.float32
    return [wide(v) for v in values]
