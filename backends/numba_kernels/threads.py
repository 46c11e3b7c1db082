"""Several threads for one large operation.

The kernels release the GIL, so plain Python threads share the work: no thread layer of Numba's is touched. Those of
its wheels are not safe to use from a library: ``workqueue`` aborts the process when two Python threads enter it, the
OpenMP one kills a forked child and, spinning, starves the threads of NumPy's matrix product; and whichever is launched
first is the host program's as well. Here any number of callers may run at once, since each does its own work and the
helpers only take pieces off it, and a forked child starts without helpers and works alone.

A helper that sleeps needs 5 to 50 microseconds to wake up, more on a virtual machine. The caller does not wait for
that: whoever is ready takes the next piece. Work of less than half a millisecond is better left to one thread.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

__all__ = ["get_num_threads", "set_num_threads", "split"]


class _Job:
    """The pieces of one operation; every thread that calls :meth:`work` takes some until none is left."""

    def __init__(self, run: Callable[[int, int], object], size: int, pieces: int) -> None:
        self.run, self.size, self.pieces = run, size, pieces
        self.taken, self.finished = itertools.count(), itertools.count(1)
        self.done = threading.Lock()
        self.done.acquire()
        self.error: BaseException | None = None

    def work(self) -> None:
        for piece in self.taken:
            if piece >= self.pieces:
                return
            try:
                self.run(self.size * piece // self.pieces, self.size * (piece + 1) // self.pieces)
            except BaseException as error:  # raised again by the thread that waits for the whole
                self.error = error
            if next(self.finished) == self.pieces:
                self.done.release()


_count = 1
_queue: SimpleQueue[_Job] = SimpleQueue()
_helpers = 0
_lock = threading.Lock()


def split(run: Callable[[int, int], object], size: int, grain: int) -> None:
    """Call ``run(start, stop)`` for consecutive ranges that make up ``range(size)``, on several threads at once.

    Args:
        run: works on one range; it must release the GIL for most of its time.
        size: how much there is to do.
        grain: the least that is worth a piece of its own.

    Raises:
        BaseException: what ``run`` raised, after all pieces have ended.
    """
    pieces = min(size // grain, 4 * _count)
    if _count == 1 or pieces < 2:
        run(0, size)
        return
    job = _Job(run, size, pieces)
    _hire(_count - 1)
    for _ in range(min(_count, pieces) - 1):
        _queue.put(job)
    job.work()
    job.done.acquire()
    if job.error is not None:
        raise job.error


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


def _hire(count: int) -> None:
    global _helpers
    if _helpers >= count:
        return
    with _lock:
        while _helpers < count:
            threading.Thread(target=_help, args=(_queue,), name="tapegrad helper", daemon=True).start()
            _helpers += 1


def _help(queue: SimpleQueue[_Job]) -> None:
    while True:
        queue.get().work()


def _alone() -> None:
    """In a forked child: the helpers were not copied, and a lock may be held by a thread that was not either."""
    global _count, _queue, _helpers, _lock
    _count, _queue, _helpers, _lock = 1, SimpleQueue(), 0, threading.Lock()


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
