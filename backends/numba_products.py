"""Matrix products, the large ones on the threads of the kernels.

The threads of NumPy's OpenBLAS go on turning for some 20 milliseconds after a product, ready for the next one, and
take the processors from whatever else wants to run on several: an update of all parameters took four times as long. So
a large product is cut by rows or columns, and its parts are computed by OpenBLAS on one thread each; a small one beside
it, of the last layer say, takes one thread. Nor is the result of a large one filled with zeros before, as ``np.dot``
does.

Between the two OpenBLAS has its way: programs without larger products have no arrays that would be shared out, and its
threads, always awake, are quicker. Which way is taken depends on the sizes alone, and so do the last bits.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from math import prod
from typing import Any

import numpy as np

from .blas import get_blas_threads, library, set_blas_threads
from .memory import ready as ready_memory
from .numba_elementwise import Kernels
from .numba_kernels.threads import get_num_threads, share

__all__ = ["dot", "matmul"]

# Multiplications: up to FEW OpenBLAS takes one thread by itself, below SOME it is told to; LARGE is for our threads.
FEW, SOME, LARGE = 1 << 18, 1 << 22, 1 << 24
PLAIN, TRANSPOSED = 111, 112  # as in cblas.h
WIDTHS = {"f": 4, "d": 8}

products = Kernels("numba_kernels.products")
_lock = threading.Lock()  # how many threads OpenBLAS uses is one number for the whole process


def dot(a: Any, b: Any) -> Any:
    """The product of two matrices of one type."""
    count = a.shape[0] * a.shape[1] * b.shape[1]
    if count <= FEW:
        return np.dot(a, b)
    if count < SOME:
        return _on_one_thread(np.dot, a, b)
    out = _product(a, b) if count >= LARGE else None
    return np.dot(a, b) if out is None else out


def matmul(a: Any, b: Any) -> Any:
    """The products of stacks of matrices of one type."""
    if a.ndim == b.ndim > 2 and a.shape[:-2] == b.shape[:-2] and a.size * b.shape[-1] >= LARGE:
        lead = a.shape[:-2]
        stacks = [x.reshape(prod(lead), *x.shape[-2:]) for x in (a, b)]
        out = _product(*stacks)
        if out is not None:
            return out.reshape(*lead, *out.shape[-2:])
    return np.matmul(a, b)


def _product(a: Any, b: Any) -> Any:
    """``a @ b`` of two matrices or two stacks, on several threads; None where it is better left to NumPy."""
    threads, kind = get_num_threads(), a.dtype.char
    gemm = _gemm(kind) if threads > 1 and a.dtype == b.dtype else None
    first, second = _order(a), _order(b)
    if gemm is None or first is None or second is None or a.shape[-1] != b.shape[-2]:
        return None
    ready_memory()
    (m, k), n = a.shape[-2:], b.shape[-1]
    out = np.empty((*a.shape[:-1], n), a.dtype)
    (order_a, lda), (order_b, ldb) = first, second
    nexts = [x.strides[0] if x.ndim == 3 else 0 for x in (a, b, out)]
    job = (ctypes.c_ssize_t * 15)(
        gemm, WIDTHS[kind], order_a, order_b, m, n, k, lda, ldb, a.ctypes.data, b.ctypes.data, out.ctypes.data,
        *nexts,
    )  # fmt: skip
    if a.ndim == 3:
        part, count = products.rows, -(-m // products.BLOCK) * len(a)
    else:  # the larger of the two: what stays whole is put in order by every thread
        part, count = products.rows if m >= n else products.columns, -(-max(m, n) // products.BLOCK)
    _on_one_thread(_run, part, ctypes.addressof(job), count, min(threads, count))
    return out


def _on_one_thread(run: Any, *arguments: Any) -> Any:
    """What ``run`` returns; OpenBLAS uses one thread meanwhile, if it is NumPy's library."""
    count = get_blas_threads()
    if count is None or (count == 1 and not _lock.locked()):
        return run(*arguments)
    with _lock:
        before = get_blas_threads()
        set_blas_threads(1)
        try:
            return run(*arguments)
        finally:
            set_blas_threads(before or 1)


def _run(part: Any, job: int, blocks: int, pieces: int) -> None:
    """The same pieces whether or not there is help, so that no last bit depends on it."""
    if not share(part.address, job, blocks, 1, pieces=pieces):
        for piece in range(pieces):
            part.ctypes(job, blocks * piece // pieces, blocks * (piece + 1) // pieces)


def _order(x: Any) -> tuple[int, int] | None:
    """Whether the matrices of ``x`` are given transposed, and from row to row how many numbers; None if neither."""
    flags, (rows, columns), (down, right) = x.flags, x.shape[-2:], x.strides[-2:]
    if not flags.aligned or not x.size:
        return None
    size = x.itemsize
    if (right == size or columns == 1) and down % size == 0 and (down >= columns * size or rows == 1):
        return PLAIN, max(down // size, columns)
    if (down == size or rows == 1) and right % size == 0 and (right >= rows * size or columns == 1):
        return TRANSPOSED, max(right // size, rows)
    return None


@functools.cache
def _gemm(kind: str) -> int | None:
    """The address of the product of OpenBLAS with 64-bit integers, as NumPy's wheels have it."""
    found = library()
    if found is None or not found[1].endswith("64_") or kind not in WIDTHS:
        return None
    name = {"f": "scipy_cblas_sgemm64_", "d": "scipy_cblas_dgemm64_"}[kind]
    function = getattr(found[0], name, None)
    return None if function is None else ctypes.cast(function, ctypes.c_void_p).value


def _unlock() -> None:
    """In a forked child: the lock may be held by a thread that was not copied."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)
