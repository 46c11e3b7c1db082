"""The compiled optimizer updates: which arrays they take by the addresses of lists, and that threads change nothing."""

import pickle

import numpy as np
import pytest

pytest.importorskip("numba")

import tapegrad as tg
from tapegrad import backends
from tapegrad.backends.numba_elementwise import NOTHING
from tapegrad.backends.numba_update import K

from . import numba_tools

three_threads = numba_tools.three_threads
SHAPES = ((3, 4), (), (0,), (2, 3, 2), (5,))


def arrays(seed, dtype="float32", shapes=SHAPES):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


def sgd(params, grads, start=-1, stop=-1):
    rows, numbers = [params, grads], [0.5, 0.0, 1.0]
    return K.sgd(id(rows), id(numbers), NOTHING["f"], start, stop)


def test_all_parameters_are_moved_by_one_call():
    params, grads = arrays(0), arrays(1)
    before = [p.copy() for p in params]
    assert sgd(params, grads) == sum(p.size for p in params)
    for p, q, g in zip(params, before, grads, strict=True):
        np.testing.assert_allclose(p, q - np.float32(0.5) * g, rtol=1e-6)


def test_a_range_moves_just_its_elements():
    params, grads = arrays(0), arrays(1)
    before = np.concatenate([p.ravel() for p in params])
    moved = before - np.float32(0.5) * np.concatenate([g.ravel() for g in grads])
    for start, stop in ((0, 2), (2, 13), (13, 14), (14, 30)):
        sgd(params, grads, start, stop)
        now = np.concatenate([p.ravel() for p in params])
        np.testing.assert_allclose(now[:stop], moved[:stop], rtol=1e-6)
        np.testing.assert_array_equal(now[stop:], before[stop:])


UNFIT = {
    "strided": lambda a: np.asfortranarray(a),
    "read only": lambda a: (a.setflags(write=False), a)[1],
    "another type": lambda a: a.astype("float64"),
    "another order of bytes": lambda a: a.astype(">f4"),
    "another size": lambda a: a[:2].copy(),
    "a subclass": lambda a: a.view(np.memmap),
    "a scalar": lambda a: np.float32(a[0, 0]),
    "not aligned": lambda a: np.frombuffer(bytearray(a.nbytes + 1), "f4", a.size, 1).reshape(a.shape),
}


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("make", UNFIT.values(), ids=UNFIT)
def test_what_does_not_fit_is_left_alone(make, row):
    rows = arrays(0), arrays(1)
    rows[row][0] = make(rows[row][0])
    before = [p.copy() for p in rows[0]]
    assert sgd(*rows) == -1
    for p, q in zip(rows[0], before, strict=True):
        np.testing.assert_array_equal(p, q)


def test_rows_of_different_lengths_are_refused():
    assert sgd(arrays(0), arrays(1)[:-1]) == -1


def test_arrays_with_copies_of_their_type_fit():
    params, grads = arrays(0), pickle.loads(pickle.dumps(arrays(1)))
    assert grads[0].dtype == params[0].dtype
    assert grads[0].dtype is not params[0].dtype
    assert sgd(params, grads) > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_and_single_calls_give_the_same_bits(dtype, three_threads):
    shapes = ((700, 500), (3,), (), (130_001,))
    backend = backends.get("numba")

    def run(update):
        params, grads, firsts, seconds = (arrays(seed, dtype, shapes) for seed in range(4))
        seconds = [np.asarray(v**2) for v in seconds]
        update(params, grads, firsts, seconds)
        return params

    def whole(*rows):
        backend.adam_update(*rows, [], [3] * len(shapes), 0.01, 0.9, 0.999, 1e-8, 0.1, True, False)

    def one_by_one(*rows):
        for row in zip(*rows, strict=True):
            backend.adam_update(*([a] for a in row), [], [3], 0.01, 0.9, 0.999, 1e-8, 0.1, True, False)

    for p, q in zip(run(whole), run(one_by_one), strict=True):
        np.testing.assert_array_equal(p, q)


@pytest.mark.parametrize("kind", [int, np.float32, np.float64, np.int64])
def test_options_are_numbers_of_any_kind(kind):
    p, g = np.zeros(3, "f4"), np.ones(3, "f4")
    backends.get("numba").sgd_update([p], [g], [], kind(2), kind(0), kind(0), kind(0), False, False)
    np.testing.assert_array_equal(p, -2)


def test_a_large_parameter_twice_is_moved_twice(three_threads):
    p, g = np.zeros(300_000, "f4"), np.ones(300_000, "f4")
    backends.get("numba").sgd_update([p, p], [g, g], [], 0.5, 0, 0, 0, False, False)
    np.testing.assert_array_equal(p, -1)


def test_parameters_of_different_ages_step_each_by_its_own():
    old, new = (tg.ones(3, requires_grad=True) for _ in range(2))
    optimizer = tg.optim.Adam([old, new], lr=0.1)
    old.grad = tg.ones(3)
    optimizer.step()
    old.grad, new.grad = tg.ones(3), tg.ones(3) * 5
    optimizer.step()
    np.testing.assert_allclose(new.detach().numpy(), 0.9, rtol=1e-5)  # the first step is as long as the rate
    assert [optimizer.state[p]["step"] for p in (old, new)] == [2, 1]
