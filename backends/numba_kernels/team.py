"""The compiled half of :mod:`.threads`: several threads take the pieces of one job until none is left.

A job lies in a block of words, those that threads write far from each other: how many pieces of each share are taken,
how many have ended, how many helpers are in it, and how many jobs there were. A helper that sees a new job needs no
lock and no interpreter to take part, so it begins within a microsecond.

Every thread has a share of the pieces that lie side by side, so that it finds in its cache what it wrote in the last
job of the size, and takes from the others' when it has done its own. Between jobs the counters at `TAKEN` are so large
that nobody finds a piece. The next job is filled in when no helper is in the last one any more, and opened by setting
them to 0.
"""

import ctypes
import platform

import numpy as np
from llvmlite import ir
from numba import cfunc, types
from numba.core import cgutils
from numba.extending import intrinsic

from .cache import compiling
from .compiled import helper
from .pointers import load, store
from .system import give_way, of_system

__all__ = ["MOST", "block", "lead", "opened", "serve"]

_BYTES = types.intp.bitwidth // 8
_LINE = 16  # words between two that different threads write: two cache lines, since processors fetch them in pairs
MOST = 64  # threads
ENDED, INSIDE, POSTED, JOB, TAKEN = (k * _LINE for k in range(5))
# From JOB on: the address of the function, its first argument, the size of the work, the number of pieces, how many
# helpers may take part, and how often a helper gives way before it does.
_FUNCTION, _ARGUMENT, _SIZE, _PIECES, _HELPERS, _PAUSE, _PLACE = (_BYTES * (JOB + k) for k in range(7))
_LOOKS = 64
_CLOSED = 1 << (types.intp.bitwidth - 2)


def block():
    """The memory of a team, to be kept as long as any of its threads; its address is what the functions take."""
    words = (ctypes.c_ssize_t * (TAKEN + MOST * _LINE))()
    for thread in range(MOST):
        words[TAKEN + thread * _LINE] = _CLOSED
    return words


def _word(builder, context, address):
    return builder.inttoptr(address, context.get_value_type(types.intp).as_pointer())


@intrinsic
def _read(typingctx, address):
    """The word at ``address`` as other threads left it."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(_word(builder, context, args[0]), "seq_cst", _BYTES)

    return types.intp(types.intp), codegen


@intrinsic
def _write(typingctx, address, value):
    """Set the word at ``address``; who reads it there sees all that was written before."""

    def codegen(context, builder, signature, args):
        builder.store_atomic(args[1], _word(builder, context, args[0]), "seq_cst", _BYTES)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen


@intrinsic
def _add(typingctx, address, value):
    """Add to the word at ``address`` in one step; returns what was there."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", _word(builder, context, args[0]), args[1], "seq_cst")

    return types.intp(types.intp, types.intp), codegen


@intrinsic
def _call(typingctx, function, argument, start, stop):
    """Call the C function at the address ``function``."""

    def codegen(context, builder, signature, args):
        word = context.get_value_type(types.intp)
        kind = ir.FunctionType(ir.VoidType(), [word] * 3)
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), codegen


with compiling():
    _unknown = cfunc(types.int32(), cache=True)(lambda: np.int32(-1)).ctypes
processor = of_system("sched_getcpu", "GetCurrentProcessorNumber", _unknown)  # macOS has none


def opened(words):
    """Whether a job is under way in the memory of :func:`block`."""
    return words[TAKEN] < _CLOSED


@intrinsic
def _pause(typingctx):
    """A moment in which the processor does little, so that the other thread of a core is not disturbed."""

    def codegen(context, builder, signature, args):
        if platform.machine() in ("x86_64", "AMD64"):
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@helper
def _await(address, value, less):
    """Look a moment whether the word at ``address`` is another (or, with ``less``, not less); then give way."""
    for _ in range(_LOOKS):
        word = _read(address)
        if (word >= value) if less else (word != value):
            return True
        _pause()
    give_way()
    return False


@helper
def _taken(block, share):
    """The address of the counter of a share."""
    return block + _BYTES * (TAKEN + share * _LINE)


@helper
def _work(block, thread):
    """Take pieces until none is left, those of the own share first."""
    threads = load(block, _HELPERS, np.intp) + 1
    size, pieces = load(block, _SIZE, np.intp), load(block, _PIECES, np.intp)
    for k in range(threads):
        share = (thread + k) % threads
        first, end = pieces * share // threads, pieces * (share + 1) // threads
        while True:
            piece = first + _add(_taken(block, share), 1)
            if piece >= end:
                break
            start, stop = size * piece // pieces, size * (piece + 1) // pieces
            _call(load(block, _FUNCTION, np.intp), load(block, _ARGUMENT, np.intp), start, stop)
            _add(block + _BYTES * ENDED, 1)


def _lead(block, function, argument, size, pieces, helpers, pause):
    """Do a job with whoever helps; return when all its pieces have ended."""
    while _read(block + _BYTES * INSIDE) > 0:  # in the job before
        _pause()
    store(block, _FUNCTION, function)
    store(block, _ARGUMENT, argument)
    store(block, _SIZE, size)
    store(block, _PIECES, pieces)
    store(block, _HELPERS, helpers)
    store(block, _PAUSE, pause)
    store(block, _PLACE, np.intp(processor()))
    _write(block + _BYTES * ENDED, 0)
    for share in range(helpers + 1):
        _write(_taken(block, share), 0)
    _add(block + _BYTES * POSTED, 1)
    _work(block, 0)
    while not _await(block + _BYTES * ENDED, pieces, True):
        pass
    for share in range(helpers + 1):
        _write(_taken(block, share), _CLOSED)


def _serve(block, helper, turns):
    """Help with every job that is opened, until none has been for a time.

    Returns:
        -1, or earlier the processor if it is the one where the caller works: both cannot at once.
    """
    seen, turn = _read(block + _BYTES * POSTED) - 1, 0
    while turn < turns:
        if not _await(block + _BYTES * POSTED, seen, False):
            if 0 <= processor() == load(block, _PLACE, np.intp):
                return processor()
            turn += 1
            continue
        seen, turn = _read(block + _BYTES * POSTED), 0
        _add(block + _BYTES * INSIDE, 1)
        if _read(_taken(block, 0)) < _CLOSED and helper < load(block, _HELPERS, np.intp):
            for _ in range(load(block, _PAUSE, np.intp) * _LOOKS):
                _pause()
            _work(block, helper + 1)
        _add(block + _BYTES * INSIDE, -1)
    return np.int32(-1)


with compiling():
    lead = cfunc(types.void(*[types.intp] * 7), cache=True)(_lead)
    serve = cfunc(types.int32(*[types.intp] * 3), cache=True)(_serve)
