"""Measures one contender's step in a process of its own: ``step_worker.py CONTENDER STEP BLOCKS``.

Prints the microseconds of a step in each block as JSON. ``bench.step`` starts it, outside the repository.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from contextlib import nullcontext

from workloads import CHAIN, step_of

WARM_UP = 200
BLOCK_SECONDS = 0.05


def main(name: str, step_name: str, blocks: int) -> list[float]:
    """The microseconds of a step in each of ``blocks`` blocks of about ``BLOCK_SECONDS``."""
    tg = importlib.import_module("torch" if name.startswith("torch") else "tapegrad")
    if tg.__name__ == "tapegrad":
        tg.backends.use(name)
    with tg.device("cuda") if name == "torch-cuda" else nullcontext():
        step = step_of(tg, step_name)
    first = step().item()
    seconds, times = 0.0, []
    count = WARM_UP
    for block in range(blocks + 1):
        start = time.perf_counter()
        for _ in range(count):
            loss = step()
        final = loss.item()  # on a device that works asynchronously this waits for the end
        seconds = time.perf_counter() - start
        if block:
            times.append(seconds / count * 1e6)
        count = max(1, round(count * BLOCK_SECONDS / seconds))
    if step_name != CHAIN and not final < first:
        raise SystemExit(f"{name}: the loss did not fall: {first} before, {final} after")
    return times


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2], int(sys.argv[3])), sys.stdout)
