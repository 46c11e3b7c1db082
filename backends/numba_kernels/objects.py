"""Lists of NumPy's arrays and of floats as compiled kernels see them: by the addresses of the objects.

A kernel is called with the ``id`` of a list. Each number as an argument costs a tenth of a microsecond, an array more,
and each number of dimensions another compilation; a list of them would be copied. Where the items lie in a list, the
value in a float, and the data, the sizes, the type and the flags in an array, is part of the binary interfaces of
CPython (``PyListObject``, ``PyFloatObject``) and NumPy (``PyArrayObject_fields``, ``PyArray_Descr``). The caller must
hold the lists during the call.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from .compiled import helper

__all__ = [
    "address", "alike", "data", "dimensions", "elements", "fitting", "item", "length", "matrix", "number", "overlap",
    "side", "size", "usable",
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


@intrinsic
def address(typingctx, like):
    """The address of the array object that a kernel was called with; 0 where compiled code made it."""

    def codegen(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.ptrtoint(array.parent, context.get_value_type(types.intp))

    return types.intp(like), codegen


@intrinsic
def size(typingctx, array):
    """How many elements an array has."""

    def codegen(context, builder, signature, args):
        word = context.get_value_type(types.intp)
        dimensions = _read(context, builder, args[0], word(_NDIM), types.int32)
        sizes = _read(context, builder, args[0], word(_SIZES))
        count = cgutils.alloca_once_value(builder, word(1))
        with cgutils.for_range(builder, dimensions) as loop:
            side = _read(context, builder, sizes, builder.mul(builder.sext(loop.index, word), word(8)))
            builder.store(builder.mul(builder.load(count), side), count)
        return builder.load(count)

    return types.intp(types.intp), codegen


@intrinsic
def usable(typingctx, array, model):
    """Whether an array is a plain one of the type of the array ``model``, contiguous, aligned and writable."""

    def codegen(context, builder, signature, args):
        word, small = context.get_value_type(types.intp), ir.IntType(32)

        def characters(thing):  # of a type, and its byte order; copies of a type are other objects
            kind = _read(context, builder, thing, word(_TYPE))
            return builder.and_(_read(context, builder, kind, word(_CHARACTERS), types.int32), small(0xFFFFFF))

        fit = cgutils.alloca_once_value(builder, cgutils.false_bit)
        classes = [_read(context, builder, thing, word(_CLASS)) for thing in args]
        with builder.if_then(builder.icmp_signed("==", *classes)):  # another object has no such fields
            flags = builder.and_(_read(context, builder, args[0], word(_FLAGS), types.int32), small(_USABLE))
            alike = builder.icmp_signed("==", characters(args[0]), characters(args[1]))
            builder.store(builder.and_(alike, builder.icmp_signed("==", flags, small(_USABLE))), fit)
        return builder.load(fit)

    return types.boolean(types.intp, types.intp), codegen


def _view(context, builder, result, start, sides):
    """A contiguous array of type ``result`` on memory that is not its own."""
    word, width = context.get_value_type(types.intp), context.get_abi_sizeof(context.get_data_type(result.dtype))
    steps = [word(width)]
    for side in reversed(sides[1:]):
        steps.insert(0, builder.mul(side, steps[0]))
    array = context.make_array(result)(context, builder)
    place = builder.inttoptr(start, context.get_data_type(result.dtype).as_pointer())
    populate_array(array, place, sides, steps, word(width), meminfo=None)
    return array._getvalue()


@intrinsic
def elements(typingctx, array, start, stop, like):
    """The elements ``start:stop`` of an array, all dimensions as one."""
    result = types.Array(like.dtype, 1, "C")

    def codegen(context, builder, signature, args):
        word, width = context.get_value_type(types.intp), context.get_abi_sizeof(context.get_data_type(like.dtype))
        first = _read(context, builder, args[0], word(_DATA))
        begin = builder.add(first, builder.mul(args[1], word(width)))
        return _view(context, builder, result, begin, [builder.sub(args[2], args[1])])

    return result(types.intp, types.intp, types.intp, like), codegen


@intrinsic
def matrix(typingctx, array, rows, columns, like):
    """The elements of an array as rows."""
    result = types.Array(like.dtype, 2, "C")

    def codegen(context, builder, signature, args):
        first = _read(context, builder, args[0], context.get_constant(types.intp, _DATA))
        return _view(context, builder, result, first, list(args[1:3]))

    return result(types.intp, types.intp, types.intp, like), codegen


@helper
def fitting(first, others, like):
    """How many elements the arrays of the list ``first`` have together, or -1 where an array cannot be used.

    They and those of the lists ``others`` must be plain arrays, contiguous, writable and of the type of ``like``; and
    the others as many and as large as the first.
    """
    model, total = address(like), 0
    for k in range(length(first)):
        if not usable(item(first, k), model):
            return -1
        count = size(item(first, k))
        total += count
        for several in others:
            if length(several) != length(first) or not usable(item(several, k), model):
                return -1
            if size(item(several, k)) != count:
                return -1
    return total


@helper
def alike(arrays, count, like):
    """How many elements each of the first ``count`` arrays of a list has; -1 where they differ or cannot be used."""
    model, expected = address(like), np.intp(-1)
    for k in range(count):
        if not usable(item(arrays, k), model) or (k > 0 and size(item(arrays, k)) != expected):
            return np.intp(-1)
        expected = size(item(arrays, k))
    return expected


@helper
def overlap(begin, array, start, stop):
    """Which elements of an array that begins at ``begin`` lie in ``start:stop``; and where the next array begins."""
    end = begin + size(array)
    first = (start if start > begin else begin) - begin
    last = (end if end < stop else stop) - begin
    return first, (last if last > first else first), end
