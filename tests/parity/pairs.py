"""Scenarios that are run on both libraries and must answer alike: values, or the class of the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tapegrad

from ..scenarios.table import equal, outcome

__all__ = ["Pairs"]


class Pairs:
    """The scenarios of one file: ``@pairs`` adds a function of the library."""

    def __init__(self) -> None:
        self.rows: dict[str, Callable[[Any], Any]] = {}

    def __call__(self, scenario: Callable[[Any], Any]) -> Callable[[Any], Any]:
        assert scenario.__name__ not in self.rows, scenario.__name__
        self.rows[scenario.__name__] = scenario
        return scenario

    def parameters(self) -> Any:
        """The marks of a test of every scenario."""
        return pytest.mark.parametrize("name", self.rows)

    def check(self, name: str) -> None:
        """Run one scenario on both libraries and compare."""
        torch = pytest.importorskip("torch")
        want = outcome(self.rows[name], torch)
        got = outcome(self.rows[name], tapegrad)
        assert equal(got, want), f"{name}: {got!r}, PyTorch {want!r}"
