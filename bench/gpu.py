"""``python -m bench.gpu``: the proof on a GPU: its tests, the conformance suite on CuPy, and the benchmarks.

Writes one record of all of it to ``bench/results/<date>-<device>`` as JSON, Markdown and PNG. A part that fails is
recorded, and the others go on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tapegrad import backends

from .__main__ import RESULTS
from .contenders import contenders
from .machine import facts, stem
from .report import SCHEMA, write

__all__ = ["main", "outcome_of"]

ROOT = Path(__file__).resolve().parents[1]
NO_GPU = 2
# What is run of the tests, and which share of the time it may take; the benchmarks get what is left.
CHECKS = {
    "GPU tests": (["-m", "gpu", "tests"], 0.25),
    "conformance of cupy": (["tests/conformance", "-k", "TestCupy"], 0.35),
}
PYTEST = [
    "-v", "-rfE", "--tb=line", "--color=no", "-p", "no:cacheprovider", "-p", "no:benchmark",
    "--continue-on-collection-errors",
]  # fmt: skip
STATES = ("PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL", "XPASS")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status: 0 if all went well, 1 if something failed, 2 without a GPU."""
    options = _parser().parse_args(arguments)
    reason = backends.status("cupy")
    if reason is not None:
        print(f"bench.gpu: no GPU can be used: {reason}. It needs CuPy and an NVIDIA GPU.", file=sys.stderr)
        return NO_GPU
    end = time.monotonic() + 60 * options.minutes
    name = stem(facts(["cupy"]))
    checks = {}
    for check, (selection, share) in CHECKS.items():
        checks[check] = _check(check, selection, 60 * options.minutes * share)
        write(_blank() | {"checks": checks}, options.out, name)  # in case the process does not live to the end
    record = _benchmarks(options.bench, max(30.0, end - time.monotonic()), options.out, name)
    record["checks"] = checks | {"benchmarks": record.pop("check")}
    paths = write(record, options.out, name)
    for check, of in record["checks"].items():
        print(f"{check}: {of['outcome']}; {of['passed']} passed, {of['failed']} failed, {of['error']} errors")
    paths += [picture] if (picture := options.out / f"{name}.png").is_file() else []
    print("\n".join(f"written: {path}" for path in paths))
    return int(any(of["outcome"] != "passed" for of in record["checks"].values()))


def _blank() -> dict[str, Any]:
    """A record without a figure."""
    names = contenders()
    return {
        "schema": SCHEMA, "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": facts(names), "contenders": names,
        "gpu_contenders": ["cupy"], "turns": 0, "seconds": 0, "results": [], "crossovers": [], "first_calls": {},
        "left_out": [],
    }  # fmt: skip


def _check(check: str, selection: Sequence[str], seconds: float) -> dict[str, Any]:
    """Run some of the tests, for at most so many seconds."""
    spread = ["-n", str(min(4, os.cpu_count() or 1))] if find_spec("xdist") else []
    start, lines = time.monotonic(), []
    with tqdm(desc=check, unit="test", dynamic_ncols=True) as bar:
        for line in (run := _Process([sys.executable, "-m", "pytest", *PYTEST, *spread, *selection], seconds)):
            lines.append(line)
            if _state(line):
                bar.update()
    return outcome_of(lines, run.status, seconds if run.timed_out else None) | {"seconds": time.monotonic() - start}


class _Process:
    """A process whose output is read line by line, killed after ``seconds``."""

    def __init__(self, command: Sequence[str], seconds: float) -> None:
        self._command, self._seconds = command, seconds
        self.status, self.timed_out = 0, False

    def __iter__(self) -> Iterator[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "TAPEGRAD_"))}
        process = subprocess.Popen(
            self._command, cwd=ROOT, env=environment | {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
        assert process.stdout is not None

        def kill() -> None:
            self.timed_out = True
            process.kill()

        timer = threading.Timer(self._seconds, kill)
        timer.start()
        with process:
            yield from (line.rstrip("\n") for line in process.stdout)
        timer.cancel()
        self.status = process.returncode


def _state(line: str) -> tuple[str, str] | None:
    """The (test, outcome) that a line of pytest's verbose output tells, of one process or of several; or None."""
    states = "|".join(STATES)
    found = re.match(rf"(?P<test>\S+::.*?) (?P<state>{states})\b.*\[ *\d+%\]$", line)
    found = found or re.match(rf"\[gw\d+\] \[ *\d+%\] (?P<state>{states}) (?P<test>\S+::.*?) *$", line)
    return (found["test"], found["state"]) if found else None


def outcome_of(lines: Iterable[str], status: int, timed_out_after: float | None = None) -> dict[str, Any]:
    """What a run of pytest found.

    Args:
        lines: its verbose output.
        status: its exit status.
        timed_out_after: the seconds after which it was killed; None if it came to its end.

    Returns:
        The counts ``passed``, ``failed``, ``error`` and ``skipped``; ``failures``, what failed, with the reason where
        pytest came to tell it; ``outcome``, which is "passed" if it ran to its end, ran something, and all passed.
    """
    lines = list(lines)
    states = dict(found for line in lines if (found := _state(line)))
    counts = {state: sum(of == state for of in states.values()) for state in STATES}
    told = [line for line in lines if re.match(r"(FAILED|ERROR) \S+", line)]
    untold = [f"{of} {test}" for test, of in states.items() if of in ("FAILED", "ERROR")]
    failures = told + [test for test in untold if not any(line.startswith(test) for line in told)]
    ran = counts["PASSED"] + counts["XFAIL"]
    if timed_out_after is not None:
        outcome = f"stopped after {timed_out_after:.0f} s"
    elif status in (0, 5):
        outcome = "passed" if ran else "nothing ran"
    elif status == 1 and (states or failures):
        outcome = "failed"
    else:
        outcome = f"pytest ended with status {status}: {lines[-1] if lines else 'no output'}"
    return {
        "passed": ran,
        "failed": counts["FAILED"] + counts["XPASS"],
        "error": max(counts["ERROR"], sum(line.startswith("ERROR") for line in failures)),
        "skipped": counts["SKIPPED"],
        "failures": failures,
        "outcome": outcome,
    }


def _benchmarks(arguments: Sequence[str], seconds: float, out: Path, name: str) -> dict[str, Any]:
    """The record of ``python -m bench`` in a process of its own, with how it went under ``check``."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench", "--out", folder, "--name", name, *arguments]
        command += [] if "--minutes" in arguments else ["--minutes", f"{max(0.4, (seconds - 20) / 60):.2f}"]
        lines = []
        for line in (run := _Process(command, seconds + 60)):
            lines.append(line)
            if not line.startswith("written: "):  # to the temporary folder
                print(line, flush=True)
        file, picture = Path(folder, f"{name}.json"), Path(folder, f"{name}.png")
        record = json.loads(file.read_text("utf-8")) if file.is_file() else _blank()
        if picture.is_file():
            (out / picture.name).write_bytes(picture.read_bytes())
    rows = [result for row in record["results"] for result in row["contenders"].values()]
    failed = sum("error" in result for result in rows)
    ended = "passed" if run.status == 0 else "failed" if failed and run.status == 1 else f"ended with {run.status}"
    record["check"] = {
        "passed": len(rows) - failed, "failed": failed, "error": 0, "skipped": len(record["left_out"]),
        "failures": lines[-5:] if ended.startswith("ended") else [],
        "outcome": f"stopped after {seconds + 60:.0f} s" if run.timed_out else ended,
        "seconds": time.monotonic() - start,
    }  # fmt: skip
    return record


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8, help="about how long all of it may take (default: 8)")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FOLDER", help="where to write")
    parser.add_argument("bench", nargs="*", metavar="-- BENCH", help="more arguments for python -m bench")
    return parser


if __name__ == "__main__":
    sys.exit(main())
