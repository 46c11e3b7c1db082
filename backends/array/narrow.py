"""float16 and bfloat16: kernels of several steps compute in float32 and round once, as PyTorch's do.

NumPy and ml_dtypes have a loop of their own for each single ufunc, rounded once too. What they lack is decorated here:
sums that would lose digits with every term, formulas in several steps, and Python floats beside bfloat16, which NumPy
does not count as weak.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

__all__ = ["NARROW", "in_float32"]

NARROW = "eE"  # the type characters of float16 and bfloat16


def in_float32(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Let a kernel whose first operand is float16 or bfloat16 run in float32 and round what it returns."""

    @wraps(kernel)
    def rounded(self: Any, x: Any, *rest: Any) -> Any:
        if x.dtype.char not in NARROW:
            return kernel(self, x, *rest)
        dtype = x.dtype
        out = kernel(self, x.astype(np.float32), *[_wide(r, dtype) for r in rest])
        return tuple(_narrow(o, dtype) for o in out) if type(out) is tuple else _narrow(out, dtype)

    return rounded


def _wide(value: Any, dtype: np.dtype) -> Any:
    return value.astype(np.float32) if getattr(value, "dtype", None) == dtype else value


def _narrow(value: Any, dtype: np.dtype) -> Any:
    return value if value is None or value.dtype != np.float32 else value.astype(dtype)
