"""The parts of the benchmarks: workloads that compute what they say, tables, comparisons, plug-ins that take part."""

import pytest

import tapegrad as tg

from .bench_tools import ROOT, load
from .stand_ins import Elsewhere, registry_restored


@pytest.mark.parametrize("case", [c for c in load("peer_cases").CASES if c.quick and c.build], ids=lambda c: c.name)
def test_rows_of_peers_run(case):
    case.build(load("workloads"), tg)()


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
