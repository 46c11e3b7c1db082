"""Parts of matrix products, each a call of the BLAS library for some rows or columns.

A job is a block of words, see the names. Matrices lie row by row, as the BLAS library is told; a transposed one is
given as what it is the transposed of.
"""

import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.extending import intrinsic

from .cache import compiling
from .pointers import PART, load

__all__ = ["BLOCK", "columns", "rows"]

BLOCK = 32  # rows or columns that stay together

# Words of a job: the address of cblas_?gemm, the bytes of a number, whether `a` and `b` are transposed as in cblas.h,
# the sizes of a product, the numbers from row to row, the addresses, and the bytes from matrix to matrix.
_GEMM, _WIDTH, _ORDER_A, _ORDER_B, _M, _N, _K, _LDA, _LDB, _A, _B, _C, _NEXT_A, _NEXT_B, _NEXT_C = range(0, 120, 8)
_ROW_MAJOR, _PLAIN = 101, 111


@intrinsic
def _gemm(typingctx, function, order_a, order_b, m, n, k, a, lda, b, ldb, c, ldc, like):
    """Call ``cblas_?gemm``, of 64-bit integers, for numbers of the type ``like``: ``c = a @ b``."""
    kind = like.dtype

    def codegen(context, builder, signature, args):
        word, number, small = ir.IntType(64), context.get_value_type(kind), ir.IntType(32)
        declared = ir.FunctionType(
            ir.VoidType(), [small] * 3 + [word] * 3 + [number, word, word, word, word, number, word, word]
        )
        address, order_a, order_b, m, n, k, a, lda, b, ldb, c, ldc = args[:12]
        orders = [small(_ROW_MAJOR), builder.trunc(order_a, small), builder.trunc(order_b, small)]
        numbers = [number(1.0), a, lda, b, ldb, number(0.0), c, ldc]
        builder.call(builder.inttoptr(address, declared.as_pointer()), [*orders, m, n, k, *numbers])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 12, like), codegen


@njit(inline="always")
def _some(job, a, b, c, m, n):
    """A product with ``m`` rows and ``n`` columns at these addresses."""
    word = np.intp
    gemm, order_a, order_b = load(job, _GEMM, word), load(job, _ORDER_A, word), load(job, _ORDER_B, word)
    lda, ldb, ldc, k = load(job, _LDA, word), load(job, _LDB, word), load(job, _N, word), load(job, _K, word)
    if load(job, _WIDTH, word) == 4:
        _gemm(gemm, order_a, order_b, m, n, k, a, lda, b, ldb, c, ldc, np.float32)
    else:
        _gemm(gemm, order_a, order_b, m, n, k, a, lda, b, ldb, c, ldc, np.float64)


def _rows(job, start, stop):
    """The blocks of rows ``start:stop``, those of all matrices counted one after the other."""
    word = np.intp
    m, n, width = load(job, _M, word), load(job, _N, word), load(job, _WIDTH, word)
    blocks = (m + BLOCK - 1) // BLOCK
    apart = width * (load(job, _LDA, word) if load(job, _ORDER_A, word) == _PLAIN else 1)  # bytes from row to row
    while start < stop:
        matrix, block = start // blocks, start % blocks
        first, last = block * BLOCK, min(m, (block + stop - start) * BLOCK)
        a = load(job, _A, word) + matrix * load(job, _NEXT_A, word) + first * apart
        b = load(job, _B, word) + matrix * load(job, _NEXT_B, word)
        c = load(job, _C, word) + matrix * load(job, _NEXT_C, word) + first * width * n
        _some(job, a, b, c, last - first, n)
        start += min(stop - start, blocks - block)


def _columns(job, start, stop):
    """The blocks of columns ``start:stop`` of one product."""
    word = np.intp
    n, width = load(job, _N, word), load(job, _WIDTH, word)
    apart = width * (1 if load(job, _ORDER_B, word) == _PLAIN else load(job, _LDB, word))
    first, last = start * BLOCK, min(n, stop * BLOCK)
    b, c = load(job, _B, word) + first * apart, load(job, _C, word) + first * width
    _some(job, load(job, _A, word), b, c, load(job, _M, word), last - first)


with compiling():
    rows = cfunc(PART, cache=True, error_model="numpy")(_rows)
    columns = cfunc(PART, cache=True, error_model="numpy")(_columns)
