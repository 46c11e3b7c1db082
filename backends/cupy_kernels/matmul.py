"""Matrix products by cuBLAS, without copying an operand that is transposed, sliced in rows, or shared by a batch."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from ..settings import matmul as settings

__all__ = ["MatmulKernels"]

# element type -> cuBLAS's number for it (cudaDataType)
DATA = {np.dtype(np.float32): 0, np.dtype(np.float64): 1, np.dtype(np.float16): 2, np.dtype(ml_dtypes.bfloat16): 14}
PLAIN, TRANSPOSED = 0, 1  # cublasOperation_t
COMPUTE_32F, COMPUTE_64F, COMPUTE_32F_FAST_TF32 = 68, 70, 77  # cublasComputeType_t
DEFAULT = -1  # cublasGemmAlgo_t

# alpha and beta, in the type that cuBLAS computes in; it reads them on the host
NUMBERS = {kind: np.array([1, 0], kind) for kind in (np.float32, np.float64)}


class MatmulKernels:
    """Matrix products."""

    xp: Any

    def matmul(self, a: Any, b: Any) -> Any:
        """``a @ b`` over the last two axes; the others are a batch, and broadcast.

        Two matrices go to CuPy's matmul, which hands transposed ones to cuBLAS as they are. A batch goes to cuBLAS's
        strided batches, which CuPy's matmul would first copy to be contiguous. TF32 is used for float32 where
        ``tapegrad.backends.cuda.matmul.allow_tf32`` says so.
        """
        xp, dtype = self.xp, a.dtype
        tf32 = settings.allow_tf32 and dtype == np.float32
        if dtype not in DATA or dtype != b.dtype or (a.ndim == 2 == b.ndim and not tf32):
            return xp.matmul(a, b)
        if a.shape[-1] != b.shape[-2]:
            raise ValueError(f"matmul: shapes {a.shape} and {b.shape} are not aligned")
        if b.ndim == 2 < a.ndim and a.flags.c_contiguous and a.size:
            rows = self.matmul(a.reshape(-1, a.shape[-1]), b)
            return rows.reshape(*a.shape[:-1], b.shape[1])
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        out = xp.empty((*batch, a.shape[-2], b.shape[-1]), dtype)
        if not out.size or not a.shape[-1]:
            out.fill(0)
            return out
        self._gemm(_laid_out(xp, a, batch), _laid_out(xp, b, batch), out, math.prod(batch), tf32)
        return out

    def _gemm(self, a: Any, b: Any, out: Any, count: int, tf32: bool) -> None:
        """``count`` products. cuBLAS stores column by column, and so sees ours transposed: it computes b' a' = out'."""
        (a, a_form, a_lead, a_step), (b, b_form, b_lead, b_step) = a, b
        rows, cols = out.shape[-2:]
        data, double = DATA[out.dtype], out.dtype == np.float64
        compute = COMPUTE_64F if double else COMPUTE_32F_FAST_TF32 if tf32 else COMPUTE_32F
        numbers = NUMBERS[np.float64 if double else np.float32]
        one, zero = numbers.ctypes.data, numbers.ctypes.data + numbers.itemsize
        self.xp.cuda.cublas.gemmStridedBatchedEx(
            self.xp.cuda.get_cublas_handle(), b_form, a_form, cols, rows, a.shape[-1], one,
            b.data.ptr, data, b_lead, b_step, a.data.ptr, data, a_lead, a_step, zero,
            out.data.ptr, data, cols, rows * cols, count, compute, DEFAULT,
        )  # fmt: skip


def _laid_out(xp: Any, x: Any, batch: tuple[int, ...]) -> tuple[Any, int, int, int]:
    """An operand as cuBLAS can take it: array, form, leading dimension, elements from one matrix to the next."""
    x = xp.broadcast_to(x, (*batch, *x.shape[-2:]))
    found = _form(x)
    if found is None:
        x = xp.ascontiguousarray(x)
        found = _form(x)
        assert found is not None, "a contiguous array has a form"
    return (x, *found)


def _form(x: Any) -> tuple[int, int, int] | None:
    """Form, leading dimension and step between the matrices of a batch; None where cuBLAS knows no such layout."""
    *batch, rows, cols = x.shape
    *steps, down, across = (s // x.itemsize for s in x.strides)
    if cols == 1 or across == 1:
        form, lead = PLAIN, max(cols, 1) if rows == 1 else down
        fits = lead >= cols and (cols == 1 or across == 1)
    else:
        fits = False
    if not fits and (rows == 1 or down == 1):
        form, lead = TRANSPOSED, max(rows, 1) if cols == 1 else across
        fits = lead >= rows
    if not fits:
        return None
    step = 0  # the step between neighbours of the innermost batch axis; each further axis must go on from it
    size = 1
    for n, s in zip(reversed(batch), reversed(steps), strict=True):
        if n == 1:
            continue
        if size == 1:
            step, size = s, n
        elif s == step * size:
            size *= n
        else:
            return None
    return (form, lead, step) if step >= 0 else None
