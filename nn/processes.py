"""``torch.multiprocessing``: Python's own, with tensors in shared memory, and ``spawn``."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

__all__ = [
    "ProcessContext", "ProcessExitedException", "ProcessRaisedException", "get_all_sharing_strategies",
    "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip


class ProcessRaisedException(Exception):
    """A process raised an exception; the text has its traceback.

    Attributes:
        error_index: which process. error_pid: its number.
    """

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid, self.pid = msg, error_index, pid, pid


class ProcessExitedException(Exception):
    """A process ended by a signal or an exit code.

    Attributes:
        error_index: which process. error_pid: its number. exit_code. signal_name: None where there was no signal.
    """

    def __init__(self, msg: str, error_index: int, pid: int, exit_code: int, signal_name: str | None = None) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid, self.pid = msg, error_index, pid, pid
        self.exit_code, self.signal_name = exit_code, signal_name


def _run(fn: Callable[..., Any], place: int, args: tuple[Any, ...], errors: Any) -> None:
    try:
        fn(place, *args)
    except KeyboardInterrupt:
        return  # the parent has it too
    except Exception:
        errors.send(traceback.format_exc())
        raise SystemExit(1) from None


class ProcessContext:
    """Processes that were started together.

    Attributes:
        processes: in the order of their numbers.
    """

    def __init__(self, processes: list[Any], errors: list[Any]) -> None:
        self.processes, self._errors = processes, errors
        self._waiting = {process.sentinel: k for k, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until one or all have ended; at the first that failed the others are ended.

        Args:
            timeout: seconds to wait; None for as long as it takes.
            grace_period: seconds that the others have then; None for as long as they take.

        Returns:
            Whether all have ended.

        Raises:
            ProcessRaisedException: one raised an exception. ProcessExitedException: one ended otherwise.
        """
        for sentinel in wait(list(self._waiting), timeout):
            place = self._waiting.pop(sentinel)
            self.processes[place].join()
            if self.processes[place].exitcode:
                self._fail(place, grace_period)
        return not self._waiting

    def _fail(self, place: int, grace_period: float | None) -> None:
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        for process in self.processes:
            process.join(grace_period)
            if process.is_alive():
                process.kill()
                process.join()
        failed = self.processes[place]
        try:
            told = self._errors[place].recv()
        except EOFError:  # it ended without a word
            told = None
        if told:
            text = f"\n\n-- Process {place} terminated with the following error:\n{told}"
            raise ProcessRaisedException(text, place, failed.pid)
        code = failed.exitcode
        if code < 0:
            name = signal.Signals(-code).name
            raise ProcessExitedException(
                f"process {place} terminated with signal {name}", place, failed.pid, code, name
            )
        raise ProcessExitedException(f"process {place} terminated with exit code {code}", place, failed.pid, code)


def start_processes(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """Run ``fn(0, *args)``, ``fn(1, *args)``, ... in a process each.

    Args:
        fn: found by its name in the new process, except with ``fork``.
        args: what each is given after its number; shared tensors are not copied.
        nprocs: how many.
        join: wait for all; otherwise the result is a ``ProcessContext``.
        daemon: end them with this process.
        start_method: of Python's module ``multiprocessing``.

    Raises:
        ProcessRaisedException, ProcessExitedException: one has failed; the others are ended.
    """
    python = multiprocessing.get_context(start_method)
    processes, errors = [], []
    for place in range(nprocs):
        own, theirs = python.Pipe(duplex=False)
        process = python.Process(target=_run, args=(fn, place, args, theirs), daemon=daemon)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        processes.append(process)
        errors.append(own)
    context = ProcessContext(processes, errors)
    if not join:
        return context
    while not context.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """``start_processes`` with fresh interpreters, which import the script again: it needs a main guard."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)


def get_all_sharing_strategies() -> set[str]:
    """The ways of sharing memory that may be named."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """How memory is shared."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepted; memory is shared as Python's ``multiprocessing`` does.

    Raises:
        AssertionError: an unknown name.
    """
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"set_sharing_strategy: unknown strategy {new_strategy!r}")
