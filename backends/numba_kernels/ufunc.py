"""Genuine NumPy ufuncs from scalar functions.

Numba's own ``vectorize`` recompiles its ufuncs in every process and calls them through Python. Here the inner loop is
a cached C callback, registered with NumPy's C-API (``PyUFunc_AddLoopFromSpec``): NumPy does broadcasting, strides,
``out=`` and allocation, and a call costs what ``np.exp`` costs. There are loops for float32 and float64; any other type
is a TypeError. The floating-point flags are neither set up nor tested, so such a ufunc never warns.
"""

import ctypes
from types import FunctionType

import numpy as np
from numba import cfunc, types

from .cache import compiling
from .pointers import load, load_each, scratch, store, unpack

__all__ = ["make_ufunc"]

_BLOCK = 256  # elements gathered at a time where an operand is not contiguous: its buffers stay in the L1 cache
_WORD = types.intp.bitwidth // 8
_ADDRESSES = types.CPointer(types.intp)
_SIGNATURE = types.int32(types.voidptr, _ADDRESSES, _ADDRESSES, _ADDRESSES, types.voidptr)


def _loop(context, data, sizes, steps, auxiliary):
    """NumPy's inner loop: ``FUNCTION`` over operands of ``KIND`` with any strides.

    One loop over contiguous memory does all the work, so that it compiles once and vectorises for every layout:
    operands that are strided, broadcast, or overwritten in place go through buffers, block by block.
    """
    n, block, buffers, sources = sizes[0], max(sizes[0], 1), scratch(BUFFERS), scratch(SOURCES)
    target, step = data[INPUTS], steps[INPUTS]
    direct = step == SIZE
    for k in range(INPUTS):
        direct = direct and data[k] != target
    for k in range(INPUTS):
        if steps[k] != SIZE or not direct:
            block = BLOCK
    for start in range(0, n, block):
        count = min(block, n - start)
        for k in range(INPUTS):
            source = data[k] + start * steps[k]
            if steps[k] != SIZE:
                buffer = buffers + k * BLOCK * SIZE
                if start == 0 or steps[k] != 0:
                    for i in range(count):
                        store(buffer, i * SIZE, load(source, i * steps[k], KIND))
                source = buffer
            store(sources, k * WORD, source)
        inputs = unpack(sources, INPUTS)
        out = target + start * SIZE if direct else buffers + INPUTS * BLOCK * SIZE
        for i in range(count):
            store(out, i * SIZE, FUNCTION(*load_each(inputs, i * SIZE, KIND)))
        if not direct:
            for i in range(count):
                store(target, (start + i) * step, load(out, i * SIZE, KIND))
    return np.int32(0)


def _compile_loop(name, function, inputs, dtype):
    """The address of :func:`_loop` for ``function``, and what keeps it alive."""
    size = np.dtype(dtype).itemsize
    names = {
        "np": np, "min": min, "max": max, "range": range, "load": load, "load_each": load_each,
        "scratch": scratch, "store": store, "unpack": unpack, "FUNCTION": function, "KIND": dtype, "SIZE": size,
        "INPUTS": inputs, "BLOCK": _BLOCK, "BUFFERS": (inputs + 1) * _BLOCK * size, "WORD": _WORD, "SOURCES": inputs * _WORD,
        "__name__": __name__,
    }  # fmt: skip
    # Not a closure: Numba's cache would key it by the identity of `function`, which no other process shares.
    loop = FunctionType(_loop.__code__, names, f"{name}_{np.dtype(dtype).name}")
    loop.__qualname__, loop.__module__ = loop.__name__, __name__
    with compiling():
        return cfunc(_SIGNATURE, cache=True, error_model="numpy")(loop)


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
    from numpy._core._multiarray_umath import _UFUNC_API

    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )(_UFUNC_API, None)
    return ctypes.PYFUNCTYPE(*signature)(ctypes.cast(pointer, ctypes.POINTER(ctypes.c_void_p))[number])


# A ufunc refers to these without owning them, and nothing says when it is gone.
_alive = []


def make_ufunc(name, inputs, functions):
    """A ufunc of ``inputs`` arguments and one result, all of one type.

    Args:
        name: what it calls itself, and the key of its compiled loops.
        inputs: how many arguments it takes.
        functions: per type, ``np.float32`` and ``np.float64``, the compiled scalar function.
    """
    make = _numpy_api(
        _FROM_FUNC_AND_DATA, ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
        ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int,
    )  # fmt: skip
    add_loop = _numpy_api(_ADD_LOOP_FROM_SPEC, ctypes.c_int, ctypes.py_object, ctypes.POINTER(_Spec))
    label = name.encode()
    made = make(None, None, None, 0, inputs, 1, _IDENTITY_NONE, label, None, 0)
    _alive.append(label)
    for dtype, function in functions.items():
        loop = _compile_loop(name, function, inputs, dtype)
        _alive.append(loop)
        slots = (_Slot * 2)(_Slot(_STRIDED_LOOP, loop.address), _Slot(0, None))
        dtypes = (ctypes.py_object * (inputs + 1))(*[type(np.dtype(dtype))] * (inputs + 1))
        add_loop(made, _Spec(label, inputs, 1, _NO_CASTING, _NO_FLOATINGPOINT_ERRORS, dtypes, slots))
    return made
