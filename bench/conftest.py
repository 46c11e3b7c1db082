"""Lets the contenders of every workload take turns, and prints the table that compares them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from .contenders import contenders, engine, ready
from .machine import describe
from .table import comparison

# (workload, contender) -> the median time of each turn, in seconds
MEDIANS: pytest.StashKey[dict[tuple[str, str], list[float]]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--turns", type=int, default=3, help="how often each contender is measured (default: 3)")
    parser.addoption("--seconds", type=float, default=0.1, help="how long each turn takes, about (default: 0.1)")


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
        workloads = metafunc.module.WORKLOADS
        turns = range(metafunc.config.getoption("--turns"))
        cases = [(work, name, turn) for work in workloads for turn in turns for name in contenders()]
        ids = ["-".join((*map(str, work), name, str(turn))) for work, name, turn in cases]
        metafunc.parametrize("contest", cases, ids=ids, indirect=True)


class Contest:
    """One contender's turn at one workload."""

    def __init__(self, tg: Any, name: str, work: Any, benchmark: Any, medians: dict[Any, list[float]]) -> None:
        self.tg, self.work = tg, work
        self._name, self._benchmark, self._medians = name, benchmark, medians

    def measure(self, label: str, run: Any) -> None:
        """Time ``run``, after calls that compile what is compiled lazily; ``label`` names the table's row."""
        run = ready(self._name, run)
        for _ in range(3):
            run()
        self._benchmark.group = label
        self._benchmark(run)
        self._medians[label, self._name].append(self._benchmark.stats.stats.median)


@pytest.fixture
def contest(request: pytest.FixtureRequest, benchmark: Any) -> Any:
    work, name, _ = request.param
    with engine(name) as tg:
        yield Contest(tg, name, work, benchmark, request.config.stash[MEDIANS])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    medians = config.stash.get(MEDIANS, {})
    if not medians:
        return
    terminalreporter.section("comparison")
    names = [name for name in contenders() if any(column == name for _, column in medians)]
    terminalreporter.write_line(describe(names))
    for line in comparison(medians, names):
        terminalreporter.write_line(line)
