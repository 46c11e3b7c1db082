"""The suite as pytest sees it: every primitive, type and order of one backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from ...autograd import RULES
from . import contract, formulas, gradients, updates, values
from .running import differentiates
from .sample import Sample
from .samples import MOVES, SAMPLES, contents, layouts, plain

__all__ = ["ConformanceSuite", "samples_of", "unusable"]

DIFFERENTIABLE = [name for name, rule in RULES.items() if rule.differentiable]


def samples_of(name: str) -> list[Sample]:
    """The samples of a primitive, ordinary numbers for an element-wise one that has none; another fails its tests."""
    if name not in SAMPLES and (found := plain(RULES[name])):
        return found
    if name not in SAMPLES:
        pytest.fail(
            f"the primitive '{name}' has no samples: add some to SAMPLES in tapegrad/testing/conformance/samples/",
            pytrace=False,
        )
    return SAMPLES[name]


def _over(names: Callable[[str], Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test for each of the ``names(backend)`` of the backend that the class is about."""

    def mark(function: Callable[..., None]) -> Callable[..., None]:
        function.names = names  # type: ignore[attr-defined]
        return function

    return mark


def unusable(reason: str) -> type:
    """In place of the suite of a backend that cannot run here: one test, skipped with the reason."""

    class Unusable:
        def test_backend(self) -> None:
            pytest.skip(reason)

    return Unusable


class ConformanceSuite:
    """The tests of one backend; ``tapegrad.testing.backend_conformance`` makes the subclass that pytest collects."""

    backend: ClassVar[str]
    dtypes: ClassVar[tuple[str, ...]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each test its types, and the names that it was marked with."""
        if "name" in metafunc.fixturenames:
            metafunc.parametrize("name", list(metafunc.function.names(self.backend)))
        if "dtype" in metafunc.fixturenames:
            metafunc.parametrize("dtype", self.dtypes)

    @_over(lambda backend: RULES)
    def test_values(self, name: str, dtype: str) -> None:
        for sample in samples_of(name):
            values.check_values(name, self.backend, dtype, sample)

    @_over(lambda backend: RULES)
    def test_layouts(self, name: str, dtype: str) -> None:
        for sample in layouts(samples_of(name)):
            values.check_values(name, self.backend, dtype, sample)

    @_over(lambda backend: MOVES)
    def test_contents(self, name: str, dtype: str) -> None:
        for sample in contents(samples_of(name)):
            values.check_contents(name, self.backend, dtype, sample)

    @_over(lambda backend: DIFFERENTIABLE)
    def test_first_order(self, name: str, dtype: str) -> None:
        floating = [s for s in samples_of(name) if s.gradient and differentiates(name, s)]
        assert floating, f"no sample of '{name}' has an input that wants a gradient"
        for sample in floating:
            gradients.check_first_order(name, self.backend, dtype, sample)

    @_over(lambda backend: DIFFERENTIABLE)
    def test_second_order(self, name: str, dtype: str) -> None:
        smooth = [s for s in samples_of(name) if s.smooth and differentiates(name, s)]
        assert smooth, f"no sample of '{name}' can be compared with finite differences"
        for sample in smooth:
            gradients.check_second_order(name, self.backend, dtype, sample)

    @_over(lambda backend: [name for name in RULES if name not in DIFFERENTIABLE])
    def test_without_derivative(self, name: str, dtype: str) -> None:
        for sample in samples_of(name):
            values.check_constant(name, self.backend, dtype, sample)

    @_over(lambda backend: DIFFERENTIABLE)
    def test_rule_calls_primitives_only(self, name: str) -> None:
        for sample in samples_of(name):
            if sample.smooth and differentiates(name, sample):
                formulas.check_closed(name, self.backend, self.dtypes[-1], sample)

    @_over(formulas.fused_kernels)
    def test_fused_kernel_equals_its_formula(self, name: str, dtype: str) -> None:
        assert name in RULES, f"{name}_vjp of backend '{self.backend}' belongs to no primitive"
        for sample in samples_of(name):
            if differentiates(name, sample):
                formulas.check_fused(name, self.backend, dtype, sample)

    @_over(lambda backend: updates.UPDATES)
    def test_update(self, name: str, dtype: str) -> None:
        updates.check_update(updates.UPDATES[name], self.backend, dtype)

    def test_table(self) -> None:
        contract.check_table(self.backend)

    def test_transfers(self, dtype: str) -> None:
        contract.check_transfers(self.backend, dtype)

    def test_memory(self, dtype: str) -> None:
        contract.check_memory(self.backend, dtype)

    def test_numbers(self, dtype: str) -> None:
        contract.check_numbers(self.backend, dtype)

    def test_devices(self) -> None:
        contract.check_devices(self.backend)

    def test_refusals(self) -> None:
        contract.check_refusals(self.backend)

    def test_in_place(self, dtype: str) -> None:
        contract.check_in_place(self.backend, dtype)

    def test_training(self, dtype: str) -> None:
        contract.check_training(self.backend, dtype)
