"""The benchmarks run, compare what they say they compare, and refuse to run where nothing would be measured."""

import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import tapegrad as tg

from .stand_ins import Elsewhere, registry_restored

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


@needs_benchmark
def test_bench_compares_the_backends():
    done = run("pytest", "bench", "-q", "-k", "2-16-16-1", "--turns", "2", "--seconds", "0.01")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"tapegrad {tg.__version__}, numpy " in done.stdout
    check_tables(done.stdout, "step 2-16-16-1")


@needs_benchmark
def test_contenders_take_turns():
    done = run("pytest", "bench", "--collect-only", "-q", "--turns", "2")
    ids = [line.partition("[")[2].rstrip("]") for line in done.stdout.splitlines() if "::" in line]
    assert len(set(ids)) == len(ids)
    matmuls = [case for case in ids if case.startswith("matmul-64x64-") and "torch-cuda" not in case]
    assert matmuls == [f"matmul-64x64-{name}-{turn}" for turn in (0, 1) for name in CONTENDERS]


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
    check_tables(done.stdout, "step 2-16-16-1")


def test_peers_command_writes_what_it_measured(tmp_path):
    pytest.importorskip("tqdm")
    libraries = ["tapegrad", *(["torch"] if "torch" in CONTENDERS else [])]
    done = run("bench.peers", "--case", "16 small t", "import", "--libraries", *libraries, "--turns", "1", "--blocks",
               "3", "--seconds", "0.005", "--threads", "1", "--out", str(tmp_path), "--name", "record")  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    record = json.loads((tmp_path / "record.json").read_text())
    rows = {row["row"]: row for row in record["rows"]}
    assert {"16 small t", "16 small transpose", "import"} <= set(rows)
    assert list(record["libraries"]) == libraries
    text = (tmp_path / "record.md").read_text()
    for name, row in rows.items():
        medians = [statistics.median(row["contenders"][library]["turns"][0]) for library in libraries]
        assert min(medians) > 0
        line = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert line.split("|")[-3].strip() == f"{row['asked']:.2f}"
        if len(medians) == 2:
            reached = float(line.split("|")[-4])
            assert reached == pytest.approx(medians[0] / medians[1], rel=0.06)
            assert line.split("|")[-2].strip() == ("yes" if medians[0] / medians[1] <= row["asked"] else "no")
    assert rows["16 small t"]["contenders"]["tapegrad"]["turns"][0][2] > 0  # every block is there


def test_peers_refuses_unknown_rows():
    pytest.importorskip("tqdm")
    done = run("bench.peers", "--case", "no such row")
    assert done.returncode == 1
    assert "train step 2-16-16-1, batch 32" in done.stderr


@pytest.mark.parametrize("case", [c for c in load("peer_cases").CASES if c.quick and c.build], ids=lambda c: c.name)
def test_rows_of_peers_run(case):
    case.build(load("workloads"), tg)()


def test_dispatch_command_shows_the_parts_of_every_operation():
    done = run("bench.dispatch", "--turns", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for name in ("x * y", "x.sum()", "x @ z", "x[0]"):
        (row,) = [line for line in lines if line.startswith(name + " ")]
        kernel, call, tape, around, whole = (float(v) for v in re.findall(r"(-?[\d.]+) µs", row)[:5])
        assert kernel > 0
        assert abs(call + tape - around) < 0.02  # roundings
        assert abs(kernel + around - whole) < 0.02
    assert "Python around the kernel: median" in lines[-1]


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """What a quick run of two groups says, and the files that it writes."""
    for needed in ("tqdm", "matplotlib"):
        pytest.importorskip(needed)
    out = tmp_path_factory.mktemp("bench")
    done = run("bench", "--quick", "--groups", "elementwise", "networks", "--sizes", "1000", "10000",
               "--seconds", "0.002", "--out", str(out))  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done, sorted(out.iterdir())


def test_bench_writes_its_record(quick_run):
    done, (as_json, as_markdown, as_picture) = quick_run
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-[a-z0-9-]+", as_json.stem)
    assert [path.suffix for path in (as_json, as_markdown, as_picture)] == [".json", ".md", ".png"]
    assert all(f"written: {path}" in done.stdout for path in (as_json, as_markdown, as_picture))
    assert as_picture.read_bytes().startswith(b"\x89PNG")
    assert "100%" in done.stderr  # the progress bar
    record = json.loads(as_json.read_text("utf-8"))
    assert record["schema"] == 1
    assert record["contenders"] == tg.backends.available()
    assert record["machine"]["versions"]["tapegrad"] == tg.__version__
    assert record["machine"]["threads"]["OMP_NUM_THREADS"] == "1"
    assert record["left_out"] == []
    assert {row["group"] for row in record["results"]} == {"elementwise", "networks"}
    assert {row["size"] for row in record["results"]} == {0, 1000, 10000}
    for row in record["results"]:
        assert list(row["contenders"]) == record["contenders"]
        for result in row["contenders"].values():
            assert len(result["turns_s"]) == record["turns"] == 3
            assert all(0 < seconds < 1 for seconds in [*result["turns_s"], result["first_call_s"] * 0.01])


def test_bench_prints_and_writes_the_medians_of_its_record(quick_run):
    done, (as_json, as_markdown, _) = quick_run
    record = json.loads(as_json.read_text("utf-8"))
    for row in record["results"]:
        medians = [sorted(result["turns_s"])[1] for result in row["contenders"].values()]
        for text, start in (
            (done.stdout, row["label"] + "  "),
            (as_markdown.read_text("utf-8"), f"| {row['label']} |"),
        ):
            line = next(line for line in text.splitlines() if line.startswith(start))
            assert seconds_in(line.removeprefix(start)) == pytest.approx(medians, rel=0.01)


@pytest.mark.skipif(tg.backends.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_there_is_no_crossover_and_both_say_why(quick_run):
    done, (as_json, as_markdown, _) = quick_run
    record = json.loads(as_json.read_text("utf-8"))
    assert record["crossovers"] == record["gpu_contenders"] == []
    said = f"No crossovers: no GPU backend took part (cupy: {tg.backends.status('cupy')})"
    assert said in done.stdout
    assert said in as_markdown.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--groups", "matmul", "--sizes", "17"], "nothing to measure"),
        (["--contenders", "abacus"], "cannot measure abacus; usable here are numpy"),
    ],
)
def test_bench_says_what_it_cannot_measure(arguments, message, tmp_path, bench_module):
    with pytest.raises(SystemExit, match=message):
        bench_module("__main__").main([*arguments, "--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(tg.backends.cuda.is_available(), reason="there is a GPU")
def test_the_proof_on_a_gpu_says_that_there_is_none(tmp_path):
    pytest.importorskip("tqdm")
    done = run("bench.gpu", "--out", str(tmp_path))
    assert done.returncode == 2
    assert f"bench.gpu: no GPU can be used: {tg.backends.status('cupy')}" in done.stderr
    assert not list(tmp_path.iterdir())


PYTEST_LINES = """\
tests/a.py::test_one PASSED                                    [ 20%]
tests/a.py::test_two[x y] FAILED                               [ 40%]
tests/a.py::test_three SKIPPED (no card)                       [ 60%]
[gw1] [ 80%] ERROR tests/a.py::test_four
[gw0] [100%] XFAIL tests/a.py::test_five
FAILED tests/a.py::test_two[x y] - assert 1 == 2
2 failed"""


def test_the_outcome_of_tests_is_read_from_their_output(bench_module):
    outcome_of = bench_module("gpu").outcome_of
    found = outcome_of(PYTEST_LINES.splitlines(), 1)
    assert {k: found[k] for k in ("passed", "failed", "error", "skipped")} == {
        "passed": 2, "failed": 1, "error": 1, "skipped": 1,
    }  # fmt: skip
    assert found["failures"] == ["FAILED tests/a.py::test_two[x y] - assert 1 == 2", "ERROR tests/a.py::test_four"]
    assert found["outcome"] == "failed"
    assert outcome_of(PYTEST_LINES.splitlines()[:1], 0)["outcome"] == "passed"
    assert outcome_of([], 5)["outcome"] == "nothing ran"
    assert outcome_of(PYTEST_LINES.splitlines()[:1], -9, 30)["outcome"] == "stopped after 30 s"
    assert outcome_of(["Segmentation fault"], -11)["outcome"] == "pytest ended with status -11: Segmentation fault"


@pytest.fixture
def bench_module(monkeypatch):
    """Imports bench.NAME, of the folder bench/ of this checkout."""
    pytest.importorskip("tqdm")
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"bench.{name}")


def row_of(size, **times):
    contenders = {name: {"turns_s": [t], "events_s": [], "first_call_s": t + 1} for name, t in times.items()}
    return {"group": "g", "curve": "c", "backward": False, "size": size, "label": f"c {size}", "contenders": contenders}


@pytest.mark.parametrize(
    ("cupy", "from_size"),
    [([9, 9, 9], None), ([9, 9, 4], 100), ([0.5, 9, 4], 100), ([0.5, 1.5, 4], 1), ([9, 3, 2.5], 100)],
)
def test_the_crossover_is_where_the_gpu_starts_to_win_for_good(bench_module, cupy, from_size):
    rows = [
        row_of(size, numpy=a, numba=b, torch=0.1, cupy=c)
        for size, a, b, c in zip((1, 10, 100), (1, 2, 9), (2, 3, 5), cupy)
    ]
    (found,) = bench_module("report").crossovers(rows, ["cupy"])
    assert found["from_size"] == from_size
    assert found["sizes"] == [1, 10, 100]


def test_first_calls_are_counted_beyond_later_ones(bench_module):
    found = bench_module("report").first_calls([row_of(1, numpy=2.0), row_of(2, numpy=3.0)])
    assert found == {"numpy": {"total_s": 2.0, "slowest_s": 1.0, "slowest": "c 2"}}


def test_a_contender_that_fails_is_recorded_and_the_others_go_on(bench_module):
    def build(library):
        if "numpy" == tg.backends.current().name:
            raise ValueError("no")
        return lambda: None

    work = bench_module("suite").Workload("g", "c", False, 1, "c of 1", build, False)
    found = bench_module("measure").measure(work, ["numpy", "numba"], 2, 0.001)
    assert found["numpy"] == {"error": "ValueError: no"}
    assert len(found["numba"]["turns_s"]) == 2


def test_every_workload_runs(bench_module):
    for work in bench_module("suite").select(gpu=False):
        if work.size <= 1000:
            work.build(tg)()


def test_durations():
    table = load("table")
    assert [table.duration(s) for s in (2.5, 0.0123, 45.6e-6, 1e-7)] == ["2.5 s", "12.3 ms", "45.6 µs", "0.1 µs"]


def test_comparison_of_known_times():
    medians = {("a", "numpy"): [2e-3, 4e-3, 3e-3], ("a", "torch"): [1e-3], ("b", "torch"): [1e-6]}
    lines = load("table").comparison(medians, ["numpy", "torch"])
    assert lines[0] == "Backends"
    header, _, a, b = lines[lines.index("Beside PyTorch") + 1 :][:4]
    assert header.split() == ["numpy", "torch", "numpy", "/", "torch"]
    assert a.split() == ["a", "3", "ms", "±33%", "1", "ms", "3.00"]
    assert b.split() == ["b", "-", "1", "µs", "-"]
    assert "differ by more than ±25%" in lines[-1]


def test_comparison_without_pytorch_is_with_the_first_backend():
    medians = {("a", "numpy"): [2.0], ("a", "numba"): [1.0], ("a", "cupy"): [0.01]}
    title, header, _, row, *rest = load("table").comparison(medians, ["numpy", "numba", "cupy"], ["cupy"])
    assert title == "Backends"
    assert header.endswith("numba / numpy  cupy / numpy")
    assert row.split() == ["a", "2", "s", "1", "s", "10", "ms", "0.50", "0.005"]
    assert len(rest) == 2  # an empty line, and how to read the table


def test_backends_are_compared_with_pytorch_on_their_own_side():
    names, gpu = ["numpy", "numba", "cupy", "torch", "torch-cuda"], ["cupy", "torch-cuda"]
    _, (title, columns, pairs) = load("table").columns(names, gpu)
    assert (title, columns) == ("Beside PyTorch", names)
    assert pairs == [("numpy", "torch"), ("numba", "torch"), ("cupy", "torch-cuda")]
    _, (_, _, without) = load("table").columns(["numpy", "cupy", "torch"], gpu)
    assert without == [("numpy", "torch")]


@pytest.mark.parametrize("name", load("workloads").STEPS)
def test_training_steps_train(name):
    step = load("workloads").training_step(tg, name)
    losses = [step().item() for _ in range(30)]
    assert losses[-1] < losses[0]


def test_a_chain_has_as_many_steps_as_it_says():
    node, steps = load("workloads").chain(tg, 100)().grad_fn, -1  # the sum at its end
    while node is not None and node.next_functions:
        node, steps = node.next_functions[0][0], steps + 1
    assert steps == 100


@pytest.mark.parity
def test_chains_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    ours, theirs = (load("workloads").chain(library, 100)().item() for library in (tg, torch))
    assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parity
@pytest.mark.parametrize("name", load("workloads").STEPS)
def test_training_steps_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    ours, theirs = (load("workloads").training_step(library, name) for library in (tg, torch))
    for _ in range(10):
        assert ours().item() == pytest.approx(theirs().item(), rel=1e-5)


def test_a_plug_in_takes_part_beside_the_cpu(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.contenders import on_gpu
    from bench.measure import measure
    from bench.suite import select

    with registry_restored():
        tg.backends.register("elsewhere", Elsewhere, device_type="box")
        assert not on_gpu("elsewhere")
        assert not on_gpu("torch")
        (work,) = select(["elementwise"], [1000])[:1]
        found = measure(work, ["numpy", "elsewhere"], 1, 0.001)
    assert [len(of["turns_s"]) for of in found.values()] == [1, 1]
    assert found["elsewhere"]["events_s"] == []


def test_optimizers_are_measured_with_and_without_momentum(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.suite import select

    assert [work.curve for work in select(["optimizers"], [1000])] == [
        "SGD", "SGD with momentum", "RMSprop", "Adam", "AdamW",
    ]  # fmt: skip
    for work in select(["optimizers"], [1000]):
        work.build(tg)()


def test_names_command_writes_what_it_measured(tmp_path):
    pytest.importorskip("tqdm")
    pytest.importorskip("torch")
    done = run("bench.names", "--names", "tanh", "copy_", "--size", "1 k", "--turns", "1", "--blocks", "2", "--seconds",
               "0.002", "--out", str(tmp_path), "--name", "record")  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    record = json.loads((tmp_path / "record.json").read_text())
    rows = {row["row"]: row for row in record["rows"]}
    assert set(rows) == {"1 k tanh", "1 k nn.Tanh", "1 k copy_"}
    for row in rows.values():
        best = {name: min(min(turn) for turn in turns) for name, turns in row["seconds"].items()}
        assert row["ratio"] == pytest.approx(best["tapegrad"] / best["torch"])
    text = (tmp_path / "record.md").read_text()
    middle = statistics.median(row["ratio"] for row in rows.values())
    assert f"median ratio {middle:.2f}" in text
    assert record["libraries"]["tapegrad"]["threads"] == 1


def test_names_are_called_as_they_are_written(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "bench")  # as in a worker
    names = load("name_cases")
    assert len(names.NAMES) >= 150
    for build in names.NAMES.values():
        build(tg, names.SIZES["1 k"])()
