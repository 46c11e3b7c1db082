"""Every primitive of the registry on every known backend, and the suite itself: its samples reach every rule."""

import re
from pathlib import Path

import pytest

from tapegrad import backends
from tapegrad.autograd import RULES, rules
from tapegrad.testing import backend_conformance
from tapegrad.testing.conformance import SAMPLES
from tapegrad.testing.conformance.formulas import called_names
from tapegrad.testing.conformance.running import differentiates
from tapegrad.testing.conformance.suite import DIFFERENTIABLE, samples_of

globals().update({f"Test{name.title()}": backend_conformance(name) for name in backends.names()})


def test_samples_reach_every_call_that_is_written_in_a_rule():
    files = Path(rules.__file__).parent.glob("*.py")
    written = {name for path in files for name in re.findall(r"\bF\.(\w+)", path.read_text("utf-8"))}
    called = set()
    for name in DIFFERENTIABLE:
        for sample in samples_of(name):
            if differentiates(name, sample):
                called |= called_names(name, "numpy", "float64", sample)
    assert written <= called, f"no sample reaches {sorted(written - called)}"


def test_every_sample_belongs_to_a_primitive():
    assert sorted(set(SAMPLES) - set(RULES)) == []


def test_a_primitive_without_samples_fails_and_says_where_to_add_them(monkeypatch):
    monkeypatch.delitem(SAMPLES, "matmul")
    with pytest.raises(pytest.fail.Exception, match=r"'matmul' has no samples: add .* tapegrad/testing/conformance"):
        samples_of("matmul")


def test_an_element_wise_primitive_without_samples_is_run_on_ordinary_numbers(monkeypatch):
    for name, inputs in (("tanh", 1), ("mul", 2)):
        monkeypatch.delitem(SAMPLES, name)
        assert all(len(s.inputs) == inputs for s in samples_of(name))
        assert any(s.smooth for s in samples_of(name))
