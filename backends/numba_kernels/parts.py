"""Kernels on the rows of matrices as several threads run them: C functions that find their arguments in a list.

The list, see :mod:`.objects`, has as a float the number of columns, and then the arguments: arrays, and floats. A part
works on the rows ``start:stop``.
"""

from importlib import import_module

import numpy as np
from numba import carray, cfunc, njit

from . import objects
from .cache import instance, on_first_use
from .pointers import PART, pointer
from .threads import share

__all__ = ["matrix", "number", "over_threads", "vector"]


@njit(inline="always")
def matrix(job, k, start, stop, kind):
    """The rows ``start:stop`` of the matrix that is argument ``k``."""
    columns = np.intp(objects.number(job, 0))
    return carray(pointer(objects.data(objects.item(job, 1 + k)), kind), (stop, columns))[start:stop]


@njit(inline="always")
def vector(job, k, start, stop, kind):
    """The elements ``start:stop`` of the vector that is argument ``k``."""
    return carray(pointer(objects.data(objects.item(job, 1 + k)), kind), (stop,))[start:stop]


@njit(inline="always")
def number(job, k):
    """The float64 that is argument ``k``."""
    return objects.number(job, 1 + k)


def over_threads(name, rows, columns, arguments, grain):
    """Run a kernel on all rows, on several threads.

    Args:
        name: ``<module>_<kernel>_<type>``: ``PARTS`` of that module has by the kernel's name a function
            ``(job, start, stop)`` that calls ``KERNEL`` with arguments of the type ``KIND``, globals that are set here.
        arguments: contiguous arrays, and Python's floats.
        grain: how many elements are worth a piece of their own.

    Returns:
        Whether it was done: not where there is no second thread.
    """
    part = globals().get(name) or __getattr__(name)
    job = [float(columns), *arguments]
    return share(part.address, id(job), rows, max(grain // columns, 1))


def _make(name):
    module, _, rest = name.partition("_")
    kernel, _, kind = rest.rpartition("_")
    if module not in ("rows", "normalize"):
        raise KeyError(name)
    kernels = import_module("." + module, __package__)
    template = kernels.PARTS[kernel]
    part = instance(template, name, KERNEL=getattr(kernels, kernel), KIND=np.dtype(kind).type)
    return cfunc(PART, cache=True, error_model="numpy")(part)


__getattr__ = on_first_use(globals(), _make)
