"""The NumPy backend: the shared table as it stands. The reference that the others are held against."""

from __future__ import annotations

import math
from typing import Any

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
        self.scalars = {np.dtype(t): Scalars(np.dtype(t)) for t in (np.float32, np.float64)}

    def erf(self, x: Any) -> Any:
        # NumPy has no erf; the C library's, one element at a time, is right to the last digit.
        return np.asarray(_erf(x), dtype=x.dtype)

    def settings(self) -> dict[str, str]:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"matrix products": f"{blas.get('name')} {blas.get('version')}"}
