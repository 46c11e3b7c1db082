"""Times workloads: the contenders take turns, first calls are kept apart, GPU work is timed in two ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from .contenders import engine, event_seconds, making, on_gpu, ready, wait
from .suite import Workload

__all__ = ["BLOCKS", "measure"]

WARM_UP = 3
# Of so many blocks of calls the median is one turn's time.
BLOCKS = 5


def measure(work: Workload, names: Sequence[str], turns: int, seconds: float) -> dict[str, dict[str, Any]]:
    """Time one workload.

    Args:
        work: what.
        names: the contenders.
        turns: how often each of them is measured, in alternation.
        seconds: about how long a turn takes.

    Returns:
        By contender ``turns_s``, the seconds of a call in every turn, from end to end (on a GPU with the wait for it);
        ``events_s``, the same between CUDA events, without the wait, empty elsewhere; ``first_call_s``. A contender
        that raised has ``error`` instead.
    """
    found: dict[str, dict[str, Any]] = {}
    runs: dict[str, Callable[[], Any]] = {}
    for name in names:
        if work.gpu_only and not on_gpu(name):
            continue
        found[name] = {"first_call_s": None, "turns_s": [], "events_s": []}
        _guarded(found, runs, name, lambda name=name: _prepare(work, name, found[name], runs))
    for _ in range(turns):
        for name in list(runs):
            _guarded(found, runs, name, lambda name=name: _turn(name, runs[name], seconds, found[name]))
    return found


def _guarded(found: dict[str, Any], runs: dict[str, Any], name: str, act: Callable[[], None]) -> None:
    """Run ``act``; a failure is recorded in place of the contender's figures, and the others go on."""
    try:
        act()
    except Exception as error:
        runs.pop(name, None)
        found[name] = {"error": f"{type(error).__name__}: {error}"}


def _prepare(work: Workload, name: str, result: dict[str, Any], runs: dict[str, Callable[[], Any]]) -> None:
    """Make the inputs, and time the first call, which compiles or loads what is compiled."""
    with making(name) as tg:
        run = work.build(tg)
        wait(name)
    with engine(name):
        start = time.perf_counter()
        ready(name, run)()
        result["first_call_s"] = time.perf_counter() - start
    runs[name] = run


def _turn(name: str, run: Callable[[], Any], seconds: float, result: dict[str, Any]) -> None:
    """Add one turn's times to ``result``."""
    with engine(name):
        complete = ready(name, run)
        once, count = _seconds(complete, 1), 1
        if once >= seconds:  # long enough to need neither warming up nor repetition
            result["turns_s"].append(once)
        else:
            once = min(_seconds(complete, 1) for _ in range(WARM_UP))
            count = max(1, round(seconds / BLOCKS / once))
            result["turns_s"].append(median(_seconds(complete, count) for _ in range(BLOCKS)))
        on_device = event_seconds(name, run, count)
        if on_device is not None:
            result["events_s"].append(on_device)


def _seconds(run: Callable[[], Any], count: int) -> float:
    """The seconds of a call, in ``count`` of them."""
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count
