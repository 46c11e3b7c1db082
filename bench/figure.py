"""The figure of a run: how the times grow with the size, a panel a curve."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from .machine import describe
from .report import no_crossover
from .suite import GROUPS
from .table import duration

__all__ = ["draw"]

COLOURS = {"numpy": "#7f8c9b", "numba": "#1f77b4", "cupy": "#2a9d4a", "torch": "#e08214", "torch-cuda": "#b2182b"}
OTHERS = ("#7b4fa3", "#8c6d31", "#17a2b8")
INK, FAINT = "#222a35", "#dfe4ea"
COLUMNS = 5


def draw(record: dict[str, Any], path: Path) -> None:
    """Write the figure as a PNG: time over size, both in powers of ten.

    Args:
        record: what ``python -m bench`` found.
        path: the file.
    """
    panels = _panels(record)
    across = min(COLUMNS, len(panels))
    down = math.ceil(len(panels) / across)
    width, height = max(9.0, 3.3 * across), 2.75 * down + 1.5
    names = record["contenders"]
    spare = iter(OTHERS * len(names))
    colours = {name: COLOURS.get(name) or next(spare) for name in names}
    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "text.color": INK,
             "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}  # fmt: skip
    with plt.rc_context(style):
        figure, grid = plt.subplots(down, across, figsize=(width, height), squeeze=False)
        figure.subplots_adjust(
            left=0.6 / width,
            right=1 - 0.25 / width,
            bottom=0.75 / height,
            top=1 - 1.35 / height,
            hspace=0.55,
            wspace=0.3,
        )
        for axes, (curve, lines) in zip(grid.flat, panels.items()):
            _panel(axes, curve, lines, colours, record)
        for axes in grid.flat[len(panels) :]:
            axes.axis("off")
        figure.text(
            0.6 / width, 1 - 0.3 / height, "Time of a call by size", fontsize=15, fontweight="bold", va="center"
        )
        figure.text(
            0.6 / width,
            1 - 0.6 / height,
            f"{record['date']}, {describe(record['machine']).splitlines()[0]}",
            va="center",
        )
        handles = [Line2D([], [], color=colours[name], marker="o", ms=4, label=name) for name in names]
        if any(line[1] for lines in panels.values() for line in lines):
            handles.append(Line2D([], [], color=INK, ls="--", label="with backward"))
        if record["crossovers"]:
            handles.append(Line2D([], [], color=INK, ls=":", lw=1, label="from here on the GPU wins"))
        figure.legend(handles=handles, loc="center right", ncols=len(handles), frameon=False,
                      bbox_to_anchor=(1 - 0.1 / width, 1 - 0.85 / height))  # fmt: skip
        note = "Medians of the turns; bars from the fastest to the slowest turn."
        note += "" if record["crossovers"] else " " + no_crossover(record)
        figure.text(0.6 / width, 0.2 / height, note, fontsize=8)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=100)
        plt.close(figure)


def _panels(record: dict[str, Any]) -> dict[tuple[str, str], dict[tuple[str, bool], list[tuple[int, list[float]]]]]:
    """By (group, curve), then by (contender, backward), the points (size, times of the turns).

    What has no size, such as a fixed network, is left out.
    """
    panels: dict[tuple[str, str], dict[tuple[str, bool], list[tuple[int, list[float]]]]] = {}
    for row in record["results"]:
        if not row["size"]:
            continue
        for name, result in row["contenders"].items():
            if result.get("turns_s"):
                lines = panels.setdefault((row["group"], row["curve"]), {})
                lines.setdefault((name, row["backward"]), []).append((row["size"], result["turns_s"]))
    return panels


def _panel(
    axes: Axes,
    curve: tuple[str, str],
    lines: dict[tuple[str, bool], list[tuple[int, list[float]]]],
    colours: dict[str, str],
    record: dict[str, Any],
) -> None:
    """Draw one panel."""
    for (name, backward), points in lines.items():
        sizes, turns = zip(*sorted(points))
        middle = [median(times) for times in turns]
        low = [m - min(times) for m, times in zip(middle, turns)]
        high = [max(times) - m for m, times in zip(middle, turns)]
        axes.errorbar(sizes, middle, yerr=(low, high), color=colours[name], ls="--" if backward else "-", marker="o",
                      ms=3.5, lw=1.4, elinewidth=0.8, mfc="white" if backward else None)  # fmt: skip
    for found in record["crossovers"]:
        if (found["group"], found["curve"], found["backward"]) == (*curve, False) and found["from_size"]:
            axes.axvline(found["from_size"], color=colours[found["contender"]], ls=":", lw=1.2)
    axes.set(xscale="log", yscale="log")
    axes.set_title(curve[1], loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(GROUPS[curve[0]].unit, fontsize=8)
    axes.grid(color=FAINT, lw=0.6)
    axes.set_axisbelow(True)
    _ticks(axes, sorted({size for points in lines.values() for size, _ in points}))


def _ticks(axes: Axes, sizes: list[int]) -> None:
    """Ticks at the sizes that were measured, and times in words."""
    axes.set_xticks(sizes, [_short(size) for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.12)
    low, high = axes.get_ylim()
    narrow = high / low < 60
    axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if narrow else (1,), numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: duration(seconds)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelsize=8)


def _short(size: int) -> str:
    """A count in few letters: 16, 10k, 1M."""
    for unit, count in (("M", 1_000_000), ("k", 1_000)):
        if size >= count and size % count == 0:
            return f"{size // count}{unit}"
    return f"{size:,}"
