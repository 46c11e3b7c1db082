"""Medians of several turns as a table of times, spreads and ratios."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import median

__all__ = ["cell", "columns", "comparison", "duration", "markdown", "notes", "ratio", "spread", "table", "text"]

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


def ratio(value: float) -> str:
    """A ratio of times: two digits after the point, more where they would be zeros."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def columns(names: Sequence[str], gpu: Collection[str] = ()) -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """The tables to show: a title, the contenders, and which pairs of them are compared.

    The first has the backends alone, beside the first of them; the second sets them beside PyTorch, where it takes
    part, each on its own side of CPU and GPU.

    Args:
        names: all contenders.
        gpu: those that compute on a GPU.
    """
    torches = [name for name in names if name.startswith("torch")]
    own = [name for name in names if name not in torches]
    tables = [("Backends", own, [(name, own[0]) for name in own[1:]])] if own else []
    if torches:
        beside = {(name in gpu): name for name in torches}
        pairs = [(name, beside[name in gpu]) for name in own if (name in gpu) in beside]
        tables.append(("Beside PyTorch", [*own, *torches], pairs))
    return tables


def table(
    medians: Mapping[tuple[str, str], Sequence[float]], names: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> list[list[str]]:
    """The cells of a table: a header, then a row a workload, with a ratio of times for each of the pairs.

    Args:
        medians: by (workload, contender), the median time of each turn in seconds.
        names: the contenders, in the order of the columns.
        pairs: who is divided by whom.
    """
    rows = [["", *names, *(f"{name} / {base}" for name, base in pairs)]]
    for workload in dict.fromkeys(work for work, _ in medians):
        times = {name: medians[workload, name] for name in names if (workload, name) in medians}
        if not times:
            continue
        row = [workload, *(cell(times[name]) if name in times else "-" for name in names)]
        for name, base in pairs:
            both = name in times and base in times
            row.append(ratio(median(times[name]) / median(times[base])) if both else "-")
        rows.append(row)
    return rows


def text(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table for the terminal, line by line."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]) for row in rows]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown, line by line."""
    header, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [header, "|---" + "|---:" * (len(rows[0]) - 1) + "|", *body]


def notes(medians: Mapping[tuple[str, str], Sequence[float]]) -> list[str]:
    """What to know to read the tables."""
    said = ["Medians of the turns ± half their range. Ratios: time / the other's time; below 1 is faster."]
    if max((spread(turns) for turns in medians.values()), default=0) > UNSTEADY:
        said.append(
            f"Some turns differ by more than ±{UNSTEADY:.0%}: the machine has other work, or thread pools disturb each "
            "other. OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1 steadies them."
        )
    return said


def comparison(
    medians: Mapping[tuple[str, str], Sequence[float]], names: Sequence[str], gpu: Collection[str] = ()
) -> list[str]:
    """All tables for the terminal, line by line; the arguments are those of ``table`` and ``columns``."""
    lines = []
    for title, of, pairs in columns(names, gpu):
        lines += ["", title, *text(table(medians, of, pairs))]
    return [*lines[1:], "", *notes(medians)]
