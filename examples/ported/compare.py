"""Runs the scripts of this folder under PyTorch and under tapegrad and compares their losses and their time.

python examples/ported/compare.py                       all scripts, 50 steps
python examples/ported/compare.py gpt vae --steps 200   some, longer
"""

import argparse
import contextlib
import json
import os
import runpy
import statistics
import subprocess
import sys
import time
import traceback
from itertools import pairwise
from pathlib import Path

__all__ = ["SCRIPTS", "difference", "measure"]

FOLDER = Path(__file__).resolve().parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "compare" and path.stem[0] != "_")


def run_here(names):
    """Runs scripts in this process, one after the other; what ``measure`` returns."""
    sys.path.insert(0, str(FOLDER))
    import _which

    record = {}
    for name in names:
        _which.HISTORY.clear()
        start, error = time.process_time(), ""
        try:
            with contextlib.redirect_stdout(sys.stderr):
                runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        except Exception:
            error = traceback.format_exc()
        seconds = time.process_time() - start
        times, losses = [when for when, _ in _which.HISTORY], [losses for _, losses in _which.HISTORY]
        steps = [after - before for before, after in pairwise(times)] or [float("nan")]
        record[name] = {"losses": losses, "step": statistics.median(steps), "seconds": seconds, "error": error}
    return record


def measure(library, names=SCRIPTS, steps=50):
    """Runs scripts under one library in a process of its own.

    Args:
        library: "torch" or "tapegrad".
        names: which scripts.
        steps: how many steps each trains.

    Returns:
        For each name a dictionary: "losses", a list of every step's numbers; "step", the median step in seconds of
        processor time; "seconds", the whole script likewise, without the library's import; "error", the traceback
        where one failed, else empty.

    Raises:
        RuntimeError: the library could not be imported; the text is what it printed.
    """
    environment = os.environ | dict.fromkeys(THREADS, "1")
    environment |= {"TAPEGRAD_PORTED": library, "TAPEGRAD_PORTED_STEPS": str(steps), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, __file__, "--run", *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"{library} cannot run here:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)


def difference(found, expected):
    """The largest difference of two lists of losses, against one plus the size of the expected, and its step.

    A script that reports fewer or other numbers differs without bound.
    """
    if not found or [len(losses) for losses in found] != [len(losses) for losses in expected]:
        return float("inf"), 0
    far = [max(abs(a - b) / (1 + abs(b)) for a, b in zip(*pair)) for pair in zip(found, expected)]
    worst = max(range(len(far)), key=far.__getitem__)
    return far[worst], worst + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="SCRIPT", help=f"which (default: all): {', '.join(SCRIPTS)}")
    parser.add_argument("--steps", type=int, default=50, help="how many steps each trains (default: 50)")
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.names or SCRIPTS
    if unknown := set(names) - set(SCRIPTS):
        parser.error(f"no such script: {', '.join(sorted(unknown))}; there are {', '.join(SCRIPTS)}")
    if options.run:
        print(json.dumps(run_here(names)))
        return

    print(f"{'script':20} {'difference':>10} {'at':>4} {'torch':>9} {'tapegrad':>9} {'ratio':>6}   (median step, ms)")
    theirs, ours = (measure(library, names, options.steps) for library in ("torch", "tapegrad"))
    for name in names:
        if error := theirs[name]["error"] or ours[name]["error"]:
            print(f"{name:20} failed\n{error}")
            continue
        far, step = difference(ours[name]["losses"], theirs[name]["losses"])
        slow, fast = ours[name]["step"], theirs[name]["step"]
        print(f"{name:20} {far:10.1e} {step:4} {1e3 * fast:9.3f} {1e3 * slow:9.3f} {slow / fast:6.2f}")


if __name__ == "__main__":
    main()
