"""What the stand-in for cupy knows of pinned memory: copies that are put off until something waits for them.

On a card such a copy takes place at some time between the call and the next wait; here it does so as late as it may.
Memory that nobody holds any more is scribbled over, as the next owner of it would.
"""

import ctypes
from types import SimpleNamespace

import numpy as np

HOST, UNREGISTERED = 1, 0  # of cudaMemoryType


class Stream:
    """A stream: the copies put off in it."""

    def __init__(self, ptr):
        self.ptr, self.pending, self.begun, self.ended = ptr, [], 0, 0

    def put_off(self, copy):
        self.pending.append(copy)
        self.begun += 1

    def flush(self):
        for copy in self.pending:
            copy()
        self.pending.clear()
        self.ended = self.begun

    def synchronize(self):
        self.flush()

    @property
    def done(self):
        return not self.pending

    def record(self):
        return Event(self)

    def wait_event(self, event):
        event.synchronize()


class Event:
    """A mark in a stream."""

    def __init__(self, stream):
        self._stream, self._at = stream, stream.begun

    @property
    def done(self):
        return self._stream.ended >= self._at

    def synchronize(self):
        self._stream.flush()


STREAM = Stream(1)
ranges = {}  # address of pinned memory -> its size


def alloc_pinned_memory(size):
    """Memory with the buffer protocol."""
    backing = bytearray(size)

    class Pinned(ctypes.c_char * size):
        def __del__(self):
            ranges.pop(self.address, None)
            backing[:] = b"\xff" * size

    made = Pinned.from_buffer(backing)
    made.address = ctypes.addressof(made)
    made.backing = backing
    ranges[made.address] = size
    kept.append(backing)
    return made


kept = []  # pinned memory goes back to the pool, not to the system


def pointer_attributes(address):
    held = any(start <= address < start + size for start, size in ranges.items())
    return SimpleNamespace(type=HOST if held else UNREGISTERED)


def is_pinned(array):
    return pointer_attributes(array.ctypes.data).type == HOST


def put_off(target, source):
    """Copy memory to memory at the next wait, without holding either."""
    there, here, size = target.ctypes.data, source.ctypes.data, source.nbytes
    STREAM.put_off(lambda: ctypes.memmove(there, here, size))


def array_from_pinned(array, dtype, order):
    """A NumPy array into which a contiguous pinned one is copied later."""
    assert array.flags.c_contiguous
    assert dtype in (None, array.dtype)
    made = np.empty(array.shape, array.dtype)
    made.view(np.uint8 if made.ndim else made.dtype).fill(255)
    put_off(made, array)
    return made
