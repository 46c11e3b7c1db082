"""Several cards, and their memory: what stands around every kernel of the CuPy backend."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from .errors import OutOfMemoryError
from .wrapped import wrapped_class

__all__ = ["PeakCounter", "card_class", "guarded"]

# Methods that neither make an array nor start work on a card.
FREE = {
    "bind_ufuncs", "current_index", "draws", "is_pinned", "kernel", "normal", "on", "owned", "peak", "reset_peak",
    "settings", "shares", "transfer", "versions", "watching_solvers",
}  # fmt: skip


def guarded(run: Callable[..., Any], xp: Any, where: tuple[str, int], several: bool) -> Callable[..., Any]:
    """``run`` with its card current, telling in full what memory there is when there is too little.

    Args:
        run: a kernel.
        xp: the array module.
        where: the type and number of the device.
        several: whether there are other cards, so that the current one must be looked at.
    """
    shortage, runtime, index = xp.cuda.memory.OutOfMemoryError, xp.cuda.runtime, where[1]

    @wraps(run)
    def on_the_only_card(*args: Any, **options: Any) -> Any:
        try:
            return run(*args, **options)
        except shortage as error:
            raise _told(xp, where, error) from error

    if not several:
        return on_the_only_card

    @wraps(run)
    def on_one_card(*args: Any, **options: Any) -> Any:
        before = runtime.getDevice()
        if before == index:
            return on_the_only_card(*args, **options)
        runtime.setDevice(index)
        try:
            return on_the_only_card(*args, **options)
        finally:
            runtime.setDevice(before)

    return on_one_card


def card_class(cls: type, xp: Any, index: int, several: bool) -> type:
    """A subclass of the backend ``cls`` in which every method that works on a card is guarded."""
    where = cls.device_type, index  # type: ignore[attr-defined]
    return wrapped_class(cls, lambda name, run: guarded(run, xp, where, several), FREE)


def _told(xp: Any, where: tuple[str, int], error: Exception) -> OutOfMemoryError:
    """The error with how much was asked for, how much is held, and how much is free."""
    asked = re.search(r"allocating ([\d,]+) bytes", str(error))
    size = _gib(int(asked[1].replace(",", ""))) if asked else "memory"
    pool = xp.get_default_memory_pool()
    free, total = xp.cuda.runtime.memGetInfo()
    return OutOfMemoryError(
        f"{where[0]}:{where[1]} is out of memory: {size} asked for; arrays hold {_gib(pool.used_bytes())}, the pool "
        f"keeps {_gib(pool.free_bytes())} more for later, {_gib(free)} of {_gib(total)} are free on the card. Make "
        "batches smaller, or let go of tensors and call tapegrad.cuda.empty_cache()"
    )


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB" if size >= 2**27 else f"{size / 2**20:.2f} MiB"


class PeakCounter:
    """Counts the most bytes that arrays hold at once, card by card.

    CuPy's pool keeps no such count. From the first reset on, an allocator around the one in use looks at the pool
    after each allocation.
    """

    _made: dict[int, PeakCounter] = {}

    def __init__(self, xp: Any) -> None:
        self._xp = xp
        self._peaks: dict[int, int] = {}

    @classmethod
    def of(cls, xp: Any) -> PeakCounter:
        """The counter of an array module: there is one allocator, so there is one counter."""
        return cls._made.setdefault(id(xp), cls(xp))

    def reset(self, index: int) -> None:
        """Begin to count anew on one card."""
        if not self._peaks:
            self._around(self._xp.cuda.get_allocator())
        with self._xp.cuda.Device(index):
            self._peaks[index] = self._xp.get_default_memory_pool().used_bytes()

    def peak(self, index: int) -> int:
        """The most bytes since the reset; without one, what the pool has taken from the card."""
        with self._xp.cuda.Device(index):
            pool = self._xp.get_default_memory_pool()
            return int(max(self._peaks[index], pool.used_bytes()) if index in self._peaks else pool.total_bytes())

    def _around(self, allocate: Callable[[int], Any]) -> None:
        peaks, pool, runtime = self._peaks, self._xp.get_default_memory_pool(), self._xp.cuda.runtime

        def counted(size: int) -> Any:
            memory = allocate(size)
            index, used = runtime.getDevice(), pool.used_bytes()
            if used > peaks.get(index, used):
                peaks[index] = used
            return memory

        self._xp.cuda.set_allocator(counted)
