"""NumPy's memory handler (NEP 49) that keeps large blocks for the next request, and counts what arrays hold.

NumPy frees the data of an array when the array that owns it dies, and no view outlives that; so a block can be handed
out again the moment it comes back. A block fresh from the system costs a page fault for every 4 KiB, more than most
operations take.

What is held and kept together never exceeds the most that was ever held: no program grows by this. A block serves a
request that fills at least four fifths of it. NumPy calls a handler with the GIL held, so nothing is locked. A handler
is chosen by a context (a thread has its own), and an array remembers the one it was made by.

In front of the data lies a header of two words: the size that was asked for, and the capacity of the block together
with the way back to its start. NumPy's own handler provides the memory.
"""

import ctypes
import sys

import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.extending import intrinsic

from .cache import compiling
from .pointers import ADDRESSES, load, store

__all__ = ["CACHED", "HELD", "LIMIT", "PEAK", "REFUSED", "ROOM", "STATE", "empty_cache", "install", "uninstall"]

_WORD = types.intp.bitwidth // 8
_LARGE = 1 << 16  # smaller blocks come from the heap in any case
_HEADER, _ALIGN = 2 * _WORD, 64
_MARGIN = _HEADER + _ALIGN  # of a large block: the header, and the room to align what follows
_SHIFT = 8  # of the capacity in the second word; the way back to the start is less than 256
_SLOTS = 256  # blocks kept at most

# Words of the state; then, for each block that is kept, its start, its capacity and when it came.
_MALLOC, _CALLOC, _REALLOC, _FREE, _CONTEXT = range(5)  # of the handler below this one
HELD, CACHED, PEAK, LIMIT, ROOM, REFUSED, _HIGHEST, _CLOCK, _COUNT = range(5, 14)
_TABLE = 16

STATE = (ctypes.c_ssize_t * (_TABLE + 3 * _SLOTS))()
"""Bytes held by arrays, kept for the next ones, the most held so far, the limit of the two, the most that is kept, the
size that was last refused; see the names of the words."""

_inline = njit(forceinline=True, error_model="numpy")


@intrinsic
def _call(typingctx, function, arguments):
    """Call the C function at an address with a tuple of words; returns a word."""
    if not isinstance(arguments, types.UniTuple):
        return None

    def codegen(context, builder, signature, args):
        word = context.get_value_type(types.intp)
        kind = ir.FunctionType(word, [word] * arguments.count)
        values = [builder.extract_value(args[1], k) for k in range(arguments.count)]
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), values)

    return types.intp(types.intp, arguments), codegen


@_inline
def _drop(state, k):
    """Take the block in slot ``k`` out of the table."""
    last, slot = _TABLE + 3 * (state[_COUNT] - 1), _TABLE + 3 * k
    state[CACHED] -= state[slot + 1]
    for i in range(3):
        state[slot + i] = state[last + i]
    state[_COUNT] -= 1


@_inline
def _release(state, k):
    """Give the block in slot ``k`` back to the system."""
    start, capacity = state[_TABLE + 3 * k], state[_TABLE + 3 * k + 1]
    _drop(state, k)
    _call(state[_FREE], (state[_CONTEXT], start, capacity + _MARGIN))


@_inline
def _release_down_to(state, room):
    """Give back the oldest blocks until no more than ``room`` bytes are kept."""
    while state[CACHED] > max(room, 0) and state[_COUNT] > 0:
        oldest = 0
        for k in range(1, state[_COUNT]):
            if state[_TABLE + 3 * k + 2] < state[_TABLE + 3 * oldest + 2]:
                oldest = k
        _release(state, oldest)


@_inline
def _fitting(state, size):
    """The slot of the smallest block that holds ``size`` and not much more, the latest of several; or -1."""
    best, least = -1, size + size // 4 + 1
    for k in range(state[_COUNT]):
        slot = _TABLE + 3 * k
        capacity = state[slot + 1]
        if capacity >= size and (
            capacity < least or (capacity == least and state[slot + 2] > state[_TABLE + 3 * best + 2])
        ):
            best, least = k, capacity
    return best


@_inline
def _count(state, size):
    held = state[HELD] + size
    state[HELD] = held
    state[PEAK] = max(state[PEAK], held)
    state[_HIGHEST] = max(state[_HIGHEST], held)


@_inline
def _allocate(state, size, zero):
    """A block for ``size`` bytes, zeroed if ``zero``; 0 where there is none or the limit forbids it."""
    if state[HELD] + size > state[LIMIT]:
        state[REFUSED] = size
        return 0
    if size < _LARGE:
        if zero:
            start = _call(state[_CALLOC], (state[_CONTEXT], 1, size + _HEADER))
        else:
            start = _call(state[_MALLOC], (state[_CONTEXT], size + _HEADER))
        if start == 0:
            return 0
        data, capacity = start + _HEADER, 0
    else:
        slot = _fitting(state, size)
        if slot >= 0:
            start, capacity = state[_TABLE + 3 * slot], state[_TABLE + 3 * slot + 1]
            _drop(state, slot)
        else:
            held = state[HELD] + size
            _release_down_to(state, min(max(state[_HIGHEST], held), state[LIMIT]) - held)
            capacity = size
            if zero:
                start = _call(state[_CALLOC], (state[_CONTEXT], 1, size + _MARGIN))
            else:
                start = _call(state[_MALLOC], (state[_CONTEXT], size + _MARGIN))
            if start == 0:
                return 0
        data = (start + _MARGIN) & -_ALIGN
        if zero and slot >= 0:
            for i in range(size):
                store(data, i, np.int8(0))
    store(data, -_HEADER, size)
    store(data, -_WORD, (capacity << _SHIFT) | (data - start))
    _count(state, size)
    return data


@_inline
def _deallocate(state, data):
    size, word = load(data, -_HEADER, np.intp), load(data, -_WORD, np.intp)
    start, capacity = data - (word & ((1 << _SHIFT) - 1)), word >> _SHIFT
    state[HELD] -= size
    if capacity == 0:
        _call(state[_FREE], (state[_CONTEXT], start, size + _HEADER))
        return
    room = min(state[ROOM], state[_HIGHEST] - state[HELD], state[LIMIT] - state[HELD])
    if capacity > room:
        _call(state[_FREE], (state[_CONTEXT], start, capacity + _MARGIN))
        return
    _release_down_to(state, room - capacity)
    if state[_COUNT] == _SLOTS:
        _release_down_to(state, state[CACHED] - 1)
    slot = _TABLE + 3 * state[_COUNT]
    state[_CLOCK] += 1
    state[slot], state[slot + 1], state[slot + 2] = start, capacity, state[_CLOCK]
    state[_COUNT] += 1
    state[CACHED] += capacity


def _malloc(state, size):
    return _allocate(state, size, False)


def _calloc(state, count, width):
    return _allocate(state, count * width, True)


def _free(state, data, size):
    if data != 0:  # the size is that of the array, which may have been given another shape
        _deallocate(state, data)


def _realloc(state, data, size):
    if data == 0:
        return _allocate(state, size, False)
    before = load(data, -_HEADER, np.intp)
    made = _allocate(state, size, False)
    if made != 0:
        for i in range(min(before, size)):
            store(made, i, load(data, i, np.int8))
        _deallocate(state, data)
    return made


def _release_all(state):
    _release_down_to(state, 0)


_w = types.intp
with compiling():
    _FUNCTIONS = [
        cfunc(signature, cache=True, error_model="numpy")(function)
        for function, signature in (
            (_malloc, _w(ADDRESSES, _w)), (_calloc, _w(ADDRESSES, _w, _w)), (_realloc, _w(ADDRESSES, _w, _w)),
            (_free, types.void(ADDRESSES, _w, _w)), (_release_all, types.void(ADDRESSES)),
        )
    ]  # fmt: skip


class _Handler(ctypes.Structure):
    """PyDataMem_Handler of NumPy's headers (ndarraytypes.h), version 1."""

    _fields_ = [
        ("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("context", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p), ("calloc", ctypes.c_void_p), ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    ]  # fmt: skip


_python = ctypes.pythonapi
_pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", _python))
_capsule_of = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", _python)
)
_NAME = b"mem_handler"  # of the capsules, as NumPy demands


def _numpy_api(number, *signature):
    """A function of NumPy's C-API for arrays, by its number in the headers."""
    table = _pointer_of(sys.modules["numpy._core._multiarray_umath"]._ARRAY_API, None)
    return ctypes.PYFUNCTYPE(*signature)(ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[number])


_set_handler = _numpy_api(304, ctypes.py_object, ctypes.py_object)
_get_handler = _numpy_api(305, ctypes.py_object)


def _make():
    """The capsule of the handler; None where it cannot be used."""
    below = _Handler.from_address(_pointer_of(_get_handler(), _NAME))
    if below.name != b"default_allocator" or _WORD != 8:  # somebody else's handler may come and go
        return None
    STATE[_MALLOC], STATE[_CALLOC], STATE[_REALLOC] = below.malloc, below.calloc, below.realloc
    STATE[_FREE], STATE[_CONTEXT] = below.free, below.context or 0
    handler = _Handler(b"tapegrad", 1, ctypes.addressof(STATE), *[f.address for f in _FUNCTIONS[:4]])
    # Arrays may outlive every Python object: nothing of this is ever freed.
    for kept in (STATE, handler, _NAME, *_FUNCTIONS):
        _python.Py_IncRef(ctypes.py_object(kept))
    return _capsule_of(ctypes.addressof(handler), _NAME, None)


STATE[LIMIT] = STATE[ROOM] = sys.maxsize
_default, _capsule = _get_handler(), _make()
_release_all_kept = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_FUNCTIONS[4].address)


def install():
    """Let the arrays that the current context makes from now on be counted, and their memory kept.

    Returns:
        Whether that is so; not where the program has chosen a handler of its own.
    """
    if _capsule is None:
        return False
    here = _get_handler()
    if here is not _capsule and _pointer_of(here, _NAME) != _pointer_of(_capsule, _NAME):
        if _Handler.from_address(_pointer_of(here, _NAME)).name != b"default_allocator":
            return False
        _set_handler(_capsule)
    return True


def uninstall():
    """Let the current context use NumPy's own handler again."""
    if _capsule is not None and _get_handler() is _capsule:
        _set_handler(_default)


def empty_cache():
    """Give all memory that is kept back to the system."""
    if _capsule is not None:
        _release_all_kept(ctypes.addressof(STATE))
