"""How much memory CPU arrays take, a limit to it, and the memory that is kept for the next ones.

From the first large operation of the Numba backend on (or the first call of a function here) NumPy takes the memory of
arrays from a handler of tapegrad's: it counts the bytes, and keeps large blocks that come back, at most as many as
make up, with those in use, what was in use at the highest point. Threads join in at their first large operation.
Arrays that were made before do not count. ``TAPEGRAD_MEMORY_CACHE=0`` leaves NumPy's own handler in place.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache, wraps
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .array.math import UFUNCS
from .errors import OutOfMemoryError
from .wrapped import wrapped_class

__all__ = ["MemoryLimitError", "Report", "empty_cache", "explain", "ready", "report", "reset_peak", "set_limit"]


class MemoryLimitError(OutOfMemoryError, MemoryError):
    """An operation asked for more memory than ``set_limit`` allows."""


class Report(NamedTuple):
    """Bytes of CPU memory.

    Attributes:
        held: by the arrays that there are.
        cached: kept for the next ones.
        peak: the most that was held at once, since the start or ``reset_peak``.
        limit: what ``held`` and ``cached`` may come to, or None.
    """

    held: int
    cached: int
    peak: int
    limit: int | None


_lock = threading.Lock()
_limited: dict[type, type] = {}  # class of a backend -> the subclass that explains a refusal
_limit: int | None = None
_wanted = os.environ.get("TAPEGRAD_MEMORY_CACHE", "").strip() != "0"

# Methods that make no array.
FREE = {
    "bind_ufuncs",
    "current_index",
    "kernel",
    "normal",
    "on",
    "owned",
    "settings",
    "shares",
    "synchronize",
    "versions",
}


def ready() -> bool:
    """Let the arrays of this thread be counted from now on; returns whether that is so."""
    return _wanted and bool(_allocator().install())


@cache
def _allocator() -> Any:
    from .numba_kernels import allocator

    return allocator


def _counting(name: str) -> Any:
    """The allocator, in use.

    Raises:
        RuntimeError: NumPy's memory is somebody else's.
    """
    if not ready():
        raise RuntimeError(
            f"memory.{name}: nothing is counted: TAPEGRAD_MEMORY_CACHE=0 is set, or the program has given NumPy a "
            "memory handler of its own"
        )
    return _allocator()


def report() -> Report:
    """Bytes held by CPU arrays, kept for the next ones, the most held so far, and the limit.

    >>> import tapegrad as tg
    >>> before = tg.memory.report().held
    >>> x = tg.zeros(1000, 1000)
    >>> tg.memory.report().held - before >= 4_000_000
    True
    """
    a = _counting("report")
    return Report(a.STATE[a.HELD], a.STATE[a.CACHED], a.STATE[a.PEAK], _limit)


def reset_peak() -> None:
    """Count the peak anew, from what is held now."""
    a = _counting("reset_peak")
    a.STATE[a.PEAK] = a.STATE[a.HELD]


def empty_cache() -> None:
    """Give the memory that is kept for the next arrays back to the system."""
    _counting("empty_cache").empty_cache()


def set_limit(bytes: int | None) -> None:
    """Let CPU arrays hold no more than so many bytes, in all threads.

    An operation that would need more raises `MemoryLimitError`. The arrays that are kept for later make way. What a
    library takes for itself, such as the buffers of a matrix product, does not count.

    Args:
        bytes: the limit; None for none.

    Raises:
        ValueError: negative.
    """
    global _limit
    if bytes is not None and bytes < 0:
        raise ValueError(f"memory.set_limit: bytes must not be negative, got {bytes}")
    a = _counting("set_limit")
    with _lock:
        a.STATE[a.LIMIT] = _UNLIMITED if bytes is None else int(bytes)
        _limit = None if bytes is None else int(bytes)
        if bytes is not None and a.STATE[a.HELD] + a.STATE[a.CACHED] > bytes:
            a.empty_cache()
        _exchange(bytes is not None)


_UNLIMITED = 2**63 - 1


def _exchange(limited: bool) -> None:
    """Let the backends of the CPU explain refusals, or no longer."""
    from . import registry
    from .device import device

    for name in ("numpy", "numba"):
        backend = registry.get(name)
        kind = type(backend)
        if limited and kind not in _limited.values():
            backend.__class__ = _limited.setdefault(kind, wrapped_class(kind, _told, FREE))
        elif not limited and kind in _limited.values():
            backend.__class__ = kind.__base__
        for ufunc in UFUNCS:
            vars(backend).pop(ufunc, None)
        backend.bind_ufuncs()
    where = device("cpu")
    if where.backend is not None:
        registry.bind(where, where.backend)


def explain(name: str, error: MemoryError) -> None:
    """Say what the limit allows, if it is the limit that refused an array; else return.

    Args:
        name: the operation.
        error: what NumPy or a kernel raised; NumPy's has the shape and the type of the array.

    Raises:
        MemoryLimitError: it is.
    """
    if _limit is None or isinstance(error, MemoryLimitError):
        return
    a, shape = _allocator(), getattr(error, "shape", None)  # of NumPy's error
    asked = a.STATE[a.REFUSED]
    if shape is not None and prod(shape) * getattr(error, "dtype", np.dtype("b")).itemsize != asked:
        return
    if asked:
        a.STATE[a.REFUSED] = 0
        raise MemoryLimitError(
            f"{name}: {_size(asked)} asked for; arrays hold {_size(a.STATE[a.HELD])} of the "
            f"{_size(a.STATE[a.LIMIT])} that tapegrad.memory.set_limit allows. Make batches smaller, let go of "
            "tensors, or raise the limit"
        ) from error


def _told(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """``run``, telling in full what memory there is when there is too little."""

    @wraps(run)
    def limited(*args: Any, **options: Any) -> Any:
        a = _allocator()
        a.install()  # the thread may be new
        a.STATE[a.REFUSED] = 0
        try:
            return run(*args, **options)
        except MemoryError as error:
            explain(name, error)
            raise

    return limited


def _size(count: int) -> str:
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 2**power:
            return f"{count / 2**power:.2f} {unit}"
    return f"{count} bytes"
