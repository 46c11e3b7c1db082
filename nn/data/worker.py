"""What a worker process of a loader does."""

from __future__ import annotations

import gc
import os
import pickle
import random
import signal
import traceback
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import parent_process
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import numpy as np

from ...autograd.ops.random import manual_seed
from ...backends.blas import set_blas_threads
from ...backends.numba_kernels import threads
from .fetch import Ended, fetcher
from .info import WorkerInfo, tell
from .transfer import receive, send

__all__ = ["AGAIN", "DATA", "END", "ERROR", "STARTED", "Failure", "Job", "ends", "work"]

DATA, END, ERROR, STARTED = "data", "end", "error", "started"
AGAIN = -1  # in place of a task's number: begin the dataset anew
PATIENCE = 5.0  # seconds between two looks whether the parent lives

# The parent's ends of the pipes to all workers. A forked child closes its copies: else a pipe would outlive the parent.
ends: weakref.WeakSet[Any] = weakref.WeakSet()


@dataclass
class Job:
    """What a worker is given at its start."""

    dataset: Any
    collate_fn: Callable[[Any], Any]
    options: dict[str, Any]  # of ``fetcher``
    init: Callable[[int], Any] | None
    number: int
    count: int
    base_seed: int


@dataclass
class Failure:
    """An exception on its way to the parent: its class and what is to be printed."""

    kind: type[BaseException]
    text: str
    worker: int

    @classmethod
    def of(cls, error: BaseException, worker: int) -> Failure:
        """The failure that ``error`` is; of a class that cannot travel, a RuntimeError."""
        kind = type(error)
        try:
            pickle.dumps(kind)
        except Exception:  # pickling a class of the user's may raise anything
            kind = RuntimeError
        return cls(kind, "".join(traceback.format_exception(error)), worker)

    def again(self) -> BaseException:
        """The exception to raise in the parent, with the worker's traceback as its text."""
        name = self.kind.__name__
        text = f"Caught {name} in DataLoader worker process {self.worker}.\nOriginal {self.text}"
        try:
            return self.kind(_Lines(text) if self.kind is KeyError else text)
        except Exception:  # its constructor wants other arguments
            return RuntimeError(text)


class _Lines(str):
    """A text that KeyError prints as it is."""

    def __repr__(self) -> str:
        return str(self)


def work(job: Job, connection: Any) -> None:
    """Run a worker process until the parent says that it is enough, or is gone."""
    for end in list(ends):
        end.close()
    gc.freeze()  # what the parent made shall not be collected here: it may belong to a device's driver
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threads.set_num_threads(1)
    set_blas_threads(1)
    seed = job.base_seed + job.number
    random.seed(seed)
    manual_seed(seed)
    np.random.seed(numpy_seed(job.base_seed, job.number))
    tell(WorkerInfo(job.number, job.count, seed, job.dataset))
    fetch, failure = _begin(job, job.init)
    tasks: SimpleQueue[Any] = SimpleQueue()
    # Tasks are taken off the pipe at once, so that the parent never waits for a worker that waits for it.
    Thread(target=_listen, args=(connection, tasks), daemon=True).start()
    above = os.getppid()
    while True:
        try:
            task = tasks.get(timeout=PATIENCE)
        except Empty:
            parent = parent_process()
            if os.getppid() != above or (parent is not None and not parent.is_alive()):
                return
            continue
        if task is None:
            return
        number, indices = task
        if number == AGAIN:
            fetch, failure = _begin(job, None)
            answer: tuple[Any, ...] = (AGAIN, STARTED, None)
        elif failure is not None:
            answer, failure = (number, ERROR, failure), None
        else:
            answer = _answer(fetch, number, indices, job.number)
        try:
            send(connection, answer)
        except (BrokenPipeError, ConnectionResetError):
            return
        except Exception as error:  # the batch cannot be pickled
            send(connection, (number, ERROR, Failure.of(error, job.number)))
        del answer, task


def _begin(job: Job, init: Callable[[int], Any] | None) -> tuple[Any, Failure | None]:
    try:
        if init is not None:
            init(job.number)
        return fetcher(job.dataset, job.collate_fn, **job.options), None
    except Exception as error:
        return None, Failure.of(error, job.number)


def _answer(fetch: Any, number: int, indices: Any, worker: int) -> tuple[Any, ...]:
    if fetch is None:  # its start failed, which the parent knows
        return number, END, None
    try:
        return number, DATA, fetch(indices)
    except Ended:
        return number, END, None
    except Exception as error:
        return number, ERROR, Failure.of(error, worker)


def _listen(connection: Any, tasks: SimpleQueue[Any]) -> None:
    task: Any = True
    while task is not None:
        try:
            task = receive(connection)
        except (EOFError, OSError):
            task = None
        tasks.put(task)


def numpy_seed(base_seed: int, worker: int) -> list[int]:
    """The numbers that PyTorch seeds NumPy with in a worker: four words of a seed sequence."""
    entropy = [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return np.random.SeedSequence(entropy).generate_state(4).tolist()
