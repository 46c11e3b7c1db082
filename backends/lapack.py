"""Inverses of matrices by the LAPACK library that NumPy brings, which NumPy itself asks to solve for the identity.

Its factorisation and what inverts that take less than half of the time. Where NumPy was built with another library, or
that one does not export them, there is no such inverse.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from .blas import library
from .errors import LinAlgError

__all__ = ["LEAST", "inverse"]

LEAST = 32  # matrices of fewer rows are inverted faster by a single call


@functools.cache
def _functions(kind: str) -> tuple[Any, Any, Any] | None:
    """``getrf`` and ``getri`` for the type character of float32 or float64, and the type of their integers."""
    found = library()
    if found is None or kind not in "fd":
        return None
    wide = found[1].endswith("64_")
    pattern = ("scipy_" if found[1].startswith("scipy_") else "") + "{}{}_" + ("64_" if wide else "")
    names = [pattern.format("s" if kind == "f" else "d", step) for step in ("getrf", "getri")]
    if not all(hasattr(found[0], name) for name in names):
        return None
    factor, invert = (getattr(found[0], name) for name in names)
    factor.restype = invert.restype = None
    return factor, invert, ctypes.c_int64 if wide else ctypes.c_int32


def inverse(x: Any) -> Any:
    """The inverses of square matrices (..., n, n); None where the library cannot be asked.

    Raises:
        LinAlgError: a matrix is singular.
    """
    functions = _functions(x.dtype.char)
    if functions is None:
        return None
    factor, invert, whole = functions
    n = x.shape[-1]
    out = np.array(x, order="C")
    pivots, work = np.empty(n, whole), np.empty(64 * n, x.dtype)
    size, room, info = whole(n), whole(work.size), whole(0)
    for matrix in out.reshape(-1, n, n):  # LAPACK counts by columns: the transposed inverse of the transposed
        at, order = matrix.ctypes.data_as(ctypes.c_void_p), pivots.ctypes.data_as(ctypes.c_void_p)
        by = ctypes.byref
        factor(by(size), by(size), at, by(size), order, by(info))
        if not info.value:
            invert(by(size), at, by(size), order, work.ctypes.data_as(ctypes.c_void_p), by(room), by(info))
        if info.value:
            raise LinAlgError(f"inverse: a matrix is singular; matrices of shape {list(x.shape)}")
    return out
