"""Large matrix products on the threads of the kernels, compared with NumPy's."""

import itertools
import os
import signal
import threading

import numpy as np
import pytest

pytest.importorskip("numba")

from tapegrad.backends import blas, numba_products
from tapegrad.backends.numba_kernels import threads

from .numba_tools import DTYPES

pytestmark = pytest.mark.skipif(numba_products._gemm("f") is None, reason="NumPy brings no OpenBLAS of 64-bit integers")

SIZES = [(1, 1, 1), (33, 5, 7), (64, 64, 64), (100, 1, 3), (1, 50, 70), (70, 3, 1), (257, 129, 65), (65, 40, 300)]
LAYOUTS = {
    "contiguous": lambda r, c, make: make(r, c),
    "transposed": lambda r, c, make: make(c, r).T,
    "part of a row": lambda r, c, make: make(r, c + 3)[:, 1 : c + 1],
    "every second row": lambda r, c, make: make(2 * r, c)[::2],
}


@pytest.fixture(autouse=True)
def always(monkeypatch):
    """Three threads, for products of any size."""
    before = threads.get_num_threads()
    threads.set_num_threads(3)
    monkeypatch.setattr(numba_products, "SOME", 0)
    monkeypatch.setattr(numba_products, "FEW", 0)
    monkeypatch.setattr(numba_products, "LARGE", 1)
    yield
    threads.set_num_threads(before)


def close(got, expected):
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    assert np.allclose(got, expected, rtol=0, atol=1e-3 if got.dtype == np.float32 else 1e-12)


@DTYPES
def test_matrices_of_any_layout(dtype):
    rng = np.random.default_rng(0)

    def make(rows, columns):
        return rng.standard_normal((rows, columns)).astype(dtype)

    for (m, k, n), first, second in itertools.product(SIZES, LAYOUTS.values(), LAYOUTS.values()):
        a, b = first(m, k, make), second(k, n, make)
        assert numba_products._product(a, b) is not None
        close(numba_products.dot(a, b), a @ b)


@DTYPES
def test_stacks(dtype):
    rng = np.random.default_rng(1)
    for m, k, n in SIZES:
        a = rng.standard_normal((2, 3, m, k)).astype(dtype)
        b = rng.standard_normal((2, 3, n, k)).astype(dtype).swapaxes(2, 3)
        close(numba_products.matmul(a, b), a @ b)


def test_what_it_leaves_to_numpy():
    a = np.ones((4, 6), np.float32)
    for b in (np.ones((6, 4), np.float64), np.ones((6, 8), np.float32)[:, ::2], np.ones((6, 0), np.float32)):
        assert numba_products._product(a, b) is None
        close(numba_products.dot(a, b), a @ b)
    with pytest.raises(ValueError, match="not aligned"):
        numba_products.dot(a, a)


def test_not_a_number_is_not_lost_and_old_memory_not_read():
    a, b = np.full((40, 40), np.nan, np.float32), np.zeros((40, 40), np.float32)
    assert np.isnan(numba_products.dot(a, b)).all()
    for _ in range(20):  # the memory of the results before
        assert not np.isnan(numba_products.dot(b, b)).any()


def test_the_bits_do_not_depend_on_who_helps():
    a = np.random.default_rng(2).standard_normal((301, 203)).astype(np.float32)
    expected = numba_products.dot(a, a.T)
    with threads._free:  # as if another caller had the helpers
        assert np.array_equal(numba_products.dot(a, a.T), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_child_forked_during_a_product_can_multiply(monkeypatch):
    monkeypatch.setattr(numba_products, "SOME", 1 << 30)
    a = np.ones((64, 64), np.float32)
    with numba_products._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(0 if numba_products.dot(a, a)[0, 0] == 64 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_openblas_has_its_threads_again_afterwards():
    before = blas.get_blas_threads()
    blas.set_blas_threads(2)
    try:
        a, seen = np.ones((64, 64), np.float32), []

        def work():
            for _ in range(200):
                seen.append(numba_products.dot(a, a)[0, 0])

        callers = [threading.Thread(target=work) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(60)
        assert seen == [64.0] * 800
        assert blas.get_blas_threads() == 2
    finally:
        blas.set_blas_threads(before)
