"""Whole layers of small networks in one compiled call, and what is left to the BLAS library, against float64."""

import itertools

import numpy as np
import pytest

pytest.importorskip("numba")

import tapegrad as tg
from tapegrad import backends, nn
from tapegrad.backends import numba_backend

from .numba_tools import DTYPES

ACTS = {
    None: (lambda z: z, lambda y: np.ones_like(y)),
    "relu": (lambda z: np.maximum(z, 0), lambda y: (y > 0).astype(float)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda y: y * (1 - y)),
}
# rows, inputs, features: whole tiles of rows and of columns, parts of them, and single ones
SIZES = [(32, 16, 16), (1, 1, 1), (6, 3, 4), (5, 7, 17), (7, 17, 3), (13, 2, 33), (1, 20, 40), (40, 1, 5), (0, 3, 4),
         (4, 3, 0), (64, 64, 128), (45, 37, 90)]  # fmt: skip
BACKEND = backends.get("numba")


@pytest.fixture(params=["small", "BLAS"])
def way(request, monkeypatch):
    """Both ways that a layer can take."""
    if request.param == "BLAS":
        monkeypatch.setattr(numba_backend, "SMALL", -1)
    return request.param


def layer(sizes, dtype, lead=None):
    rows, inner, features = sizes
    rng = np.random.default_rng(sum(sizes))
    x, w, b = (rng.standard_normal(s).astype(dtype) for s in ((rows, inner), (features, inner), (features,)))
    g = rng.standard_normal((rows, features)).astype(dtype)
    return (x, w, b, g) if lead is None else (x.reshape(*lead, inner), w, b, g.reshape(*lead, features))


def expected(x, w, b, g, act):
    there, slope = ACTS[act]
    x, w, b, g = (a.astype(np.float64) for a in (x, w, b, g))
    out = there(x @ w.T + b)
    before = (g * slope(out)).reshape(int(np.prod(g.shape[:-1])), len(w))
    return out, (before.reshape(g.shape) @ w, before.T @ x.reshape(-1, w.shape[1]), before.sum(0))


def check(x, w, b, g, act, need=(True, True, True)):
    out = BACKEND.linear(x, w, b, act)
    back = BACKEND.linear_vjp(g, x, w, out, act, need)
    right, slopes = expected(x, w, b, g, act)
    for name, a, e in zip(("out", "input", "weight", "bias"), (out, *back), (right, *slopes), strict=True):
        if name == "out" or need[("input", "weight", "bias").index(name)]:
            assert (a.dtype, a.shape) == (x.dtype, e.shape), name
            np.testing.assert_allclose(a, e, rtol=0, atol=2e-5 if x.dtype == np.float32 else 1e-13, err_msg=name)
        else:
            assert a is None, name


@DTYPES
@pytest.mark.parametrize("act", ACTS)
def test_layers_of_any_size(way, act, dtype):
    for sizes in SIZES:
        check(*layer(sizes, dtype), act)


@pytest.mark.parametrize("act", ACTS)
def test_just_what_is_needed(way, act):
    for need in itertools.product((False, True), repeat=3):
        check(*layer((7, 5, 9), np.float32), act, need)


def test_more_dimensions(way):
    check(*layer((24, 5, 9), np.float32, (2, 3, 4)), "tanh")
    check(*layer((24, 5, 9), np.float64, (24, 1)), None)


LAYOUTS = {
    "strided": lambda a: np.repeat(a, 2, 0)[::2],
    "transposed": lambda a: np.asfortranarray(a),
    "read only": lambda a: (a.setflags(write=False), a)[1],
    "expanded": lambda a: np.broadcast_to(a[:1], a.shape),
    "a subclass": lambda a: a.view(np.memmap),
}


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("make", LAYOUTS.values(), ids=LAYOUTS)
def test_memory_of_any_kind(way, make, which):
    arrays = list(layer((8, 6, 10), np.float32))
    if arrays[which].ndim == 1 and make is LAYOUTS["expanded"]:
        arrays[which] = np.broadcast_to(arrays[which][:1], arrays[which].shape)
    else:
        arrays[which] = make(arrays[which])
    check(*arrays, "relu")


def test_nan_and_inf_go_through(way):
    x, w, b, _ = layer((8, 3, 4), np.float32)
    x[0, 0], x[1, 1] = np.nan, np.inf
    for act in ACTS:
        with np.errstate(invalid="ignore"):
            right = expected(x, w, b, np.ones((8, 4)), act)[0]
        np.testing.assert_array_equal(np.isnan(BACKEND.linear(x, w, b, act)), np.isnan(right))


def test_small_layers_take_the_kernels_and_large_ones_do_not(monkeypatch):
    calls = []
    product = np.dot
    monkeypatch.setattr(np, "dot", lambda *a: (calls.append(a), product(*a))[1])
    for features, expected_calls in ((16, 0), (1 << 14, 3)):
        net = nn.Linear(16, features)
        net(tg.ones(8, 16, requires_grad=True)).sum().backward()
        assert len(calls) == expected_calls


def test_shapes_that_do_not_fit_are_named_as_ever(way):
    with pytest.raises(RuntimeError, match="linear"):
        nn.functional.linear(tg.ones(3, 4), tg.ones(5, 6), tg.ones(5))
    with pytest.raises(RuntimeError, match="linear"):
        nn.functional.linear(tg.ones(3, 4), tg.ones(5, 4), tg.ones(3))


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("shape", [(3,), (6,), (1,), (), (1, 5)])
def test_memory_beyond_a_bias_is_not_read(way, backend, shape):
    memory = tg.full((8, 5), 777.0)
    layer = nn.Linear(4, 5)
    layer.bias = nn.Parameter(memory.flatten()[: max(np.prod(shape, dtype=int), 1)].reshape(shape))
    with backends.use(backend), pytest.raises(RuntimeError, match=r"linear.*the bias must have shape \[5\]"):
        nn.Sequential(layer, nn.ReLU())(tg.ones(2, 4))


@pytest.mark.parametrize("sizes", [(65536, 4, 4), (24, 10000, 4), (4, 20000, 4), (40000, 1, 3)])
def test_long_sums_keep_their_digits(way, sizes):
    rows, inner, features = sizes
    x, w, g = (np.full(s, 0.1, np.float32) for s in ((rows, inner), (features, inner), (rows, features)))
    b = np.zeros(features, np.float32)
    out = BACKEND.linear(x, w, b, None)
    back = BACKEND.linear_vjp(g, x, w, out, None, (True,) * 3)
    right, slopes = expected(x, w, b, g, None)
    for name, a, e in zip(("out", "input", "weight", "bias"), (out, *back), (right, *slopes), strict=True):
        ours = way == "small" or name == "bias"
        np.testing.assert_allclose(a, e, rtol=6e-5 if ours else 1e-3, err_msg=name)
    slopes_of_bias = BACKEND.linear_vjp(g, x, w, np.abs(out) + 1, "relu", (False, False, True))[2]
    np.testing.assert_allclose(slopes_of_bias, g.astype(float).sum(0), rtol=6e-5)


def test_a_row_has_the_same_bits_in_every_batch():
    x, w, b, _ = layer((40, 20, 33), np.float32)
    out = BACKEND.linear(x, w, b, "relu")
    for rows in (6, 7, 12, 13, 40):  # whole tiles, and last tiles that lie over the one before
        np.testing.assert_array_equal(BACKEND.linear(x[:rows].copy(), w.copy(), b, "relu"), out[:rows])


@pytest.mark.parametrize(
    "other", [None, 1.5, object(), np.float32(2), np.ones((7, 5)), np.ones((7, 5), np.float32)[::2]]
)
def test_kernels_look_only_at_arrays_that_they_can_use(other):
    x, w, b, g = layer((7, 5, 9), np.float32)
    out, nothing = np.empty((7, 9), np.float32), np.empty(0, np.float32)
    forward, back = numba_backend.FORWARD["relu", "f"], numba_backend.BACK["relu", "f"]
    for place in range(3):
        arrays = [x, w, b, out]
        arrays[place] = other
        assert not forward(id(arrays), nothing)
    for place in range(4):
        arrays = [g, x, w, out, nothing, nothing, np.empty(9, np.float32)]
        arrays[place] = other
        assert not back(id(arrays), nothing)
