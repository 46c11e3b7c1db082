"""Medians of several turns as a table of times, spreads and ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

__all__ = ["cell", "comparison", "duration", "spread"]

UNSTEADY = 0.25


def duration(seconds: float) -> str:
    """A time in the unit that suits it, to three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def spread(turns: Sequence[float]) -> float:
    """By how much the turns differ: half the distance of the extremes, as a share of the median."""
    return (max(turns) - min(turns)) / 2 / median(turns)


def cell(turns: Sequence[float]) -> str:
    """The median of the turns, and their spread where there are several."""
    return duration(median(turns)) + (f" ±{spread(turns):3.0%}" if len(turns) > 1 else "")


def comparison(medians: Mapping[tuple[str, str], Sequence[float]], names: Sequence[str]) -> list[str]:
    """The table, line by line.

    Args:
        medians: by (workload, contender), the median time of each turn in seconds.
        names: the contenders, in the order of the columns; the others are compared with "torch", else with "numpy".
    """
    base = next((name for name in ("torch", "numpy") if name in names), names[0])
    others = [name for name in names if name != base]
    rows = [["", *names, *(f"{name} / {base}" for name in others)]]
    for workload in dict.fromkeys(work for work, _ in medians):
        times = {name: medians[workload, name] for name in names if (workload, name) in medians}
        row = [workload, *(cell(times[name]) if name in times else "-" for name in names)]
        for name in others:
            both = name in times and base in times
            row.append(f"{median(times[name]) / median(times[base]):.2f}" if both else "-")
        rows.append(row)
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]) for row in rows]
    notes = [f"Medians of the turns ± half their range. Ratios: time / {base}'s time; below 1 is faster."]
    if max(spread(turns) for turns in medians.values()) > UNSTEADY:
        notes.append(
            f"Some turns differ by more than ±{UNSTEADY:.0%}: the machine has other work, or thread pools disturb each "
            "other. OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1 steadies them."
        )
    return [lines[0], "-" * len(lines[0]), *lines[1:], *notes]
