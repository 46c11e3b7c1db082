"""What tests of the benchmarks share: modules of `bench/`, its commands, and the tables that they print."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tapegrad as tg

__all__ = ["CONTENDERS", "ROOT", "check_tables", "load", "run", "seconds_in"]


ROOT = Path(__file__).resolve().parents[1]
CONTENDERS = [*tg.backends.available(), *(["torch"] if importlib.util.find_spec("torch") else [])]


def load(name):
    """The module bench/NAME.py."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", ROOT / "bench" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "TAPEGRAD_"))}
    environment |= {"PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=600,
    )  # fmt: skip


def seconds_in(line):
    """The times in a row of a table."""
    return [float(v) * {"µs": 1e-6, "ms": 1e-3, "s": 1}[u] for v, u in re.findall(r"([\d.]+) (µs|ms|s)\b", line)]


def check_tables(text, row):
    """That each table in `text` has the row, with a time per contender and the ratios of these times."""
    backends = tg.backends.available()
    cpu = [name for name in backends if tg.backends.get(name).device_type == "cpu"]
    tables = {"Backends": (backends, [(name, "numpy") for name in backends[1:]])}
    if "torch" in CONTENDERS:
        tables["Beside PyTorch"] = ([*backends, "torch"], [(name, "torch") for name in cpu])
    for title, (columns, pairs) in tables.items():
        table = text.partition(f"{title}\n")[2].partition("\n\n")[0].splitlines()
        header = [cell.strip() for cell in table[0].split("  ") if cell.strip()]
        assert [name for name in header if name != "torch-cuda"][: len(columns)] == columns
        line = next(line for line in table if line.startswith(row + " "))[len(row) :]
        times = dict(zip(header, seconds_in(line)))
        ratios = dict(zip(header[len(times) :], line.split()[len(times) - len(header) :]))
        for name, base in pairs:
            assert float(ratios[f"{name} / {base}"]) == pytest.approx(times[name] / times[base], rel=0.06)
