"""NumPy's memory handler (NEP 49) that keeps large blocks for the next request, and counts what arrays hold.

NumPy frees the data of an array when the array that owns it dies, and no view outlives that; so a block can be handed
out again the moment it comes back. A block fresh from the system costs a page fault for every 4 KiB, more than most
operations take.

Whenever a large block comes or goes, what is held and kept together does not exceed the most that was ever held: no
program grows by this. A block serves a request that fills at least four fifths of it. Mostly NumPy calls a handler with
the GIL held, but not where it reads numbers from text; so there is a lock. A handler is chosen by a context (a thread
has its own), and an array remembers the one it was made by.

In front of the data lies a header of two words: the size that was asked for, and the capacity of the block together
with the way back to its start. NumPy's own handler provides the memory.
"""

import ctypes
import os
import sys

import numpy as np
from llvmlite import ir
from numba import cfunc, types
from numba.extending import intrinsic

from .cache import compiling
from .compiled import helper, linked
from .pointers import ADDRESSES, clear, copy, load, store
from .system import give_way

__all__ = ["CACHED", "HELD", "LIMIT", "PEAK", "REFUSED", "ROOM", "STATE", "empty_cache", "install", "uninstall"]

_WORD = types.intp.bitwidth // 8
_LARGE = 1 << 16  # smaller blocks come from the heap in any case
_HEADER, _ALIGN = 2 * _WORD, 64
_MARGIN = _HEADER + _ALIGN  # of a large block: the header, and the room to align what follows
_SHIFT = 8  # of the capacity in the second word; the way back to the start is less than 256
_SLOTS = 256  # blocks kept at most

# Words of the state; then, for each block that is kept, its start, its capacity and when it came.
_MALLOC, _CALLOC, _REALLOC, _FREE, _CONTEXT = range(5)  # of the handler below this one
HELD, CACHED, PEAK, LIMIT, ROOM, REFUSED, _HIGHEST, _CLOCK, _COUNT, _LOCK = range(5, 15)
_TABLE = 16

STATE = (ctypes.c_ssize_t * (_TABLE + 3 * _SLOTS))()
"""Bytes held by arrays, kept for the next ones, the most held so far, the limit of the two, the most that is kept, the
size that was last refused; see the names of the words."""


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


@intrinsic
def _swap(typingctx, state, k, value):
    """Set a word in one step; returns what was there."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("xchg", builder.gep(args[0], [args[1]]), args[2], "seq_cst")

    return types.intp(ADDRESSES, types.intp, types.intp), codegen


@intrinsic
def _unlock(typingctx, state):
    """Let other threads in, who see all that was written before."""

    def codegen(context, builder, signature, args):
        word = context.get_value_type(types.intp)
        builder.store_atomic(word(0), builder.gep(args[0], [word(_LOCK)]), "release", _WORD)
        return context.get_dummy_value()

    return types.void(ADDRESSES), codegen


# The lock is never held while the handler below is called: that may wait for the GIL, which its next owner has.


@helper
def _lock(state):
    while _swap(state, _LOCK, 1) != 0:
        give_way()


@helper
def _discard(state, start):
    """Give a block that was kept back to the system."""
    _call(state[_FREE], (state[_CONTEXT], start, load(start, 0, np.intp) + _MARGIN))


@helper(forceinline=True)
def _least(a, b):
    return a if a < b else b


@helper(forceinline=True)
def _drop(state, slot):
    """Take the block whose words begin at ``slot`` out of the table; returns its start."""
    start = state[slot]
    state[_COUNT] -= 1
    last = _TABLE + 3 * state[_COUNT]
    state[CACHED] -= state[slot + 1]
    state[slot], state[slot + 1], state[slot + 2] = state[last], state[last + 1], state[last + 2]
    return start


def _oldest(state, room):
    """Take out the oldest block if more than ``room`` bytes are kept; its start, or 0. To be called with the lock."""
    if state[_COUNT] == 0 or room >= state[CACHED] >= 0:
        return 0
    oldest = _TABLE
    for slot in range(_TABLE, _TABLE + 3 * state[_COUNT], 3):
        if state[slot + 2] < state[oldest + 2]:
            oldest = slot
    capacity = state[oldest + 1]
    start = _drop(state, oldest)
    store(start, 0, capacity)  # in the block itself, for `_discard`
    return start


def _fitting(state, size):
    """Where the smallest block lies that holds ``size`` and not much more, the latest of several; or 0."""
    best, least, latest = 0, size + size // 4 + 1, state[_CLOCK]
    for slot in range(_TABLE, _TABLE + 3 * state[_COUNT], 3):
        capacity, came = state[slot + 1], state[slot + 2]
        if capacity >= size and (capacity < least or (capacity == least and came > latest)):
            best, least, latest = slot, capacity, came
    return best


def _trim(state, large):
    """Give the oldest blocks back until, with what is held, the limit is kept, and after ``large`` the peak too."""
    while True:
        _lock(state)
        most = state[LIMIT]
        if large:
            most = _least(most, state[_HIGHEST] if state[_HIGHEST] > state[HELD] else state[HELD])
        start = _oldest(state, most - state[HELD])
        _unlock(state)
        if start == 0:
            return
        _discard(state, start)


@helper(forceinline=True)
def _note_peak(state):
    state[PEAK] = state[HELD] if state[HELD] > state[PEAK] else state[PEAK]
    state[_HIGHEST] = state[HELD] if state[HELD] > state[_HIGHEST] else state[_HIGHEST]


def _reserve(state, size, more):
    """Count ``more`` bytes for a block of ``size``; whether the limit allows it. The lock is held then."""
    _lock(state)
    if more > 0 and state[HELD] + more > state[LIMIT]:
        state[REFUSED] = size
        _unlock(state)
        return 0
    state[HELD] += more
    return 1


def _allocate(state, size, zero):
    """A block for ``size`` bytes, zeroed if ``zero``; 0 where there is none or the limit forbids it."""
    if _reserve(state, size, size) == 0:
        return 0
    start, margin, capacity, crowded = 0, _HEADER, 0, state[CACHED] + state[HELD] > state[LIMIT]
    if size >= _LARGE:
        margin, capacity, slot = _MARGIN, size, _fitting(state, size)
        if slot != 0:
            capacity = state[slot + 1]
            start = _drop(state, slot)
    used = start != 0
    if used or size < _LARGE:
        _note_peak(state)
    _unlock(state)
    if not used:
        if crowded or size >= _LARGE:
            _trim(state, size >= _LARGE)
        if zero:
            start = _call(state[_CALLOC], (state[_CONTEXT], 1, size + margin))
        else:
            start = _call(state[_MALLOC], (state[_CONTEXT], size + margin))
        if start == 0 or size >= _LARGE:
            _lock(state)
            if start == 0:
                state[HELD] -= size
            else:
                _note_peak(state)
            _unlock(state)
        if start == 0:
            return 0
    data = (start + _MARGIN) & -_ALIGN if size >= _LARGE else start + _HEADER
    if zero and used:
        clear(data, size)
    store(data, -_HEADER, size)
    store(data, -_WORD, (capacity << _SHIFT) | (data - start))
    return data


def _deallocate(state, data):
    """Keep a block if it is large and there is room, for which older ones make way; else give it back."""
    size, word = load(data, -_HEADER, np.intp), load(data, -_WORD, np.intp)
    start, capacity = data - (word & ((1 << _SHIFT) - 1)), word >> _SHIFT
    counted = size
    while True:
        _lock(state)
        state[HELD] -= counted
        counted = 0
        room = _least(_least(state[_HIGHEST], state[LIMIT]) - state[HELD], state[ROOM])
        if capacity == 0 or capacity > room:
            _unlock(state)
            taken = size + _HEADER if capacity == 0 else capacity + _MARGIN
            _call(state[_FREE], (state[_CONTEXT], start, taken))
            return
        if state[CACHED] <= room - capacity and state[_COUNT] < _SLOTS:
            slot = _TABLE + 3 * state[_COUNT]
            state[_CLOCK] += 1
            state[slot], state[slot + 1], state[slot + 2] = start, capacity, state[_CLOCK]
            state[_COUNT] += 1
            state[CACHED] += capacity
            _unlock(state)
            return
        old = _oldest(state, -1)
        _unlock(state)
        _discard(state, old)


def _resize(state, data, size):
    """Another block with what is in this one, or 0, which leaves it as it is."""
    before, word = load(data, -_HEADER, np.intp), load(data, -_WORD, np.intp)
    if size < _LARGE and word >> _SHIFT == 0:
        # By the heap: NumPy keeps the smallest blocks in lists that only the GIL protects.
        if _reserve(state, size, size - before) == 0:
            return 0
        _note_peak(state)
        _unlock(state)
        start = _call(state[_REALLOC], (state[_CONTEXT], data - _HEADER, size + _HEADER))
        if start == 0:
            _lock(state)
            state[HELD] -= size - before
            _unlock(state)
            return 0
        store(start, 0, size)
        return start + _HEADER
    made = _allocate(state, size, 0)
    if made != 0:
        copy(data, made, _least(before, size))
        _deallocate(state, data)
    return made


def _malloc(state, size):
    return _allocate(state, size, 0)


def _calloc(state, count, width):
    return _allocate(state, count * width, 1)


def _realloc(state, data, size):
    return _allocate(state, size, 0) if data == 0 else _resize(state, data, size)


def _free(state, data, shape):
    """``shape``: the size of the array, which may have been given another shape."""
    if data != 0:
        _deallocate(state, data)


def _empty(state):
    start = -1
    while start != 0:
        _lock(state)
        start = _oldest(state, -1)
        _unlock(state)
        if start != 0:
            _discard(state, start)


_w = types.intp
_FUNCTIONS = {}  # compiled, by their names
with compiling():
    for _function, _signature in (
        (_oldest, _w(ADDRESSES, _w)), (_fitting, _w(ADDRESSES, _w)), (_trim, types.void(ADDRESSES, _w)),
        (_reserve, _w(ADDRESSES, _w, _w)), (_allocate, _w(ADDRESSES, _w, _w)), (_deallocate, types.void(ADDRESSES, _w)),
        (_resize, _w(ADDRESSES, _w, _w)), (_malloc, _w(ADDRESSES, _w)), (_calloc, _w(ADDRESSES, _w, _w)),
        (_realloc, _w(ADDRESSES, _w, _w)), (_free, types.void(ADDRESSES, _w, _w)), (_empty, types.void(ADDRESSES)),
    ):  # fmt: skip
        _name = _function.__name__
        _FUNCTIONS[_name] = cfunc(_signature, cache=True, error_model="numpy")(_function)
        # Those that follow call it rather than take a copy of it in.
        globals()[_name] = linked("tapegrad" + _name, _FUNCTIONS[_name])


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
    called = [_FUNCTIONS["_" + name].address for name in ("malloc", "calloc", "realloc", "free")]
    handler = _Handler(b"tapegrad", 1, ctypes.addressof(STATE), *called)
    # Arrays may outlive every Python object: nothing of this is ever freed.
    for kept in (STATE, handler, _NAME, *_FUNCTIONS.values()):
        _python.Py_IncRef(ctypes.py_object(kept))
    return _capsule_of(ctypes.addressof(handler), _NAME, None)


STATE[LIMIT] = STATE[ROOM] = sys.maxsize
_default, _capsule = _get_handler(), _make()
empty = _FUNCTIONS["_empty"]  # by which a manifest knows this module


def _alone():
    """In a forked child: the thread that held the lock is not there."""
    STATE[_LOCK] = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)


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
        empty.ctypes(STATE)
