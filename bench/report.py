"""The record of a run: as JSON, and as Markdown with the tables, the crossovers and the first calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from .machine import describe
from .table import cell, columns, duration, markdown, notes, table

__all__ = ["SCHEMA", "crossovers", "first_calls", "medians_of", "summary", "write"]

# Grows when a field of the JSON changes its meaning or goes.
SCHEMA = 1


def medians_of(record: dict[str, Any], group: str | None = None) -> dict[tuple[str, str], list[float]]:
    """By (row, contender) the times of the turns, of all groups or of one."""
    return {
        (row["label"], name): result["turns_s"]
        for row in record["results"]
        if group in (None, row["group"])
        for name, result in row["contenders"].items()
        if result.get("turns_s")
    }


def crossovers(rows: Sequence[dict[str, Any]], gpu: Sequence[str]) -> list[dict[str, Any]]:
    """From which size on a GPU wins against the fastest CPU backend, from end to end.

    Args:
        rows: the ``results`` of a record.
        gpu: the contenders that compute on a GPU; PyTorch is left out.

    Returns:
        For every curve of two sizes or more and every GPU backend: the ``sizes`` measured on both sides, and the
        smallest size ``from_size`` from which on it is faster at every size; None where it is not even at the largest.
    """
    curves: dict[tuple[str, str, bool], dict[int, dict[str, float]]] = {}
    for row in rows:
        times = {n: median(r["turns_s"]) for n, r in row["contenders"].items() if r.get("turns_s")}
        curves.setdefault((row["group"], row["curve"], row["backward"]), {})[row["size"]] = times
    found = []
    for (group, curve, backward), points in curves.items():
        for name in [n for n in gpu if not n.startswith("torch")]:
            wins = {}
            for size, times in sorted(points.items()):
                cpu = [t for n, t in times.items() if n not in gpu and not n.startswith("torch")]
                if name in times and cpu:
                    wins[size] = times[name] < min(cpu)
            if len(wins) < 2:
                continue
            from_size = None
            for size in reversed(wins):
                if not wins[size]:
                    break
                from_size = size
            found.append({
                "group": group, "curve": curve, "backward": backward, "contender": name, "sizes": list(wins),
                "from_size": from_size,
            })  # fmt: skip
    return found


def first_calls(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By contender, what first calls took beyond later ones: in all, and in the slowest row."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for name, result in row["contenders"].items():
            if not result.get("turns_s"):
                continue
            extra = max(0.0, result["first_call_s"] - median(result["turns_s"]))
            entry = found.setdefault(name, {"total_s": 0.0, "slowest_s": 0.0, "slowest": ""})
            entry["total_s"] += extra
            if extra >= entry["slowest_s"]:
                entry["slowest_s"], entry["slowest"] = extra, row["label"]
    return found


def _errors(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The (row, contender, error) of what failed."""
    return [
        (row["label"], name, result["error"])
        for row in record["results"]
        for name, result in row["contenders"].items()
        if "error" in result
    ]


def _by_events(record: dict[str, Any]) -> list[list[str]]:
    """The table of GPU times: from end to end, and between events."""
    gpu = record["gpu_contenders"]
    rows = [["", *(head for name in gpu for head in (f"{name}, end to end", f"{name}, events"))]]
    for row in record["results"]:
        results = [row["contenders"].get(name, {}) for name in gpu]
        if any(result.get("events_s") for result in results):
            cells = [result.get(kind) for result in results for kind in ("turns_s", "events_s")]
            rows.append([row["label"], *(cell(times) if times else "-" for times in cells)])
    return rows


def _crossover_rows(record: dict[str, Any]) -> list[list[str]]:
    rows = [["", "backend", "the GPU wins from", "sizes measured"]]
    for found in record["crossovers"]:
        name = found["curve"] + (" + backward" if found["backward"] else "")
        size, sizes = found["from_size"], found["sizes"]
        at = "none of them" if size is None else f"{size:,}" + (" (the smallest)" if size == sizes[0] else "")
        rows.append([name, found["contender"], at, f"{sizes[0]:,} to {sizes[-1]:,}"])
    return rows


def _first_call_rows(record: dict[str, Any]) -> list[list[str]]:
    rows = [["contender", "all rows together", "the slowest", "which is"]]
    for name, entry in record["first_calls"].items():
        rows.append([name, duration(entry["total_s"]), duration(entry["slowest_s"]), entry["slowest"]])
    return rows


def no_crossover(record: dict[str, Any]) -> str:
    """Why there are no crossovers."""
    reason = record["machine"]["unusable"].get("cupy")
    return (
        f"No crossovers: no GPU backend took part{f' (cupy: {reason})' if reason else ''}."
        if not [n for n in record["gpu_contenders"] if not n.startswith("torch")]
        else "No crossovers: no row was measured at two sizes on both CPU and GPU."
    )


def summary(record: dict[str, Any]) -> list[str]:
    """The record in Markdown, line by line, the tables of all groups first."""
    medians, gpu = medians_of(record), record["gpu_contenders"]
    lines = [f"# Benchmarks, {record['date']}", "", *describe(record["machine"]).splitlines(), ""]
    lines += [f"{record['turns']} turns of about {record['seconds']} s each, the contenders in alternation."]
    lines += _checks(record.get("checks", {}))
    for title, names, pairs in columns(record["contenders"], gpu):
        lines += ["", f"## {title}", ""]
        for group in dict.fromkeys(row["group"] for row in record["results"]):
            of_group = medians_of(record, group)
            if any(name in names for _, name in of_group):
                lines += [f"### {group.capitalize()}", "", *markdown(table(of_group, names, pairs)), ""]
    lines += ["", *notes(medians), "", "## Where the GPU wins", ""]
    lines += markdown(_crossover_rows(record)) if record["crossovers"] else [no_crossover(record)]
    if record["crossovers"]:
        lines += ["", "Against the fastest CPU backend at the same size, from end to end with the wait for the GPU."]
    events = _by_events(record)
    if len(events) > 1:
        lines += ["", "## GPU time, from end to end and between events", "", *markdown(events)]
    lines += ["", "## First calls", "", *markdown(_first_call_rows(record)), ""]
    lines += ["What a first call takes beyond later ones: compiling, or loading what was compiled before. It is in no"]
    lines += ["other table."]
    failed = _errors(record)
    if failed:
        lines += ["", "## Failures", "", *(f"- {label}, {name}: `{error}`" for label, name, error in failed)]
    if record["left_out"]:
        lines += ["", f"Out of time, not measured: {', '.join(record['left_out'])}."]
    return lines


def _checks(checks: dict[str, Any]) -> list[str]:
    """What the test runs of ``bench.gpu`` found."""
    if not checks:
        return []
    counts = ("passed", "failed", "error", "skipped")
    rows = [["check", *counts, "seconds", "outcome"]]
    for name, of in checks.items():
        rows.append([name, *(str(of[count]) for count in counts), f"{of['seconds']:.0f}", of["outcome"]])
    lines = ["", "## Checks", "", *markdown(rows)]
    failures = [f"- `{test}`" for of in checks.values() for test in of["failures"]]
    return lines + (["", *failures] if failures else [])


def write(record: dict[str, Any], folder: Path, name: str, lines: Sequence[str] | None = None) -> list[Path]:
    """Write ``name.json`` and ``name.md`` into a folder, which is made; returns their paths.

    Args:
        lines: the Markdown; if None the ``summary`` of the record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.json", folder / f"{name}.md"]
    paths[0].write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    paths[1].write_text("\n".join(_squeezed(summary(record) if lines is None else lines)) + "\n", encoding="utf-8")
    return paths


def _squeezed(lines: Sequence[str]) -> list[str]:
    """The lines with no two empty ones in a row."""
    return [line for k, line in enumerate(lines) if line or k == 0 or lines[k - 1]]
