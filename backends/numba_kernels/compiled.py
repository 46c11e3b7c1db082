"""How functions are compiled: those that Python calls, and those that only compiled code does.

Numba gives every function entries for Python and for C. Where nobody uses them they only take time to compile.
"""

import functools
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from llvmlite.binding import add_symbol
from numba import njit, types
from numba.np import linalg

from .cache import compiling

__all__ = ["HELPER", "helper", "kernel", "linked"]


def _import_arraymath():
    """Import what Numba knows of arrays, but not ``scipy.linalg``, which takes a third of a first training step.

    Numba asks at that import whether ``np.dot`` has a BLAS, by importing SciPy's. Whether SciPy is installed is seen
    without; a function that uses the BLAS still imports it when it is compiled, and if that fails says so.
    """

    def look():
        try:
            found = find_spec("scipy")
        except ValueError:  # something else of that name
            found = None
        if found is None:
            raise ImportError("scipy is required for linear algebra")

    ask, linalg.ensure_blas = linalg.ensure_blas, look
    try:
        import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = ask


_import_arraymath()
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
