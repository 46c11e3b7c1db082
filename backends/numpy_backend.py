"""The NumPy backend: the shared table as it stands. The reference that the others are held against."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from .array import ArrayBackend
from .array.base import Scalars

__all__ = ["NumpyBackend"]

_erf = np.frompyfunc(math.erf, 1, 1)


class NumpyBackend(ArrayBackend):
    """NumPy on the CPU."""

    name = "numpy"

    def __init__(self) -> None:
        super().__init__()
        floats = map(np.dtype, (np.float32, np.float64, np.float16, ml_dtypes.bfloat16))
        self.scalars = {dtype: Scalars(dtype) for dtype in floats}

    def erf(self, x: Any) -> Any:
        # NumPy has no erf; the C library's, one element at a time, is right to the last digit.
        return np.asarray(_erf(x), dtype=x.dtype)

    def floor_divide(self, a: Any, b: Any) -> Any:
        _refuse_zero(b)
        return np.floor_divide(a, b)

    def remainder(self, a: Any, b: Any) -> Any:
        _refuse_zero(b)
        return np.remainder(a, b)

    def fmod(self, a: Any, b: Any) -> Any:
        _refuse_zero(b)
        return np.fmod(a, b)

    def settings(self) -> dict[str, str]:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"matrix products": f"{blas.get('name')} {blas.get('version')}"}


def _refuse_zero(divisor: Any) -> None:
    """Integers have no quotient by zero; NumPy would answer 0, with a warning."""
    if isinstance(divisor, np.ndarray) and divisor.dtype.kind in "iu" and not divisor.all():
        raise ValueError("integers cannot be divided by zero; convert with .float() for inf and nan")
