"""``python -m bench.names``: the names that public scripts use most, beside PyTorch, at 1 k and 1 M elements.

The two libraries take turns, each turn a process of its own, started outside the repository. A figure is the fastest
block of all turns: what other work on the machine adds is left out. A ratio is tapegrad's figure over PyTorch's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from .__main__ import RESULTS
from .machine import describe, facts, stem
from .peers import ROOT, THREADS
from .report import SCHEMA, write
from .table import duration, markdown, ratio, text

WORKER = Path(__file__).resolve().with_name("names_worker.py")
sys.path.append(str(WORKER.parent))  # as in a worker, whose imports the tables have
from name_cases import NAMES, SIZES  # noqa: E402

__all__ = ["main"]

LIBRARIES = ("tapegrad", "torch")
TOGETHER = 30  # rows that one process measures
MEDIAN, WORST = 1.2, 3.0  # asked: at most


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status: 1 where a row could not be measured."""
    options = _parser().parse_args(arguments)
    turns, blocks, seconds = (2, 3, 0.01) if options.quick else (3, 5, 0.03)
    names = [n for n in NAMES if not options.names or any([part.lower() in n.lower() for part in options.names])]
    rows = [f"{size} {name}" for size in SIZES if options.size in (None, size) for name in names]
    if not rows:
        raise SystemExit("bench.names: no such name; there are\n  " + ", ".join(NAMES))
    record = _run(rows, options.threads, options.turns or turns, options.blocks or blocks, options.seconds or seconds)
    name = options.name or f"names-{stem(record['machine'])}"
    paths = write(record, options.out, name, _markdown(record))
    print(describe(record["machine"]))
    print("\n".join(text(_table(record))))
    print("\n".join(_remarks(record)))
    print("\n" + "\n".join(f"written: {path}" for path in paths))
    return 1 if any([of["skipped"] for of in record["rows"]]) else 0


def _run(rows: list[str], threads: int, turns: int, blocks: int, seconds: float) -> dict[str, Any]:
    """Measure; returns the record."""
    if threads:
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
    found: dict[str, dict[str, Any]] = {row: {"row": row, "seconds": {}, "skipped": {}} for row in rows}
    record = {
        "schema": SCHEMA, "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": facts([]), "libraries": {},
        "turns": turns, "blocks": blocks, "seconds": seconds, "rows": list(found.values()),
    }  # fmt: skip
    groups = [rows[k : k + TOGETHER] for k in range(0, len(rows), TOGETHER)]
    jobs = [(group, name) for group in groups for _ in range(turns) for name in LIBRARIES]
    with tempfile.TemporaryDirectory() as folder:
        for group, name in (bar := tqdm(jobs, unit="process", dynamic_ncols=True)):
            bar.set_description(f"{group[0]} and on, {name}")
            measured = _measure(name, group, threads, blocks, seconds, folder)
            record["libraries"][name] = {"version": measured["version"], "threads": measured["threads"]}
            for row, figures in measured["rows"].items():
                if "skipped" in figures:
                    found[row]["skipped"][name] = figures["skipped"]
                else:
                    found[row]["seconds"].setdefault(name, []).append(figures["blocks"])
    for of in found.values():
        best = {name: min(min(turn) for turn in turns_) for name, turns_ in of["seconds"].items()}
        of["ratio"] = best["tapegrad"] / best["torch"] if len(best) == len(LIBRARIES) else None
    return record


def _measure(name: str, rows: list[str], threads: int, blocks: int, seconds: float, folder: str) -> dict[str, Any]:
    """What a new process finds."""
    dropped = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "TAPEGRAD_BACKEND")
    environment = {key: value for key, value in os.environ.items() if key not in dropped}
    if name == "tapegrad":
        environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, str(WORKER), name, str(blocks), str(seconds), str(threads), *rows]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"bench.names: the process of {name} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def _table(record: dict[str, Any]) -> list[list[str]]:
    """The rows, the slowest beside PyTorch first."""
    table = [["", *LIBRARIES, "ratio"]]
    for of in sorted(record["rows"], key=lambda of: -(of["ratio"] or float("inf"))):
        cells = [
            duration(min(min(turn) for turn in of["seconds"][name])) if name in of["seconds"] else "-"
            for name in LIBRARIES
        ]
        table.append([of["row"], *cells, "-" if of["ratio"] is None else ratio(of["ratio"])])
    return table


def _remarks(record: dict[str, Any]) -> list[str]:
    """The sum of it, by size."""
    lines = []
    for size in SIZES:
        of_size = {of["row"]: of["ratio"] for of in record["rows"] if of["row"].startswith(size) and of["ratio"]}
        if of_size:
            worst = max(of_size, key=lambda row: of_size[row])
            middle = median(of_size.values())
            met = "met" if middle <= MEDIAN and of_size[worst] <= WORST else "not met"
            above = sum(value > WORST for value in of_size.values())
            lines.append(
                f"{size} elements: median ratio {middle:.2f} (asked: {MEDIAN:g} at most), worst {of_size[worst]:.2f} "
                f"({worst}; asked: {WORST:g} at most), above that {above} of {len(of_size)}: {met}"
            )
    lines += [f"{name} {of['version']}, {of['threads']} threads" for name, of in record["libraries"].items()]
    lines += [f"{of['row']}: {name}: {why}" for of in record["rows"] for name, why in of["skipped"].items()]
    return lines


def _markdown(record: dict[str, Any]) -> list[str]:
    lines = [f"# The names used most, {record['date']}", "", *describe(record["machine"]).splitlines(), ""]
    how = (
        f"Forward and backward, forward alone where there is no gradient. {record['turns']} processes for each library "
        f"and row, in alternation; in each {record['blocks']} blocks of about {record['seconds']} s; the fastest block "
        "counts. ratio: tapegrad / torch."
    )
    again = "Again: `python -m bench.names`; some names: `python -m bench.names --names softmax conv`."
    return [*lines, how, "", *[f"- {line}" for line in _remarks(record)], "", *markdown(_table(record)), "", again]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.names", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="short blocks, 2 turns: seven minutes")
    add("--names", nargs="+", default=[], metavar="NAME", help="names that contain this")
    add("--size", choices=tuple(SIZES), help="one size only")
    add("--threads", type=int, default=1, metavar="N", help="of both libraries; 0: as many as each takes (default: 1)")
    add("--turns", type=int, help="processes for each library and row (default: 3; quick: 2)")
    add("--blocks", type=int, help="blocks in each process (default: 5; quick: 3)")
    add("--seconds", type=float, help="of a block, about (default: 0.03; quick: 0.01)")
    add("--out", type=Path, default=RESULTS, metavar="FOLDER", help="where to write (default: bench/results)")
    add("--name", help="the files' name without ending (default: names-<date>-<processor>)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
