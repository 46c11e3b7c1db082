"""``python -m bench.step``: the time of one small step on every backend, beside PyTorch: of training, or of a chain.

Each measurement is a process of its own, started outside the repository; the contenders take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from tqdm import tqdm

import tapegrad

from .contenders import contenders, on_gpu
from .machine import describe, facts
from .table import comparison
from .workloads import CHAIN, STEPS

__all__ = ["main"]

WORKER = Path(__file__).resolve().with_name("step_worker.py")


def _measure(name: str, step: str, blocks: int, folder: str) -> float:
    """The median microseconds of a step in a new process."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "TAPEGRAD_BACKEND")}
    if not name.startswith("torch"):  # which has no use for the folders of this repository
        environment["PYTHONPATH"] = str(Path(tapegrad.__file__).resolve().parents[1])
    command = [sys.executable, str(WORKER), name, step, str(blocks)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"bench.step: {name} fails:\n{done.stderr}")
    return median(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.step", description=(__doc__ or "").splitlines()[0])
    known = "a network (default: 2-16-16-1, batch 32), or 100 small operations forward and backward"
    parser.add_argument("--step", choices=(*STEPS, CHAIN), default="2-16-16-1", help=known)
    parser.add_argument("--turns", type=int, default=5, help="processes per contender (default: 5)")
    parser.add_argument("--blocks", type=int, default=10, help="blocks of 50 ms in each process (default: 10)")
    options = parser.parse_args()
    names = contenders()
    times: dict[tuple[str, str], list[float]] = {(f"step {options.step}", name): [] for name in names}
    with tempfile.TemporaryDirectory() as folder, tqdm(total=options.turns * len(names), unit="process") as bar:
        for _ in range(options.turns):
            for name in names:
                bar.set_description(name)
                times[f"step {options.step}", name].append(_measure(name, options.step, options.blocks, folder) * 1e-6)
                bar.update()
    print(describe(facts(names)))
    print("\n".join(comparison(times, names, [name for name in names if on_gpu(name)])))


if __name__ == "__main__":
    main()
