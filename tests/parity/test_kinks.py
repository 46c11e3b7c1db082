"""At kinks and extremes values and gradients are PyTorch's, on NumPy and Numba; the page that says so is fresh."""

import math

import pytest

import tapegrad

from .kinks import KINKS, PAGE, answer, page

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

TOLERANCE = {"float32": 2e-6, "float64": 1e-13}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", KINKS)
def test_kink(name, backend, dtype):
    want = answer(name, torch, getattr(torch, dtype))
    with tapegrad.backends.use(backend):
        got = answer(name, tapegrad, getattr(tapegrad, dtype))
    for label, ours, theirs in zip(["the value", *want.names], got.rows, want.rows, strict=True):
        assert len(ours) == len(theirs), label
        for a, b in zip(ours, theirs, strict=True):
            alike = math.isclose(a, b, rel_tol=TOLERANCE[dtype], abs_tol=1e-30) or (a != a and b != b)
            assert alike, f"{name}, {label}: {ours}, PyTorch has {theirs}"


def test_the_page_shows_this_table():
    both = [{name: answer(name, lib, lib.float64) for name in KINKS} for lib in (tapegrad, torch)]
    assert PAGE.read_text("utf-8") == page(*both), "run python -m tests.parity.kinks"
