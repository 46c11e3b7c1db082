"""The compiled draws, where they are at hand: their numbers are the same, to the last bit."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import Any

__all__ = ["compiled"]

# Loading Numba takes as long as making so many words without it.
WORTH_LOADING = 1 << 22


def compiled(words: int, module: str = "draws") -> Any:
    """The kernels for a draw of about so many words, or None where it is to be made without."""
    return _kernels(module) if "numba" in sys.modules or words >= WORTH_LOADING else None


@cache
def _kernels(module: str) -> Any:
    try:
        from ..numba_kernels.cache import compiling

        with compiling():
            return importlib.import_module("..numba_kernels." + module, __package__)
    except ImportError:  # no Numba for this Python or machine
        return None
