"""Scenarios: short programs written once, against a library ``lib`` that is tapegrad or PyTorch.

A scenario is a function of ``lib`` decorated with the answer that PyTorch gives. The answer is tested on tapegrad
everywhere, and on PyTorch itself (marker ``parity``) where that is installed, so a wrong answer cannot stay in the
table. Tensors answer with their values, errors with the name of their class.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import tapegrad

__all__ = ["Table", "equal", "leaf", "number", "tensor"]

TOLERANCE = 1e-8


def plain(value: Any) -> Any:
    """A result as Python numbers, strings, lists and tuples."""
    if hasattr(value, "tolist") and hasattr(value, "detach"):
        return value.detach().tolist()
    if isinstance(value, (list, tuple)):
        return type(value)(plain(v) for v in value) if type(value) in (list, tuple) else [plain(v) for v in value]
    if type(value).__name__ == "dtype":
        return str(value).rpartition(".")[2]
    return value


def equal(got: Any, want: Any) -> bool:
    """Equality of plain values, with a tolerance for floats; nan equals nan."""
    if isinstance(want, float) and isinstance(got, float):
        return math.isclose(got, want, rel_tol=TOLERANCE, abs_tol=1e-7) or (got != got and want != want)
    if isinstance(want, (list, tuple)):
        return type(got) is type(want) and len(got) == len(want) and all(map(equal, got, want))
    return type(got) is type(want) and got == want


def outcome(scenario: Callable[[Any], Any], lib: Any) -> Any:
    """What a scenario answers; an error answers with its class, so texts may differ."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(scenario(lib))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            kind = RuntimeError if isinstance(error, RuntimeError) else type(error)
            return kind.__name__


class Table:
    """The scenarios of one file: ``@table(answer)`` adds a function."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Callable[[Any], Any], Any]] = {}

    def __call__(self, answer: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        def add(scenario: Callable[[Any], Any]) -> Callable[[Any], Any]:
            assert scenario.__name__ not in self.rows, scenario.__name__
            self.rows[scenario.__name__] = scenario, answer
            return scenario

        return add

    @classmethod
    def of(cls, *modules: Any) -> Table:
        """The scenarios of several modules as one table."""
        joined = cls()
        for module in modules:
            assert not set(joined.rows) & set(module.scenario.rows)
            joined.rows |= module.scenario.rows
        return joined

    def parameters(self) -> Any:
        """The marks of a test of (name, library): every scenario on tapegrad, and as ``parity`` on PyTorch."""
        rows = [pytest.param(name, "tapegrad", id=name) for name in self.rows]
        rows += [pytest.param(name, "torch", id=f"{name}-torch", marks=pytest.mark.parity) for name in self.rows]
        return pytest.mark.parametrize(("name", "library"), rows)

    def check(self, name: str, library: str) -> None:
        """Run one scenario and compare its answer."""
        lib = pytest.importorskip("torch") if library == "torch" else tapegrad
        scenario, answer = self.rows[name]
        got = outcome(scenario, lib)
        assert equal(got, answer), f"{name} on {library}: {got!r}, expected {answer!r}"


def leaf(lib, *values, dtype="float64"):
    """A vector that requires grad."""
    return lib.tensor(values, dtype=getattr(lib, dtype), requires_grad=True)


def number(lib, value):
    """A 0-d tensor that requires grad."""
    return lib.tensor(value, dtype=lib.float64, requires_grad=True)


def tensor(lib, *values):
    """A vector that requires none."""
    return lib.tensor(values, dtype=lib.float64)
