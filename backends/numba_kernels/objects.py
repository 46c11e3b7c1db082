"""Lists of NumPy's arrays and of floats as compiled kernels see them: by the addresses of the objects.

A kernel is called with the ``id`` of a list. Each number as an argument costs a tenth of a microsecond, an array more,
and each number of dimensions another compilation; a list of them would be copied. Where the items lie in a list, the
value in a float, and the data, the sizes, the type and the flags in an array, is part of the binary interfaces of
CPython (``PyListObject``, ``PyFloatObject``) and NumPy (``PyArrayObject_fields``, ``PyArray_Descr``). The caller must
hold the lists during the call.
"""

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic

from .pointers import load, pointer

__all__ = [
    "alike", "data", "dimensions", "elements", "fitting", "item", "length", "matrix", "number", "overlap", "side",
    "size", "usable",
]  # fmt: skip

_CLASS = object.__basicsize__ - 8  # the last of what all Python objects begin with
_LENGTH = object.__basicsize__
_ITEMS = list.__basicsize__ - 16  # before the room that is allocated
_FIELDS = object.__basicsize__
_DATA, _NDIM, _SIZES = _FIELDS, _FIELDS + 8, _FIELDS + 16
_TYPE, _FLAGS = _FIELDS + 40, _FIELDS + 48
_VALUE = float.__basicsize__ - 8
_CHARACTERS = object.__basicsize__ + 8  # in a type
_USABLE = 0x0001 | 0x0100 | 0x0400  # contiguous in C's order, aligned, writable


@intrinsic
def _address(typingctx, like):
    """The address of the array object that a kernel was called with; 0 where compiled code made it."""

    def codegen(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.ptrtoint(array.parent, ir.IntType(types.intp.bitwidth))

    return types.intp(like), codegen


@njit
def data(array):
    """The address of an array's first element."""
    return load(array, _DATA, np.intp)


@njit
def dimensions(array):
    """How many dimensions an array has."""
    return load(array, _NDIM, np.int32)


@njit
def side(array, d):
    """The size of dimension ``d``."""
    return load(load(array, _SIZES, np.intp), 8 * d, np.intp)


@njit
def size(array):
    """How many elements an array has."""
    count = np.intp(1)
    for d in range(dimensions(array)):
        count *= side(array, d)
    return count


@njit
def item(several, k):
    """The address of the array at place ``k`` of a list."""
    return load(load(several, _ITEMS, np.intp), 8 * k, np.intp)


@njit
def number(several, k):
    """The number at place ``k`` of a list of Python's floats."""
    return load(item(several, k), _VALUE, np.float64)


@njit
def length(several):
    """How many arrays a list has."""
    return load(several, _LENGTH, np.intp)


@njit
def fitting(first, others, like):
    """How many elements the arrays of the list ``first`` have together, or -1 where an array cannot be used.

    They and those of the lists ``others`` must be plain arrays, contiguous, writable and of the type of ``like``; and
    the others as many and as large as the first.
    """
    total = 0
    for k in range(length(first)):
        if not usable(item(first, k), like):
            return -1
        count = size(item(first, k))
        total += count
        for several in others:
            if length(several) != length(first) or not usable(item(several, k), like):
                return -1
            if size(item(several, k)) != count:
                return -1
    return total


@njit
def alike(arrays, count, like):
    """How many elements each of the first ``count`` arrays of a list has; -1 where they differ or cannot be used."""
    expected = np.intp(-1)
    for k in range(count):
        if not usable(item(arrays, k), like) or (k > 0 and size(item(arrays, k)) != expected):
            return np.intp(-1)
        expected = size(item(arrays, k))
    return expected


@njit
def usable(array, like):
    """Whether an array is a plain one of the type of ``like``, contiguous, aligned and writable."""
    wanted = _address(like)
    if load(array, _CLASS, np.intp) != load(wanted, _CLASS, np.intp):
        return False
    return _type(array) == _type(wanted) and load(array, _FLAGS, np.int32) & _USABLE == _USABLE


@njit
def _type(array):
    """The characters of an array's kind, type and byte order; copies of a type are other objects."""
    return load(load(array, _TYPE, np.intp), _CHARACTERS, np.int32) & 0xFFFFFF


@njit
def overlap(begin, array, start, stop):
    """Which elements of an array that begins at ``begin`` lie in ``start:stop``; and where the next array begins."""
    end = begin + size(array)
    first = max(begin, start) - begin
    return first, max(first, min(end, stop) - begin), end


@njit
def elements(array, start, stop, like):
    """The elements ``start:stop`` of an array, all dimensions as one."""
    return carray(pointer(data(array), like), (stop,))[start:]


@njit
def matrix(array, rows, columns, like):
    """The elements of an array as rows."""
    return carray(pointer(data(array), like), (rows, columns))
