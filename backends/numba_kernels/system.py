"""Functions of the operating system as compiled code calls them."""

import ctypes
import sys

from llvmlite.binding import add_symbol
from numba import types

__all__ = ["give_way", "of_system"]

_kept: list[object] = []


def of_system(name, on_windows, missing=None):
    """A C function without arguments that returns an int32, or ``missing`` where there is none."""
    if sys.platform == "win32":
        function = getattr(ctypes.windll.kernel32, on_windows)
    else:
        function = getattr(ctypes.CDLL(None), name, missing)
    _kept.append(function)
    add_symbol(f"tapegrad_{name}", ctypes.cast(function, ctypes.c_void_p).value)
    return types.ExternalFunction(f"tapegrad_{name}", types.int32())


give_way = of_system("sched_yield", "SwitchToThread")
