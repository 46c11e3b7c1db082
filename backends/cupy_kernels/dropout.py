"""Random masks on the card, by a counter-based generator: the same seed and offset give the same mask anywhere."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..random import CounterGenerator
from .blocks import THREADS
from .declare import Kernels, blocks

__all__ = ["PHILOX", "PLAIN", "DropoutKernels"]

# Philox4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011). Thread i takes the
# four words of counter offset + i.
PHILOX = """
__device__ void philox(unsigned c[4], unsigned k0, unsigned k1) {
  for (int round = 0; round < 10; ++round) {
    const unsigned long long a = 0xD2511F53ull * c[0], b = 0xCD9E8D57ull * c[2];
    c[0] = (unsigned)(b >> 32) ^ c[1] ^ k0;
    c[1] = (unsigned)b;
    c[2] = (unsigned)(a >> 32) ^ c[3] ^ k1;
    c[3] = (unsigned)a;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

__device__ void counted(unsigned c[4], unsigned long long seed, unsigned long long at) {
  c[0] = (unsigned)at;
  c[1] = (unsigned)(at >> 32);
  c[2] = c[3] = 0;
  philox(c, (unsigned)seed, (unsigned)(seed >> 32));
}
"""
SOURCE = (
    PHILOX
    + """
extern "C" __global__ void keep_mask(bool* out, long long n, unsigned long long seed, unsigned long long offset,
                                     unsigned long long bound) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  unsigned c[4];
  counted(c, seed, offset + i);
  for (int j = 0; j < 4 && 4 * i + j < n; ++j) out[4 * i + j] = c[j] >= bound;
}

extern "C" __global__ void keep_factors(T* out, long long n, unsigned long long seed, unsigned long long offset,
                                        unsigned long long bound, A factor) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  unsigned c[4];
  counted(c, seed, offset + i);
  for (int j = 0; j < 4 && 4 * i + j < n; ++j) out[4 * i + j] = T(c[j] >= bound ? factor : A(0));
}
"""
)
blocks("philox", SOURCE, "keep_mask", "keep_factors")

PLAIN = np.dtype(np.float32)  # the mask touches no floats: one build serves all types


class DropoutKernels:
    """Masks for dropout."""

    k: Kernels
    xp: Any
    generator: CounterGenerator

    def dropout_factors(self, shape: tuple[int, ...], p: float, dtype: np.dtype) -> Any:
        """0 with probability ``p``, else ``1 / (1 - p)``, by the card's own generator."""
        out, n = self.xp.empty(shape, dtype), prod(shape)
        if n:
            seed, offset = self.generator.take(-(-n // 4))
            wide = np.float64 if dtype == np.float64 else np.float32
            arguments = (out, np.int64(n), np.uint64(seed), np.uint64(offset), np.uint64(round(p * 2**32)),
                         wide(1 / (1 - p)))  # fmt: skip
            self.k.keep_factors(dtype)((-(-n // (4 * THREADS)),), (THREADS,), arguments)
        return out

    def dropout_mask(self, shape: tuple[int, ...], p: float, seed: int, offset: int) -> Any:
        """A mask that drops each element with probability ``p``.

        Args:
            shape: of the mask.
            p: the probability of False, in [0, 1].
            seed: of the generator, an unsigned 64-bit number.
            offset: the counter to begin at; a mask of n elements uses up ceil(n / 4) of it.

        Returns:
            A bool array: True where the element is kept.
        """
        out, n = self.xp.empty(shape, np.bool_), prod(shape)
        if n:
            bound = np.uint64(round(p * 2**32))
            self.k.keep_mask(PLAIN)(
                (-(-n // (4 * THREADS)),), (THREADS,), (out, np.int64(n), np.uint64(seed), np.uint64(offset), bound)
            )
        return out
