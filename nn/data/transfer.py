"""Objects from one process to another: arrays travel as they are, large ones in shared memory.

Shared memory is a file without a name (Linux): what is no longer used vanishes, also when a process is killed, and the
size of ``/dev/shm`` does not matter. Elsewhere, and for little, the bytes go through the pipe.
"""

from __future__ import annotations

import mmap
import os
import pickle
from multiprocessing import reduction
from typing import Any

__all__ = ["receive", "send"]

LARGE = 1 << 18  # bytes: from here on mapping shared memory takes less time than a pipe
ALIGNMENT = 64
SHARES = hasattr(os, "memfd_create")
POPULATED = getattr(mmap, "MAP_SHARED", 0) | getattr(mmap, "MAP_POPULATE", 0)


def send(connection: Any, obj: Any) -> None:
    """Send an object through one end of a duplex pipe.

    Raises:
        Exception: what pickling raises; nothing has been sent then.
    """
    found: list[pickle.PickleBuffer] = []
    head = pickle.dumps(obj, 5, buffer_callback=found.append)
    parts = [buffer.raw() for buffer in found]
    sizes = [part.nbytes for part in parts]
    if SHARES and sum(sizes) >= LARGE:
        number = _shared(parts)
        try:
            connection.send((head, sizes, True))
            reduction.send_handle(connection, number, None)
        finally:
            os.close(number)
        return
    connection.send((head, sizes, False))
    for part in parts:
        if part.nbytes:
            connection.send_bytes(part)


def receive(connection: Any) -> Any:
    """The object that was sent from the other end.

    Raises:
        EOFError: the other end is closed.
    """
    head, sizes, shared = connection.recv()
    if shared:
        return pickle.loads(head, buffers=_mapped(reduction.recv_handle(connection), sizes))
    parts = [bytearray(size) for size in sizes]
    for part in parts:
        if part:
            connection.recv_bytes_into(part)
    return pickle.loads(head, buffers=parts)


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _shared(parts: list[memoryview]) -> int:
    """The number of a file in memory that holds the parts one after another."""
    number = os.memfd_create("tapegrad-batch")
    place = 0
    try:
        os.ftruncate(number, sum(_padded(part.nbytes) for part in parts))
        for part in parts:
            written = 0
            while written < part.nbytes:
                written += os.pwrite(number, part[written:], place + written)
            place += _padded(part.nbytes)
    except BaseException:
        os.close(number)
        raise
    return number


def _mapped(number: int, sizes: list[int]) -> list[memoryview]:
    try:
        whole = memoryview(mmap.mmap(number, sum(map(_padded, sizes)), POPULATED))
    finally:
        os.close(number)
    parts, place = [], 0
    for size in sizes:
        parts.append(whole[place : place + size])
        place += _padded(size)
    return parts
