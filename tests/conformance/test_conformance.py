"""Every primitive of the registry on every usable backend, in float32 and float64."""

import re
from pathlib import Path

import pytest

from tapegrad import backends
from tapegrad.autograd import RULES, rules

from . import checks
from .samples import SAMPLES

BACKENDS = backends.available()
DTYPES = ("float32", "float64")
DIFFERENTIABLE = [name for name, rule in RULES.items() if rule.differentiable]
FUSED = [(backend, name) for backend in BACKENDS for name in checks.fused_kernels(backend)]

on_all = [pytest.mark.parametrize("dtype", DTYPES), pytest.mark.parametrize("backend", BACKENDS)]


def samples(name):
    if name not in SAMPLES:
        pytest.fail(f"the primitive '{name}' has no samples: add some to SAMPLES in tests/conformance/samples.py")
    return SAMPLES[name]


def everywhere(function):
    for mark in on_all:
        function = mark(function)
    return function


@everywhere
@pytest.mark.parametrize("name", RULES)
def test_values(name, backend, dtype):
    for sample in samples(name):
        checks.check_values(name, backend, dtype, sample)


@everywhere
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_order(name, backend, dtype):
    floating = [s for s in samples(name) if s.gradient and checks.differentiates(name, s)]
    assert floating, f"no sample of '{name}' has an input that wants a gradient"
    for sample in floating:
        checks.check_first_order(name, backend, dtype, sample)


@everywhere
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_second_order(name, backend, dtype):
    smooth = [s for s in samples(name) if s.smooth and checks.differentiates(name, s)]
    assert smooth, f"no sample of '{name}' can be compared with finite differences"
    for sample in smooth:
        checks.check_second_order(name, backend, dtype, sample)


@pytest.mark.parametrize("name", [name for name in RULES if name not in DIFFERENTIABLE])
def test_without_derivative(name):
    for sample in samples(name):
        checks.check_constant(name, BACKENDS[0], sample)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_rules_call_primitives_only(name, backend):
    for sample in samples(name):
        if sample.smooth and checks.differentiates(name, sample):
            checks.check_closed(name, backend, sample)


def test_samples_reach_every_call_that_is_written_in_a_rule():
    files = Path(rules.__file__).parent.glob("*.py")
    written = {name for path in files for name in re.findall(r"\bF\.(\w+)", path.read_text("utf-8"))}
    called = set()
    for name in DIFFERENTIABLE:
        for sample in samples(name):
            if checks.differentiates(name, sample):
                called |= checks.called_names(name, "numpy", sample)
    assert written <= called, f"no sample reaches {sorted(written - called)}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("backend", "name"), FUSED)
def test_fused_kernels_equal_their_formula(backend, name, dtype):
    assert name in RULES, f"{name}_vjp of backend '{backend}' belongs to no primitive"
    for sample in samples(name):
        if checks.differentiates(name, sample):
            checks.check_fused(name, backend, dtype, sample)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_has_every_primitive(backend):
    made = backends.get(backend)
    assert [name for name in RULES if not callable(getattr(made, name, None))] == []


def test_every_sample_belongs_to_a_primitive():
    assert sorted(set(SAMPLES) - set(RULES)) == []


def test_a_primitive_without_samples_fails_and_says_where_to_add_them():
    with pytest.raises(pytest.fail.Exception, match=r"'hypot' has no samples: add some .* tests/conformance/samples.py"):
        samples("hypot")
