"""The parent's side of a loader with worker processes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import wait
from typing import Any

from .transfer import receive, send
from .worker import AGAIN, DATA, END, ERROR, STARTED, Job, ends, work

__all__ = ["Pool", "context_of"]

LAST_WORD = 5.0  # seconds that a process whose pipe is closed has to be gone
PATIENCE = 0.5  # seconds to wait for workers that have been told to leave


def context_of(wanted: Any) -> Any:
    """The way to start processes: what the user says, or else ``fork`` on Linux, since scripts lack a main guard.

    Raises:
        ValueError: the name of no start method. TypeError: neither a name nor a context.
    """
    if wanted is None:
        chosen = multiprocessing.get_start_method(allow_none=True)
        return multiprocessing.get_context("fork" if chosen is None and sys.platform == "linux" else chosen)
    if isinstance(wanted, str):
        methods = multiprocessing.get_all_start_methods()
        if wanted not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods!r}, but got {wanted!r}"
            )
        return multiprocessing.get_context(wanted)
    if not hasattr(wanted, "Process"):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got {wanted!r}"
        )
    return wanted


class Pool:
    """Worker processes, the tasks that they were given, and the batches that came back.

    Args:
        jobs: for each worker what it is given at its start.
        context: the way to start them.
        ahead: how many tasks a worker has at most.
        timeout: seconds to wait for a batch; 0 for ever.
        in_order: give the batches in the order of their tasks.
    """

    def __init__(self, jobs: list[Job], context: Any, ahead: int, timeout: float, in_order: bool) -> None:
        self._ahead, self._timeout, self._in_order = ahead, timeout, in_order
        self._owner = os.getpid()
        self._processes: list[Any] = []
        self._pipes: list[Any] = []
        self._open = True
        self.failed = False  # whether a worker was lost
        try:
            for job in jobs:
                self._start(job, context)
        except BaseException:
            self.close(at_once=True)
            raise
        self._forget(iter(()))

    def _start(self, job: Job, context: Any) -> None:
        own, theirs = context.Pipe(duplex=True)
        ends.add(own)
        self._pipes.append(own)
        try:
            process = context.Process(target=work, args=(job, theirs), daemon=True)
            process.start()
        finally:
            theirs.close()
        self._processes.append(process)

    def _forget(self, tasks: Iterator[Any]) -> None:
        self._tasks, self._next, self._wanted = tasks, 0, 0
        self._given: dict[int, int] = {}  # number of a task -> which worker has it
        self._made: dict[int, tuple[str, Any]] = {}
        self._going = [True] * len(self._processes)  # whether a worker has more to give
        self._turn = itertools.cycle(range(len(self._processes)))

    def begin(self, tasks: Iterator[Any], *, again: bool = False) -> None:
        """Start a pass over the data.

        Args:
            tasks: the indices of each batch.
            again: the workers have made a pass before: they begin their datasets anew.
        """
        if again:
            self._restart()
        self._forget(tasks)
        for _ in range(self._ahead * len(self._processes)):
            self._give()

    def _restart(self) -> None:
        """Wait until every worker has begun anew; what it had still been given is dropped."""
        self._restarted = 0
        for worker in range(len(self._processes)):
            self._tell(worker, (AGAIN, None))
        while self._restarted < len(self._processes):
            self._gather()

    def _tell(self, worker: int, message: Any) -> None:
        try:
            send(self._pipes[worker], message)
        except (BrokenPipeError, ConnectionResetError):
            self._lost(worker)

    def _give(self) -> None:
        """Give the next task to the next worker that has more to give."""
        try:
            indices = next(self._tasks)
        except StopIteration:
            return
        worker = self._chosen()
        if worker is None:
            return
        self._given[self._next] = worker
        self._tell(worker, (self._next, indices))
        self._next += 1

    def _chosen(self) -> int | None:
        count = len(self._processes)
        turns = [w for w in itertools.islice(self._turn, count) if self._going[w]]
        if not turns:
            return None
        if self._in_order:
            found = turns[0]
        else:
            busy = list(self._given.values())
            found = min(turns, key=busy.count)
        # The circle goes on behind the chosen one.
        while next(self._turn) != found:
            pass
        return found

    def next(self) -> Any:
        """The next batch.

        Raises:
            StopIteration: there is none. RuntimeError: a worker was killed, or none came in time.
            Exception: what the dataset or ``collate_fn`` raised, with the worker's traceback as its text.
        """
        while True:
            number = self._due()
            if number is None:
                raise StopIteration
            if number not in self._made:
                self._gather()
                continue
            del self._given[number]
            kind, content = self._made.pop(number)
            self._give()
            if kind == DATA:
                return content
            if kind == ERROR:
                raise content.again()

    def _due(self) -> int | None:
        """The number of the task whose batch comes next; None at the end."""
        if not self._in_order and self._made:
            return next(iter(self._made))
        while self._wanted < self._next:
            worker = self._given.get(self._wanted)
            if worker is not None and (self._going[worker] or self._wanted in self._made):
                return self._wanted
            self._given.pop(self._wanted, None)  # of a worker that has no more
            self._wanted += 1
        return None

    def _gather(self) -> None:
        """Wait for at least one answer, and take all that are there."""
        by_pipe = {pipe: worker for worker, pipe in enumerate(self._pipes)}
        by_process = {process.sentinel: worker for worker, process in enumerate(self._processes)}
        ready = wait([*by_pipe, *by_process], self._timeout or None)
        if not ready:
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
        answered = [by_pipe[item] for item in ready if item in by_pipe]
        for worker in answered:
            self._take(worker)
        if not answered:
            self._lost(by_process[ready[0]])

    def _take(self, worker: int) -> None:
        try:
            number, kind, content = receive(self._pipes[worker])
        except (EOFError, ConnectionResetError):
            self._lost(worker)
            return
        if kind == STARTED:
            self._restarted += 1
            return
        if kind == END:
            self._going[worker] = False
        self._made[number] = kind, content

    def _lost(self, worker: int) -> None:
        self.failed = True
        process = self._processes[worker]
        process.join(LAST_WORD)
        code = process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            why = f"is killed by signal: {name} ({signal.strsignal(-code)})"
            if name == "SIGKILL":
                why += "; the system does that when memory runs out"
        else:
            why = f"exited unexpectedly with exit code {code}"
        raise RuntimeError(f"DataLoader worker {worker} (pid {process.pid}) {why}")

    def close(self, at_once: bool = False) -> None:
        """End the workers. One that is busy finishes its task first, or is ended by a signal where ``at_once`` is set.

        A worker that does not finish is ended together with the program.
        """
        if not self._open or os.getpid() != self._owner:
            return
        self._open = False
        for pipe in self._pipes:
            try:
                send(pipe, None)
            except (OSError, ValueError):
                continue  # it has ended by itself
            finally:
                pipe.close()
        if at_once:
            for process in self._processes:
                process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in self._processes:
            process.join(max(deadline - time.monotonic(), 0))
