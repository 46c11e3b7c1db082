"""Several threads for one large operation.

The kernels release the GIL, so plain Python threads share the work: no thread layer of Numba's is touched. Those of
its wheels are not safe to use from a library: ``workqueue`` aborts the process when two Python threads enter it, the
OpenMP one kills a forked child and, spinning, starves the threads of NumPy's matrix product; and whichever is launched
first is the host program's as well. Here one caller at a time has the helpers and any other works alone; so does a
forked child, which starts without helpers.

A helper that sleeps needs 5 to 50 microseconds to wake up, more on a virtual machine. The caller does not wait for
that: whoever is ready takes the next piece. And a helper that has just worked stays awake a little, since one operation
follows another; meanwhile it gives way to any thread that has something to do, such as those of the matrix product.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["get_num_threads", "set_num_threads", "share", "split"]

AWAKE = 200  # turns of a microsecond or two in which a helper looks for another job before it sleeps
POLITE = 4  # turns that a helper leaves to the caller, so that both do not want the GIL at once


class _Team:
    """The helping threads of this process and the memory of their job."""

    def __init__(self) -> None:
        from . import team

        self.lead, self.serve, self.opened, self.most = team.lead.ctypes, team.serve.ctypes, team.opened, team.MOST
        self.block = team.block()
        self.address = ctypes.addressof(self.block)
        self.helpers = 0
        self.asleep: dict[int, threading.Lock] = {}  # by the helper's number what wakes it up when released

    def run(self, function: int, argument: int, size: int, pieces: int, pause: int) -> None:
        wanted = min(_count, pieces, self.most) - 1
        while self.helpers < wanted:
            threading.Thread(target=self._help, args=(self.helpers,), name="tapegrad helper", daemon=True).start()
            self.helpers += 1
        for number in list(self.asleep):
            bed = self.asleep.pop(number, None) if number < wanted else None
            if bed is not None:  # it may have got up by itself
                bed.release()
        self.lead(self.address, function, argument, size, pieces, wanted, pause)

    def _help(self, number: int) -> None:
        bed = threading.Lock()
        bed.acquire()
        while True:
            place = self.serve(self.address, number, AWAKE)
            if place >= 0 and _moved_from(place):
                continue
            self.asleep[number] = bed
            if self.opened(self.block) and self.asleep.pop(number, None):
                continue  # a job was opened while this thread waited for the GIL
            bed.acquire()


def _moved_from(processor: int) -> bool:
    """Whether the calling thread could be put on another processor; the system may put it back later."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    try:
        usable = os.sched_getaffinity(0)
        others = usable - {processor}
        if others:
            os.sched_setaffinity(0, others)
            os.sched_setaffinity(0, usable)
    except OSError:  # not allowed here
        return False
    return bool(others)


_count = 1
_team: _Team | None = None
_free = threading.Lock()  # held by the caller that has the helpers
_Piece = ctypes.CFUNCTYPE(None, ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.c_ssize_t)


def split(run: Callable[[int, int], object], size: int, grain: int) -> None:
    """Call ``run(start, stop)`` for consecutive ranges that make up ``range(size)``, on several threads at once.

    Args:
        run: works on one range; it must release the GIL for most of its time.
        size: how much there is to do.
        grain: the least that is worth a piece of its own.

    Raises:
        BaseException: what ``run`` raised, after all pieces have ended.
    """
    errors: list[BaseException] = []

    def piece(_: int, start: int, stop: int) -> None:
        try:
            run(start, stop)
        except BaseException as error:  # raised again by the thread that waits for the whole
            errors.append(error)

    pieces = min(size // grain, 4 * _count)
    if _count == 1 or pieces < 2:
        run(0, size)
        return
    called = _Piece(piece)
    address = ctypes.c_ssize_t.from_buffer(called).value  # `ctypes.cast` would leave a cycle, and `run` in it
    if not share(address, 0, size, grain, POLITE):
        for k in range(pieces):  # the same ones, or sums over pieces would depend on who is busy
            run(size * k // pieces, size * (k + 1) // pieces)
    if errors:
        raise errors[0]


def share(function: Any, argument: int, size: int, grain: int, pause: int = 0, pieces: int = 0) -> bool:
    """As `split`, of a C function ``void(intp argument, intp start, intp stop)``, by its address.

    Args:
        pause: how often a helper gives way before it begins.
        pieces: how many; 0 for what suits the grain and the number of threads.

    Returns:
        Whether it was done: not where one thread is to work, or another caller has the helpers.
    """
    global _team
    pieces = pieces or min(size // grain, 4 * _count)
    if _count == 1 or pieces < 2 or not _free.acquire(False):
        return False
    try:
        if _team is None:
            _team = _Team()
        _team.run(function, argument, size, pieces, pause)
    finally:
        _free.release()
    return True


def get_num_threads() -> int:
    """How many threads one operation may use."""
    return _count


def set_num_threads(count: int) -> None:
    """Let one operation use up to ``count`` threads; the default is ``TAPEGRAD_NUM_THREADS``, else
    ``OMP_NUM_THREADS``, else all processors.

    Raises:
        ValueError: less than one.
    """
    global _count
    if count < 1:
        raise ValueError(f"set_num_threads: count must be at least 1, not {count}")
    _count = count


def _alone() -> None:
    """In a forked child: the helpers were not copied, and a lock may be held by a thread that was not either."""
    global _count, _team, _free
    _count, _team, _free = 1, None, threading.Lock()


def _default_count() -> int:
    wanted = os.environ.get("TAPEGRAD_NUM_THREADS", "").strip()
    if wanted:
        if not wanted.isdecimal() or int(wanted) < 1:
            raise ValueError(f"TAPEGRAD_NUM_THREADS must be a number from 1 on, not '{wanted}'")
        return int(wanted)
    of_openmp = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # one number for each level
    if of_openmp.isdecimal() and int(of_openmp) > 0:
        return int(of_openmp)
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


_count = _default_count()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)
