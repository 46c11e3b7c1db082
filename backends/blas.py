"""The threads of the BLAS library that NumPy brings.

NumPy has no call for it. Its wheels for Linux, macOS and Windows carry OpenBLAS as a library of their own, already
loaded when NumPy is, whose functions are called here.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["get_blas_threads", "library", "set_blas_threads"]

FOLDERS = ("../numpy.libs", ".dylibs")  # beside NumPy's own folder, or within it
NAMES = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads")


@functools.cache
def library() -> tuple[Any, str] | None:
    """NumPy's OpenBLAS and the pattern of its functions' names, or None where NumPy was built with another."""
    for folder in FOLDERS:
        for path in sorted((Path(np.__file__).parent / folder).glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(path.resolve()))
            except OSError:
                continue
            for name in NAMES:
                if hasattr(library, name.format("set")):
                    return library, name
    return None


def get_blas_threads() -> int | None:
    """How many threads a matrix product may use; None where NumPy's BLAS is not one that can be asked."""
    found = library()
    return None if found is None else int(getattr(found[0], found[1].format("get"))())


def set_blas_threads(count: int) -> bool:
    """Let a matrix product use up to ``count`` threads; whether NumPy's BLAS is one that can be told."""
    found = library()
    if found is None:
        return False
    getattr(found[0], found[1].format("set"))(ctypes.c_int(count))
    return True
