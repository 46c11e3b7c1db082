"""What the tests of the Numba kernels share."""

import math

import numpy as np
import pytest

pytest.importorskip("numba")

from tapegrad.backends import get, numba_elementwise
from tapegrad.backends.numba_kernels import threads

__all__ = ["DTYPES", "INF", "NAN", "NUMBA", "NUMPY", "assert_close", "three_threads"]

NUMBA, NUMPY = get("numba"), get("numpy")
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
INF, NAN = math.inf, math.nan


@pytest.fixture
def three_threads(monkeypatch):
    """Three threads from the smallest arrays on."""
    before = threads.get_num_threads()
    threads.set_num_threads(3)
    for name, value in {"LARGE": 64, "HEAVY": 64, "GRAIN": 16}.items():
        monkeypatch.setattr(numba_elementwise, name, value)
    yield
    threads.set_num_threads(before)


def assert_close(got, expected, dtype, scale=1.0):
    assert got.dtype == dtype
    bound = 8 * np.finfo(dtype).eps * (np.abs(expected) + scale)
    assert (np.abs(got - expected) <= bound).all(), np.max(np.abs(got - expected) / bound)
