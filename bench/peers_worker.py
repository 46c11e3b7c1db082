"""Measures rows of ``bench.peers`` for one library in a process of its own, outside the repository.

``peers_worker.py LIBRARY BLOCKS SECONDS ROW...`` prints as JSON the version and the threads of the library, and by row
the figures of every block, or why there are none.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peer_cases import CASES, Case

WARM_UP = 3
TAPES = ("tapegrad", "torch")  # the libraries that run the text of `workloads`


def main(library: str, blocks: int, seconds: float, names: list[str]) -> dict[str, Any]:
    """The figures of the rows ``names``."""
    cases = [case for case in CASES if case.name in names]
    start = time.perf_counter()
    tg = importlib.import_module("mygrad" if library == "mygrad" else library)
    imported = time.perf_counter() - start
    found: dict[str, Any] = {}
    for case in cases:
        try:
            found[case.name] = {"blocks": _figures(library, tg, case, blocks, seconds, imported)}
        except LookupError as error:
            found[case.name] = {"skipped": str(error.args[0])}
    return {"version": _version(library, tg), "threads": _threads(library, tg), "rows": found}


def _figures(library: str, tg: Any, case: Case, blocks: int, seconds: float, imported: float) -> list[float]:
    if case.name == "import":
        return [imported]
    if case.unit == "B":
        if library not in TAPES:
            raise LookupError("memory is compared with PyTorch alone")
        return [_peak(tg, "loading" not in case.name)]
    if library in TAPES:
        import workloads

        assert case.build is not None
        return _seconds(case.build(workloads, tg), blocks, seconds)
    if case.others is None:
        raise LookupError("no such row is written for this library")
    from peer_libraries import build

    return _seconds(build(library, *case.others), blocks, seconds)


def _seconds(run: Callable[[], Any], blocks: int, seconds: float) -> list[float]:
    """The seconds of a call in each of ``blocks`` blocks of about ``seconds``, after calls that compile and load."""
    run()
    for _ in range(WARM_UP):
        start = time.perf_counter()
        run()
        once = time.perf_counter() - start
    found = []
    count = max(1, round(seconds / once))
    for block in range(blocks + 1):
        start = time.perf_counter()
        for _ in range(count):
            run()
        spent = time.perf_counter() - start
        if block or count == 1:
            found.append(spent / count)
        count = max(1, round(count * seconds / spent))
    return found[-blocks:]


def _peak(tg: Any, loaded: bool) -> float:
    """By how many bytes the first steps of a network raise the resident memory at their peak.

    Args:
        loaded: whether a small network is trained before, so that kernels and libraries do not count.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        raise LookupError("the peak of a process can be set back on Linux alone")
    import workloads

    step = workloads.training_step(tg, "784-512-512-10")
    if loaded:
        small = workloads.training_step(tg, "64-128-64-10")
        for _ in range(WARM_UP):
            small()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is resident now
    start = _resident(status)
    for _ in range(WARM_UP):
        step()
    return max(_resident(status) - start, 0)


def _resident(status: Path) -> float:
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return float(line.split()[1]) * 1024


def _version(library: str, tg: Any) -> str:
    return str(getattr(tg, "__version__", None) or importlib.metadata.version(library))


def _threads(library: str, tg: Any) -> int | None:
    """How many threads the library says that it uses; None where it does not say."""
    if library == "torch":
        return int(tg.get_num_threads())
    if library == "tapegrad":
        from tapegrad.backends.numba_kernels.threads import get_num_threads

        return int(get_num_threads())
    return len(os.sched_getaffinity(0)) if library == "jax" and hasattr(os, "sched_getaffinity") else None


if __name__ == "__main__":
    json.dump(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]), sys.stdout)
