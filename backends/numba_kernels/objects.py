"""Lists of NumPy's arrays and of floats as compiled kernels see them: by the addresses of the objects.

A kernel is called with the ``id`` of a list. Each number as an argument costs a tenth of a microsecond, an array more,
and each number of dimensions another compilation; a list of them would be copied. Where the items lie in a list, the
value in a float, and the data, the sizes, the type and the flags in an array, is part of the binary interfaces of
CPython (``PyListObject``, ``PyFloatObject``) and NumPy (``PyArrayObject_fields``, ``PyArray_Descr``). The caller must
hold the lists during the call.
"""

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from .compiled import helper
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


# Not compiled functions: each of those takes a tenth of a second to compile.


def _read(context, builder, address, offset, kind=types.intp):
    """What lies ``offset`` bytes behind an address."""
    place = builder.gep(builder.inttoptr(address, ir.IntType(8).as_pointer()), [offset])
    return builder.load(builder.bitcast(place, context.get_value_type(kind).as_pointer()))


def _field(offset, kind, doc):
    """An intrinsic function that reads a field of an object."""

    def field(typingctx, thing):
        def codegen(context, builder, signature, args):
            return _read(context, builder, args[0], context.get_constant(types.intp, offset), kind)

        return kind(types.intp), codegen

    field.__doc__ = doc
    return intrinsic(field)


data = _field(_DATA, types.intp, "The address of an array's first element.")
dimensions = _field(_NDIM, types.int32, "How many dimensions an array has.")
length = _field(_LENGTH, types.intp, "How many items a list has.")


def _entry(offset, doc, value=None, kind=types.intp):
    """An intrinsic function that reads word ``k`` of a table whose address is a field of an object.

    Where ``value`` is given, the word is the address of another object, and what is read is a field of that.
    """

    def entry(typingctx, thing, k):
        def codegen(context, builder, signature, args):
            word = context.get_value_type(types.intp)
            table = _read(context, builder, args[0], word(offset))
            found = _read(context, builder, table, builder.mul(args[1], word(8)))
            return found if value is None else _read(context, builder, found, word(value), kind)

        return kind(types.intp, types.intp), codegen

    entry.__doc__ = doc
    return intrinsic(entry)


side = _entry(_SIZES, "The size of dimension ``k`` of an array.")
item = _entry(_ITEMS, "The address of the object at place ``k`` of a list.")
number = _entry(_ITEMS, "The number at place ``k`` of a list of Python's floats.", _VALUE, types.float64)


@helper
def size(array):
    """How many elements an array has."""
    count = np.intp(1)
    for d in range(dimensions(array)):
        count *= side(array, d)
    return count


@helper
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


@helper
def alike(arrays, count, like):
    """How many elements each of the first ``count`` arrays of a list has; -1 where they differ or cannot be used."""
    expected = np.intp(-1)
    for k in range(count):
        if not usable(item(arrays, k), like) or (k > 0 and size(item(arrays, k)) != expected):
            return np.intp(-1)
        expected = size(item(arrays, k))
    return expected


@helper
def usable(array, like):
    """Whether an array is a plain one of the type of ``like``, contiguous, aligned and writable."""
    wanted = _address(like)
    if load(array, _CLASS, np.intp) != load(wanted, _CLASS, np.intp):
        return False
    return _type(array) == _type(wanted) and load(array, _FLAGS, np.int32) & _USABLE == _USABLE


@helper
def _type(array):
    """The characters of an array's kind, type and byte order; copies of a type are other objects."""
    return load(load(array, _TYPE, np.intp), _CHARACTERS, np.int32) & 0xFFFFFF


@helper
def overlap(begin, array, start, stop):
    """Which elements of an array that begins at ``begin`` lie in ``start:stop``; and where the next array begins."""
    end = begin + size(array)
    first = max(begin, start) - begin
    return first, max(first, min(end, stop) - begin), end


@helper
def elements(array, start, stop, like):
    """The elements ``start:stop`` of an array, all dimensions as one."""
    return carray(pointer(data(array), like), (stop,))[start:]


@helper
def matrix(array, rows, columns, like):
    """The elements of an array as rows."""
    return carray(pointer(data(array), like), (rows, columns))
