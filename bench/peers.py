"""``python -m bench.peers``: tapegrad beside PyTorch, and beside JAX, HIPS autograd, MyGrad and tinygrad.

Every measurement is a process of its own, started outside the repository; the libraries take turns. A figure is the
median of the processes' medians; a ratio is tapegrad's figure over PyTorch's. Written are JSON with every block of
every process, and a Markdown table.
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
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

import tapegrad

from .__main__ import RESULTS
from .machine import describe, facts, stem
from .peer_cases import CASES, Case, grouped
from .report import SCHEMA, write
from .table import cell, markdown, notes, ratio, spread, text

__all__ = ["main"]

WORKER = Path(__file__).resolve().with_name("peers_worker.py")
LIBRARIES = ("tapegrad", "torch", "jax", "autograd", "mygrad", "tinygrad")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ROOT = Path(tapegrad.__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status: 1 where a process failed."""
    options = _parser().parse_args(arguments)
    turns, blocks, seconds = (3, 5, 0.02) if options.quick else (5, 7, 0.05)
    groups = grouped(options.case, options.quick)
    if not groups:
        raise SystemExit("bench.peers: no such row; there are\n  " + "\n  ".join(case.name for case in CASES))
    libraries = [name for name in LIBRARIES if name in (options.libraries or LIBRARIES) and _installed(name)]
    if options.threads:
        os.environ.update(dict.fromkeys(THREADS, str(options.threads)))
    record = _run(groups, libraries, options.turns or turns, options.blocks or blocks, options.seconds or seconds)
    lines = _markdown(record)
    name = options.name or f"peers-{stem(record['machine'])}"
    paths = write(record, options.out, name, lines)
    print(describe(record["machine"]))
    print("\n".join(text(_rows(record))))
    print("\n".join(_remarks(record)))
    print("\n" + "\n".join(f"written: {path}" for path in paths))
    return 1 if record["failures"] else 0


def _installed(name: str) -> bool:
    """Whether a library can be measured; the repository's own folder ``autograd`` is not HIPS autograd."""
    if name != "autograd":
        return find_spec(name) is not None
    places = [Path(p) for p in sys.path if p and Path(p).resolve() != ROOT and Path(p).resolve() != Path.cwd()]
    return any([(place / "autograd" / "numpy").is_dir() for place in places])


def _run(groups: list[list[Case]], libraries: list[str], turns: int, blocks: int, seconds: float) -> dict[str, Any]:
    """Measure; returns the record."""
    record: dict[str, Any] = {
        "schema": SCHEMA, "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": facts([]), "libraries": {},
        "turns": turns, "blocks": blocks, "seconds": seconds, "rows": [], "failures": [],
    }  # fmt: skip
    jobs = [(group, turn, name) for group in groups for turn in range(turns) for name in libraries]
    by_row: dict[str, dict[str, Any]] = {
        case.name: {"row": case.name, "asked": case.asked, "unit": case.unit, "contenders": {}}
        for group in groups
        for case in group
    }
    record["rows"] = list(by_row.values())
    silent = set()  # what has no such row, or fails, need not be asked again
    with tempfile.TemporaryDirectory() as folder:
        for name in libraries:  # the first import writes bytecode, as an installation does
            _measure(name, [], 1, seconds, folder)
        for group, _, name in (bar := tqdm(jobs, unit="process", dynamic_ncols=True)):
            bar.set_description(f"{group[0].group}, {name}")
            wanted = [case.name for case in group if (case.name, name) not in silent]
            if not wanted:
                continue
            found = _measure(name, wanted, blocks, seconds, folder)
            if "error" in found:
                record["failures"].append({"library": name, "rows": wanted, "error": found["error"]})
                silent.update((row, name) for row in wanted)
                continue
            record["libraries"][name] = {"version": found["version"], "threads": found["threads"]}
            for row, figures in found["rows"].items():
                held = by_row[row]["contenders"].setdefault(name, {"turns": []})
                if "skipped" in figures:
                    held["skipped"] = figures["skipped"]
                    silent.add((row, name))
                else:
                    held["turns"].append(figures["blocks"])
    return record


def _measure(name: str, rows: list[str], blocks: int, seconds: float, folder: str) -> dict[str, Any]:
    """What a new process finds for some rows, or its error."""
    dropped = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "TAPEGRAD_BACKEND")
    environment = {key: value for key, value in os.environ.items() if key not in dropped}
    if name == "tapegrad":
        environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, str(WORKER), name, str(blocks), str(seconds), *rows]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    return dict(json.loads(done.stdout))


def _medians(row: dict[str, Any]) -> dict[str, list[float]]:
    """By library the median of every process."""
    return {
        name: [median(blocks) for blocks in of["turns"]] for name, of in row["contenders"].items() if of.get("turns")
    }


def _against_torch(row: dict[str, Any]) -> float | None:
    """tapegrad's figure over PyTorch's."""
    found = _medians(row)
    if "tapegrad" not in found or "torch" not in found or not median(found["torch"]):
        return None
    return median(found["tapegrad"]) / median(found["torch"])


def _rows(record: dict[str, Any]) -> list[list[str]]:
    names = list(record["libraries"])
    table = [["", *names, "ratio", "asked", "reached"]]
    for row in record["rows"]:
        found, reached = _medians(row), _against_torch(row)
        cells = [_cell(found[name], row["unit"]) if name in found else "-" for name in names]
        asked = row["asked"]
        verdict = "" if reached is None or asked is None else "yes" if reached <= asked else "no"
        cells += ["-" if reached is None else ratio(reached), "-" if asked is None else f"{asked:.2f}", verdict]
        table.append([row["row"], *cells])
    return table


def _cell(turns: Sequence[float], unit: str) -> str:
    if unit == "s":
        return cell(turns)
    return f"{median(turns) / 2**20:.1f} MiB" + (f" ±{spread(turns):3.0%}" if len(turns) > 1 and median(turns) else "")


def _remarks(record: dict[str, Any]) -> list[str]:
    """What to know to read the table."""
    medians = {(row["row"], name): turns for row in record["rows"] for name, turns in _medians(row).items()}
    lines = [
        "Medians of the processes' medians ± half their range. ratio: tapegrad / torch; asked: at most.",
        *notes({key: turns for key, turns in medians.items() if median(turns)})[1:],
    ]
    for name, of in record["libraries"].items():
        threads = "" if of["threads"] is None else f", {of['threads']} threads"
        lines.append(f"{name} {of['version']}{threads}")
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in record["rows"]:
        for name, of in row["contenders"].items():
            if "skipped" in of:
                reasons.setdefault((name, of["skipped"]), []).append(row["row"])
    lines += [f"{name} not in {len(rows)} rows: {why}" for (name, why), rows in reasons.items()]
    missing = [name for name in LIBRARIES if name not in record["libraries"]]
    if missing:
        lines.append(f"Not measured: {', '.join(missing)} (not installed, not asked for, or failed)")
    lines += [f"{of['library']} fails at {', '.join(of['rows'])}: {of['error']}" for of in record["failures"]]
    return lines


def _markdown(record: dict[str, Any]) -> list[str]:
    lines = [f"# tapegrad and its peers, {record['date']}", "", *describe(record["machine"]).splitlines(), ""]
    how = (
        f"{record['turns']} processes for each library and row, in alternation, started outside the repository; in "
        f"each {record['blocks']} blocks of about {record['seconds']} s after warming up."
    )
    again = 'Again: `python -m bench.peers`; one row: `python -m bench.peers --case "small cat"`.'
    return [*lines, how, "", *markdown(_rows(record)), "", *[f"- {line}" for line in _remarks(record)], "", again]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="the rows of small sizes, short blocks, 3 turns: two minutes")
    add("--case", nargs="+", default=[], metavar="NAME", help="rows whose names contain this")
    add("--libraries", nargs="+", default=[], choices=LIBRARIES, metavar="NAME", help=f"of {', '.join(LIBRARIES)}")
    add("--threads", type=int, metavar="N", help="of every library (default: as many as each takes by itself)")
    add("--turns", type=int, help="processes for each library and row (default: 5; quick: 3)")
    add("--blocks", type=int, help="blocks in each process (default: 7; quick: 5)")
    add("--seconds", type=float, help="of a block, about (default: 0.05; quick: 0.02)")
    add("--out", type=Path, default=RESULTS, metavar="FOLDER", help="where to write (default: bench/results)")
    add("--name", help="the files' name without ending (default: peers-<date>-<processor>)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
