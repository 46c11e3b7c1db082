"""How functions are compiled: those that Python calls, and those that only compiled code does.

Numba gives every function entries for Python and for C. Where nobody uses them they only take time to compile.
"""

import functools
from typing import Any

from llvmlite.binding import add_symbol
from numba import njit, types

from .cache import compiling

__all__ = ["HELPER", "helper", "kernel", "linked"]

_KERNEL = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def kernel(signatures=None, **options):
    """The decorator of a function that Python calls; what is compiled is kept in the folder of the kernels.

    Args:
        signatures: Numba's, where they are known.
        options: Numba's, over those that all kernels have.
    """

    def decorate(function):
        with compiling():
            return njit(signatures, **_KERNEL | options)(function)

    return decorate


HELPER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of a function that only compiled code calls; called from Python it would crash."""

helper = functools.partial(njit, **HELPER)

_alive: list[Any] = []  # machine code that others call


def linked(name, made):
    """The cfunc ``made``, under a name of its own, as compiled code calls it: each caller would else compile a copy."""
    _alive.append(made)
    add_symbol(name, made.address)
    return types.ExternalFunction(name, made._sig)
