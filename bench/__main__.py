"""``python -m bench``: every usable backend side by side, from small sizes to large, beside PyTorch where installed.

Prints the tables, and writes them with all figures as JSON, Markdown and a PNG with the scaling curves.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .contenders import contenders, on_gpu
from .machine import describe, facts, stem
from .measure import measure
from .report import SCHEMA, crossovers, first_calls, medians_of, no_crossover, write
from .suite import GROUPS, Workload, select
from .table import comparison, duration

__all__ = ["RESULTS", "main", "run"]

# A slow or busy machine leaves out the last rows of a quick run rather than go on for minutes.
QUICK_MINUTES = 0.8
RESULTS = Path(__file__).resolve().parent / "results"


def run(
    works: Sequence[Workload],
    names: Sequence[str],
    turns: int,
    seconds: float,
    minutes: float | None = None,
    keep: Callable[[dict[str, Any]], Any] = lambda record: None,
) -> dict[str, Any]:
    """Measure and return the record.

    Args:
        works: the workloads.
        names: the contenders.
        turns: how often each of them is measured.
        seconds: how long a turn takes, about.
        minutes: after so many, what is left is left out.
        keep: is given the record so far whenever a group is done, in case the process does not live to the end.
    """
    end = time.monotonic() + (minutes * 60 if minutes else float("inf"))
    gpu = [name for name in names if on_gpu(name)]
    record: dict[str, Any] = {
        "schema": SCHEMA, "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": facts(names), "contenders": list(names),
        "gpu_contenders": gpu, "turns": turns, "seconds": seconds, "results": [], "crossovers": [], "first_calls": {},
        "left_out": [],
    }  # fmt: skip
    results = record["results"]
    bar = tqdm(works, unit="row", dynamic_ncols=True)
    for work in bar:
        bar.set_description(work.label)
        if results and results[-1]["group"] != work.group:
            keep(record)
        if time.monotonic() > end:
            record["left_out"].append(work.label)
            continue
        results.append({
            "group": work.group, "curve": work.curve, "backward": work.backward, "size": work.size,
            "label": work.label, "contenders": measure(work, names, turns, seconds),
        })  # fmt: skip
        record["crossovers"], record["first_calls"] = crossovers(results, gpu), first_calls(results)
        gc.collect()  # large inputs go before the next ones come
    return record


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status: 1 where a contender failed."""
    options = _parser().parse_args(arguments)
    names = contenders()
    missing = [name for name in options.contenders if name not in names]
    if missing:
        raise SystemExit(f"bench: cannot measure {', '.join(missing)}; usable here are {', '.join(names)}")
    if options.contenders:
        names = [name for name in names if name in options.contenders]
    elif options.quick:
        names = [name for name in names if not name.startswith("torch")]
    works = select(options.groups, options.sizes, quick=options.quick, gpu=any(on_gpu(name) for name in names))
    if not works:
        at = "".join(f"\n  {name}: {', '.join(map(str, GROUPS[name].sizes))}" for name in options.groups or GROUPS)
        raise SystemExit(f"bench: nothing to measure; copies need a GPU, and the sizes are{at}")
    seconds = options.seconds or (0.01 if options.quick else 0.05)
    name = options.name or stem(facts(names))
    minutes = options.minutes or (QUICK_MINUTES if options.quick else None)
    record = run(works, names, options.turns, seconds, minutes, lambda so_far: write(so_far, options.out, name))
    paths = write(record, options.out, name)
    if find_spec("matplotlib") is None:
        print("no figure: matplotlib is not installed", file=sys.stderr)
    elif {row["label"] for row in record["results"] if row["size"]} & {label for label, _ in medians_of(record)}:
        from .figure import draw

        draw(record, options.out / f"{name}.png")
        paths.append(options.out / f"{name}.png")
    _print(record)
    print("\n" + "\n".join(f"written: {path}" for path in paths))
    failed = [result for row in record["results"] for result in row["contenders"].values() if "error" in result]
    return 1 if failed else 0


def _print(record: dict[str, Any]) -> None:
    print(describe(record["machine"]))
    medians = medians_of(record)
    if medians:
        print("\n".join(comparison(medians, record["contenders"], record["gpu_contenders"])))
    for found in record["crossovers"]:
        name = found["curve"] + (" + backward" if found["backward"] else "")
        size = found["from_size"]
        print(f"{name}: {found['contender']} wins " + ("at no size" if size is None else f"from {size:,}"))
    if not record["crossovers"]:
        print(no_crossover(record))
    totals = (f"{name} {duration(of['total_s'])}" for name, of in record["first_calls"].items())
    print("First calls, beyond later ones, all rows together: " + ", ".join(totals))
    if record["left_out"]:
        print(f"Out of time, not measured: {', '.join(record['left_out'])}")
    for row in record["results"]:
        for name, result in row["contenders"].items():
            if "error" in result:
                print(f"{row['label']}, {name}: {result['error']}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="few sizes, short turns, the backends alone: under a minute")
    add("--groups", nargs="+", choices=GROUPS, default=[], metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    add("--sizes", nargs="+", type=int, default=[], metavar="SIZE", help="only these of a group's sizes")
    add("--contenders", nargs="+", default=[], metavar="NAME", help=f"usable here: {', '.join(contenders())}")
    add("--turns", type=int, default=3, help="how often each contender is measured (default: 3)")
    add("--seconds", type=float, help="how long each turn takes, about (default: 0.05; quick: 0.01)")
    add("--minutes", type=float, help="after so many minutes leave out the remaining rows")
    add("--out", type=Path, default=RESULTS, metavar="FOLDER", help="where to write (default: bench/results)")
    add("--name", help="the files' name without ending (default: <date>-<device>)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
