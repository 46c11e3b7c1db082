"""Lets the contenders of every workload take turns, and prints the table that compares them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from .contenders import contenders, engine, making, on_gpu, ready
from .machine import describe, facts
from .suite import select
from .table import comparison

# (workload, contender) -> the median time of each turn, in seconds
MEDIANS: pytest.StashKey[dict[tuple[str, str], list[float]]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--turns", type=int, default=3, help="how often each contender is measured (default: 3)")
    parser.addoption("--seconds", type=float, default=0.05, help="how long each turn takes, about (default: 0.05)")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError('bench: pytest-benchmark is not active; pip install "tapegrad[bench]"')
    for option, cure in (
        ("benchmark_disable", "without --benchmark-disable"),
        ("benchmark_skip", "without --benchmark-skip"),
        ("numprocesses", "in one process, without -n"),
    ):
        if config.getoption(option, None):
            raise pytest.UsageError(f"bench: benchmarks are disabled, so nothing would be measured; run pytest {cure}")
    # Short turns; several of them say more than one long one. The plugin's own table, a row a turn, is for --verbose.
    config.option.benchmark_min_rounds, config.option.benchmark_max_time = 3, config.option.seconds
    config.option.benchmark_quiet = config.option.verbose < 1
    config.stash[MEDIANS] = defaultdict(list)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a workload, turn and contender, in this order: the contenders alternate."""
    if "contest" in metafunc.fixturenames:
        names = contenders()
        gpu = {name for name in names if on_gpu(name)}
        works = select(gpu=bool(gpu))
        turns = range(metafunc.config.getoption("--turns"))
        cases = [
            (work, name, turn) for work in works for turn in turns for name in names if name in gpu or not work.gpu_only
        ]
        ids = [f"{work.label.replace(' ', '-')}-{name}-{turn}" for work, name, turn in cases]
        metafunc.parametrize("contest", cases, ids=ids, indirect=True)


class Contest:
    """One contender's turn at one workload."""

    def __init__(self, label: str, name: str, run: Any, benchmark: Any, medians: dict[Any, list[float]]) -> None:
        self.run, self._label, self._name = run, label, name
        self._benchmark, self._medians = benchmark, medians

    def measure(self) -> None:
        """Time the workload, after calls that compile what is compiled lazily."""
        run = ready(self._name, self.run)
        for _ in range(2):
            run()
        self._benchmark.group = self._label
        self._benchmark(run)
        self._medians[self._label, self._name].append(self._benchmark.stats.stats.median)


@pytest.fixture
def contest(request: pytest.FixtureRequest, benchmark: Any) -> Any:
    work, name, _ = request.param
    with making(name) as tg:
        run = work.build(tg)
    with engine(name):
        yield Contest(work.label, name, run, benchmark, request.config.stash[MEDIANS])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    medians = config.stash.get(MEDIANS, {})
    if not medians:
        return
    terminalreporter.section("comparison")
    names = [name for name in contenders() if any(column == name for _, column in medians)]
    terminalreporter.write_line(describe(facts(names)))
    for line in comparison(medians, names, [name for name in names if on_gpu(name)]):
        terminalreporter.write_line(line)
