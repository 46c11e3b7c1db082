"""Genuine NumPy ufuncs from scalar functions.

Numba's own ``vectorize`` recompiles its ufuncs in every process and calls them through Python. Here the inner loop is
a cached C callback, registered with NumPy's C-API (``PyUFunc_AddLoopFromSpec``): NumPy does broadcasting, strides,
``out=`` and allocation, and a call costs what ``np.exp`` costs. There are loops for float32 and float64; any other type
is a TypeError. The floating-point flags are neither set up nor tested, so such a ufunc never warns.
"""

import ctypes
import sys

import numpy as np
from llvmlite.binding import add_symbol
from numba import cfunc, types

from .cache import compiling, instance
from .compiled import helper
from .objects import data, dimensions, item, length
from .pointers import (
    ADDRESSES,
    INNER_LOOP,
    PART,
    call_loop,
    load,
    load_each,
    own_loop,
    scratch,
    store,
    unpack,
    wide_vectors,
)
from .threads import share

__all__ = ["make_ufunc", "over_threads"]

_BLOCK = 512  # elements copied at a time where an operand is not contiguous: the buffers stay in the L1 cache
_OPERANDS = 6  # at most
_WORD = types.intp.bitwidth // 8
_BUFFERS = _OPERANDS * _BLOCK * 8 // _WORD


@helper(forceinline=True)
def _copy(source, source_step, target, target_step, count, size):
    if size == 4:
        for i in range(count):
            store(target, i * target_step, load(source, i * source_step, np.int32))
    else:
        for i in range(count):
            store(target, i * target_step, load(source, i * source_step, np.int64))


def _run_in_pieces(loop, data, sizes, steps, inputs, size):
    """Run ``loop`` on a block at a time, with contiguous copies of the operands that are strided or broadcast.

    The result is copied where it is strided, or where it overwrites an operand.
    """
    pieces, widths, length = scratch(_OPERANDS), scratch(_OPERANDS), scratch(1)
    buffers, stride = scratch(_BUFFERS), _BLOCK * 8
    copied = steps[inputs] != size
    for k in range(inputs):
        copied = copied or data[k] == data[inputs]
    for k in range(inputs + 1):
        store(widths, k * _WORD, size)
    for start in range(0, sizes[0], _BLOCK):
        count = min(_BLOCK, sizes[0] - start)
        store(length, 0, count)
        for k in range(inputs):
            piece, step = data[k] + start * steps[k], steps[k]
            if step != size:
                if start == 0 or step != 0:
                    _copy(piece, step, buffers + k * stride, size, count, size)
                piece = buffers + k * stride
            store(pieces, k * _WORD, piece)
        out, result = data[inputs] + start * steps[inputs], buffers + inputs * stride
        store(pieces, inputs * _WORD, result if copied else out)
        call_loop(loop, pieces, length, widths)
        if copied:
            _copy(result, size, out, steps[inputs], count, size)
    return np.int32(0)


_PIECES = types.int32(types.intp, ADDRESSES, ADDRESSES, ADDRESSES, types.intp, types.intp)
with compiling():
    _in_pieces = cfunc(_PIECES, cache=True)(_run_in_pieces)
# The loops of all ufuncs call it by this name: linked into each it would be compiled with each.
add_symbol("tapegrad_in_pieces", _in_pieces.address)
in_pieces = types.ExternalFunction("tapegrad_in_pieces", _PIECES)


def _run_part(job, start, stop):
    """What a thread does: an inner loop on the elements ``start:stop``.

    ``job`` is the address of a list of arrays: the address of the loop and the size of an element, the operands, the
    result.
    """
    words, count = data(item(job, 0)), length(job) - 1
    width = load(words, _WORD, np.intp)
    places, steps, size = scratch(_OPERANDS), scratch(_OPERANDS), scratch(1)
    store(size, 0, stop - start)
    for k in range(count):
        operand = item(job, 1 + k)
        step = width if dimensions(operand) > 0 else 0
        store(steps, k * _WORD, step)
        store(places, k * _WORD, data(operand) + start * step)
    call_loop(load(words, 0, np.intp), places, size, steps)


with compiling():
    _part = cfunc(PART, cache=True)(_run_part)


def over_threads(ufunc, operands, out, grain):
    """Compute ``ufunc(*operands, out=out)`` on several threads.

    Args:
        operands: arrays of the type of ``out``, contiguous and aligned; of its size, or 0-d.
        out: one of them, or an array that shares no memory with them; likewise contiguous.
        grain: how many elements are worth a piece of their own.

    Returns:
        Whether it was done: not where there is no loop for the type, or no second thread.
    """
    loop = _loops.get((ufunc, out.dtype))
    if loop is None:
        return False
    job = [loop, *operands, out]
    return share(_part.address, id(job), out.size, grain)


# Constants of `_loop`, other ones for each ufunc and type.
FUNCTION, INPUTS, KIND, SIZE = abs, 1, np.float32, 4


def _loop(context, data, sizes, steps, auxiliary):
    """NumPy's inner loop: ``FUNCTION`` over operands of ``KIND``.

    The one loop over contiguous memory does all the work, so that it compiles once and is vector code for any layout:
    operands that are strided, broadcast, or overwritten in place come back here in pieces.
    """
    wide_vectors()
    contiguous = steps[INPUTS] == SIZE
    for k in range(INPUTS):
        contiguous = contiguous and steps[k] == SIZE and data[k] != data[INPUTS]
    if not contiguous:
        return in_pieces(own_loop(), data, sizes, steps, INPUTS, SIZE)
    inputs, out = unpack(data, INPUTS), data[INPUTS]
    for i in range(sizes[0]):
        store(out, i * SIZE, FUNCTION(*load_each(inputs, i * SIZE, KIND)))
    return np.int32(0)


def _compile_loop(name, function, inputs, dtype):
    """:func:`_loop` for ``function``, as a C callback."""
    size = np.dtype(dtype).itemsize
    loop = instance(_loop, f"{name}_{np.dtype(dtype).name}", FUNCTION=function, INPUTS=inputs, KIND=dtype, SIZE=size)
    return cfunc(INNER_LOOP, cache=True, error_model="numpy")(loop)


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("function", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("nin", ctypes.c_int), ("nout", ctypes.c_int), ("casting", ctypes.c_int),
        ("flags", ctypes.c_int), ("dtypes", ctypes.POINTER(ctypes.py_object)), ("slots", ctypes.POINTER(_Slot)),
    ]  # fmt: skip


# Constants of NumPy's headers: ufuncobject.h, dtype_api.h and the numbers of the functions in the table of the C-API.
_FROM_FUNC_AND_DATA, _ADD_LOOP_FROM_SPEC = 1, 43
_IDENTITY_NONE, _NO_CASTING, _NO_FLOATINGPOINT_ERRORS, _STRIDED_LOOP = -1, 0, 1 << 1, 5


def _numpy_api(number, *signature):
    """A function of NumPy's C-API for ufuncs."""
    table = sys.modules["numpy._core._multiarray_umath"]._UFUNC_API  # as NumPy's own headers find it
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )(table, None)
    return ctypes.PYFUNCTYPE(*signature)(ctypes.cast(pointer, ctypes.POINTER(ctypes.c_void_p))[number])


# A ufunc refers to these without owning them, and nothing says when it is gone.
_alive: list[object] = []
# The address of the inner loop for a ufunc of ours and a type, and the size of an element.
_loops: dict[tuple[np.ufunc, np.dtype], np.ndarray] = {}


def make_ufunc(name, functions):
    """A ufunc of one result and arguments of its type.

    Args:
        name: what it calls itself; also the key of its compiled loops, so no two may share one.
        functions: for each type, ``np.float32`` and ``np.float64``, the compiled scalar function.
    """
    make = _numpy_api(
        _FROM_FUNC_AND_DATA, ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
        ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int,
    )  # fmt: skip
    add_loop = _numpy_api(_ADD_LOOP_FROM_SPEC, ctypes.c_int, ctypes.py_object, ctypes.POINTER(_Spec))
    inputs = functions[np.float32].py_func.__code__.co_argcount
    label = name.encode()
    made = make(None, None, None, 0, inputs, 1, _IDENTITY_NONE, label, None, 0)
    _alive.append(label)
    for dtype, function in functions.items():
        loop = _compile_loop(name, function, inputs, dtype)
        _alive.append(loop)
        _loops[made, np.dtype(dtype)] = np.array([loop.address, np.dtype(dtype).itemsize], np.intp)
        slots = (_Slot * 2)(_Slot(_STRIDED_LOOP, loop.address), _Slot(0, None))
        dtypes = (ctypes.py_object * (inputs + 1))(*[type(np.dtype(dtype))] * (inputs + 1))
        add_loop(made, _Spec(label, inputs, 1, _NO_CASTING, _NO_FLOATINGPOINT_ERRORS, dtypes, slots))
    return made
