"""The benchmarks run, compare what they say they compare, and refuse to run where nothing would be measured."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tapegrad as tg

ROOT = Path(__file__).resolve().parents[1]
CONTENDERS = [*tg.backends.available(), *(["torch"] if importlib.util.find_spec("torch") else [])]
needs_benchmark = pytest.mark.skipif(
    importlib.util.find_spec("pytest_benchmark") is None, reason="pytest-benchmark is not installed"
)


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


def check_table(text, row):
    """That the table in `text` has the row, with a time per contender and the ratios of these times."""
    header = re.search(r"^ +numpy .*$", text, flags=re.MULTILINE).group().split("  ")
    header = [cell.strip() for cell in header if cell.strip()]
    base = "torch" if "torch" in CONTENDERS else "numpy"
    others = [name for name in CONTENDERS if name != base]
    assert header == [*CONTENDERS, *(f"{name} / {base}" for name in others)]
    line = re.search(rf"^{re.escape(row)} .*$", text, flags=re.MULTILINE).group()[len(row) :]
    found = re.findall(r"([\d.]+) (µs|ms|s)\b", line)
    times = {n: float(v) * {"µs": 1e-6, "ms": 1e-3, "s": 1}[u] for n, (v, u) in zip(CONTENDERS, found, strict=True)}
    ratios = line.split()[-len(others) :]
    for name, ratio in zip(others, ratios, strict=True):
        assert float(ratio) == pytest.approx(times[name] / times[base], rel=0.02, abs=0.006)


@needs_benchmark
def test_bench_compares_the_backends():
    done = run("pytest", "bench", "-q", "-k", "test_step and 2-16-16-1", "--turns", "2", "--seconds", "0.01")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{2 * len(CONTENDERS)} passed" in done.stdout
    assert f"tapegrad {tg.__version__}, numpy " in done.stdout
    check_table(done.stdout, "step 2-16-16-1")


@needs_benchmark
def test_contenders_take_turns():
    done = run("pytest", "bench/bench_matmul.py", "--collect-only", "-q", "--turns", "2")
    ids = [line.partition("[")[2].rstrip("]") for line in done.stdout.splitlines() if "::" in line]
    assert ids == [f"{n}-{c}-{turn}" for n in (32, 256, 1024) for turn in (0, 1) for c in CONTENDERS]


@needs_benchmark
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--benchmark-disable"], "run pytest without --benchmark-disable"),
        (["--benchmark-skip"], "run pytest without --benchmark-skip"),
        (["-n", "2"], "run pytest in one process, without -n"),
        (["-p", "no:benchmark"], "pytest-benchmark is not active"),
    ],
)
def test_bench_refuses_to_measure_nothing(arguments, message):
    if arguments[0] == "-n":
        pytest.importorskip("xdist")
    done = run("pytest", "bench", "-k", "2-16-16-1", *arguments)
    assert done.returncode == 4
    assert message in done.stderr
    assert "passed" not in done.stdout


def test_step_command_compares_the_backends():
    pytest.importorskip("tqdm")
    done = run("bench.step", "--turns", "1", "--blocks", "1")
    assert done.returncode == 0, done.stderr
    check_table(done.stdout, "step 2-16-16-1")


def test_durations():
    table = load("table")
    assert [table.duration(s) for s in (2.5, 0.0123, 45.6e-6, 1e-7)] == ["2.5 s", "12.3 ms", "45.6 µs", "0.1 µs"]


def test_comparison_of_known_times():
    medians = {("a", "numpy"): [2e-3, 4e-3, 3e-3], ("a", "torch"): [1e-3], ("b", "torch"): [1e-6]}
    header, _, a, b, *notes = load("table").comparison(medians, ["numpy", "torch"])
    assert header.split() == ["numpy", "torch", "numpy", "/", "torch"]
    assert a.split() == ["a", "3", "ms", "±33%", "1", "ms", "3.00"]
    assert b.split() == ["b", "-", "1", "µs", "-"]
    assert "differ by more than ±25%" in notes[1]


def test_comparison_without_pytorch_is_with_numpy():
    medians = {("a", "numpy"): [2.0], ("a", "numba"): [1.0]}
    header, _, row, *notes = load("table").comparison(medians, ["numpy", "numba"])
    assert header.endswith("numba / numpy")
    assert row.split() == ["a", "2", "s", "1", "s", "0.50"]
    assert len(notes) == 1


@pytest.mark.parametrize("name", load("workloads").STEPS)
def test_training_steps_train(name):
    step = load("workloads").training_step(tg, name)
    losses = [step().item() for _ in range(30)]
    assert losses[-1] < losses[0]


@pytest.mark.parity
@pytest.mark.parametrize("name", load("workloads").STEPS)
def test_training_steps_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    ours, theirs = (load("workloads").training_step(library, name) for library in (tg, torch))
    for _ in range(10):
        assert ours().item() == pytest.approx(theirs().item(), rel=1e-5)
