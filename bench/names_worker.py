"""Measures rows of ``bench.names`` for one library in a process of its own, outside the repository.

``names_worker.py LIBRARY BLOCKS SECONDS THREADS ROW...`` with rows as "1 M exp" prints as JSON the version and the
threads of the library, and by row the seconds of a call in every block, or why there are none.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
from typing import Any

from name_cases import NAMES, SIZES
from peers_worker import _seconds, _threads, _version

__all__ = ["main"]


def main(library: str, blocks: int, seconds: float, threads: int, rows: list[str]) -> dict[str, Any]:
    """The figures of the rows; ``threads`` 0 leaves their number to the library."""
    tg = importlib.import_module(library)
    if threads:
        tg.set_num_threads(threads)
    tg.nn.functional.relu(tg.ones(1 << 15)).sum()  # what a program at work has loaded and set up long ago
    tg.manual_seed(0)
    found: dict[str, Any] = {}
    for row in rows:
        size = next(size for size in SIZES if row.startswith(size + " "))
        try:
            found[row] = {"blocks": _seconds(NAMES[row.removeprefix(size + " ")](tg, SIZES[size]), blocks, seconds)}
        except Exception as error:  # one row must not take the others with it; the report names it
            found[row] = {"skipped": f"{type(error).__name__}: {error}"}
        gc.collect()
    return {"version": _version(library, tg), "threads": _threads(library, tg), "rows": found}


if __name__ == "__main__":
    json.dump(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]), sys.stdout)
