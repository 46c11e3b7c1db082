"""The benchmarks run, compare what they say they compare, and refuse to run where nothing would be measured."""

import importlib.util
import json
import re
import statistics

import pytest

import tapegrad as tg

from .bench_tools import CONTENDERS, ROOT, check_tables, load, run, seconds_in

needs_benchmark = pytest.mark.skipif(
    importlib.util.find_spec("pytest_benchmark") is None, reason="pytest-benchmark is not installed"
)


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
