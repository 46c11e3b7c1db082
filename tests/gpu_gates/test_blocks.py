"""Every block kernel on the host: against NumPy in float64, under ThreadSanitizer and under AddressSanitizer."""

import math

import numpy as np
import pytest

from tapegrad import backends
from tapegrad.backends.cupy_kernels.blocks import countable
from tapegrad.backends.cupy_kernels.declare import DECLARED, Blocks
from tapegrad.backends.random import CounterGenerator

from . import host, sanitize, strict
from .strict_backend import BUILDER

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
RNG = np.random.default_rng(11)


@pytest.fixture
def backend():
    BUILDER.launches.clear()
    return backends.device_of("strict:0").backend


def on(x):
    return strict.made(np.array(x))


def close(found, want, dtype):
    eps = float(np.finfo(dtype).eps)
    found = found.a if isinstance(found, strict.ndarray) else found
    assert found.dtype == dtype
    scale = float(np.abs(want).max(initial=1))
    np.testing.assert_allclose(found.astype(float), want, rtol=64 * eps, atol=16 * eps * scale)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# each works a family hard enough to reach every kernel in it, and returns what came of it beside what should have

ROWS = [(1, 1), (3, 5), (2, 32), (4, 33), (2, 300), (1, 1025)]


def run_softmax(backend, dtype, shape):
    x, g = RNG.normal(0, 3, (2, *shape)).astype(dtype)
    for logarithm in (False, True):
        forward = backend.log_softmax if logarithm else backend.softmax
        back = backend.log_softmax_vjp if logarithm else backend.softmax_vjp
        out = forward(on(x), len(shape) - 1)
        p = softmax(x.astype(float))
        yield out, np.log(p) if logarithm else p
        o, c = out.a.astype(float), g.astype(float)
        want = c - np.exp(o) * c.sum(-1, keepdims=True) if logarithm else o * (c - (c * o).sum(-1, keepdims=True))
        yield back(on(g), out, len(shape) - 1), want


def run_xent(backend, dtype, shape, ignore=-100):
    rows, cols = shape
    x = RNG.normal(0, 3, shape).astype(dtype)
    target = RNG.integers(0, cols, rows)
    target[::3] = ignore if rows > 1 else target[::3]
    loss, res = backend.softmax_xent(on(x), on(target), ignore)
    p, kept = softmax(x.astype(float)), target != ignore
    yield loss, -np.log(p[kept, target[kept]]).mean()
    hot = np.zeros(shape)
    hot[kept, target[kept]] = 1
    g = backend.softmax_xent_vjp(on(np.array(0.5, dtype)), on(x), on(target), ignore, res, x.dtype)
    yield g, 0.5 * np.where(kept[:, None], p - hot, 0) / kept.sum()


def run_mse(backend, dtype, size):
    x, y = RNG.normal(0, 3, (2, size)).astype(dtype)
    difference = x.astype(float) - y
    yield backend.mse(on(x), on(y)), (difference**2).mean()
    for need in ((True, True), (True, False), (False, True)):
        slopes = backend.mse_vjp(on(np.array(0.5, dtype)), on(x), on(y), need)
        assert [s is not None for s in slopes] == list(need)
        for slope, sign in zip(slopes, (1, -1)):
            if slope is not None:
                yield slope, sign * difference / size


def run_linear(backend, dtype, shape):
    rows, inner, features = shape
    x, w = RNG.normal(size=(rows, inner)).astype(dtype), RNG.normal(size=(features, inner)).astype(dtype)
    b, g = RNG.normal(size=features).astype(dtype), RNG.normal(size=(rows, features)).astype(dtype)
    ways = {
        None: lambda v: v,
        "relu": lambda v: np.maximum(v, 0),
        "tanh": np.tanh,
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
    }
    slopes = {None: lambda o: 1, "relu": lambda o: o > 0, "tanh": lambda o: 1 - o * o, "sigmoid": lambda o: o * (1 - o)}
    for act, way in ways.items():
        out = backend.linear(on(x), on(w), on(b), act)
        yield out, way(x.astype(float) @ w.T.astype(float) + b)
        gx, gw, gb = backend.linear_vjp(on(g), on(x), on(w), out, act, (True, True, True))
        before = g * slopes[act](out.a.astype(float))
        yield from ((gx, before @ w), (gw, before.T @ x), (gb, before.sum(0)))


def run_dropout(backend, dtype, size):
    mask = backend.dropout_mask((size,), 0.3, 12345678901234567890, 7)
    yield mask.a.mean(dtype=dtype), np.asarray(0.7 if size > 10_000 else mask.a.mean())
    factors = backend.dropout_factors((size,), 0.3, np.dtype(dtype))
    yield factors, np.where(factors.a > 0, 1 / 0.7, 0)


def run_draws(backend, dtype, size):
    """Against NumPy's reading of the words that the known answers vouch for."""
    source, words = CounterGenerator(12345678901234567890), philox()
    drawn = [
        w for i in range(size) for w in words((i, 0, 0, 0), (12345678901234567890 % 2**32, 12345678901234567890 >> 32))
    ]
    drawn = np.array(drawn, np.uint64)
    both = drawn[::2] << np.uint64(32) | drawn[1::2]
    found = backend.random_words(size, source)
    assert found.a.tolist() == both[:size].tolist()
    double = dtype == "float64"
    u = (both >> np.uint64(11)) * 2.0**-53 if double else (drawn >> np.uint64(8)) * 2.0**-24
    source.manual_seed(source.initial_seed())
    yield backend.random_uniform((size,), -1.0, 3.0, np.dtype(dtype), source), u[:size] * 4 - 1
    assert source.take(0)[1] == -(-size // (2 if double else 4))
    source.manual_seed(source.initial_seed())
    first, second = ((both >> np.uint64(11))[k::2] if double else drawn[k::2] for k in (0, 1))
    u = (first + 0.5) * (2.0**-53 if double else 2.0**-32)
    turn = second * 2 * np.pi * (2.0**-53 if double else 2.0**-32)
    pair = np.sqrt(-2 * np.log(u)) * np.stack([np.cos(turn), np.sin(turn)])
    yield backend.random_normal((size,), 1.0, 2.0, np.dtype(dtype), source), pair.T.ravel()[:size] * 2 + 1


def run_faults(backend, dtype, size):
    backend.take(on(np.ones((5, 2), dtype)), on(RNG.integers(-5, 5, size)))
    backend.synchronize()
    return ()


CASES = [
    *[("softmax", run_softmax, shape) for shape in ROWS], *[("xent", run_xent, shape) for shape in ROWS],
    *[("mse", run_mse, n) for n in (1, 255, 257, 5000)],
    *[("linear", run_linear, s) for s in ((1, 1, 1), (7, 3, 33), (300, 2, 5), (129, 4, 64))],
    *[("draws", run_draws, n) for n in (1, 3, 1025, 4099)],
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("family", "run", "size"), CASES, ids=lambda v: getattr(v, "__name__", str(v)))
def test_kernel(family, run, size, dtype, backend, capfd):
    for found, want in run(backend, dtype, size):
        close(found, want, dtype)
    assert {launch[0].name for launch in BUILDER.launches} == {family}
    assert "runtime error" not in (said := capfd.readouterr().err), said


def test_extreme_logits(backend):
    x = np.array([[1e4, -1e4, 0], [-np.inf, 0, 1], [300, 300, 300], [0, -1e4, 1e4]], np.float32)
    close(backend.softmax(on(x), 1), softmax(x.astype(float)), "float32")
    found = backend.softmax(on(np.array([[math.nan, 0, 1], [0, 1, 2]], np.float32)), 1).a
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


# Philox, against the known answers that its authors publish with Random123

KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]  # fmt: skip


def philox():
    """The device function of the kernels, as a function of counter and key."""
    import ctypes

    family = DECLARED["keep_mask"]
    body = host.source_for(family, "float32").replace('extern "C" __global__', "static")
    text = f'#include "cuda_host.hpp"\n{body}\n'
    text += 'extern "C" void words(unsigned* c, unsigned a, unsigned b) { philox(c, a, b); }'
    function = ctypes.CDLL(str(host.build(text, "philox.so", "-shared", "-fPIC"))).words

    def call(counter, key):
        words = np.array(counter, np.uint32)
        function(ctypes.c_void_p(words.ctypes.data), *map(ctypes.c_uint, key))
        return tuple(map(int, words))

    return call


def test_philox_gives_the_known_answers():
    words = philox()
    assert [words(counter, key) for counter, key, _ in KNOWN] == [answer for *_, answer in KNOWN]


def test_dropout_mask(backend):
    seed, words = 2**63 + 12345, philox()
    key = (seed % 2**32, seed >> 32)
    drawn = [w for i in range(3) for w in words((5 + i, 1, 0, 0), key)][:11]
    for p in (0.0, 0.25, 0.5, 1.0):
        mask = backend.dropout_mask((11,), p, seed, 2**32 + 5).a
        assert mask.tolist() == [w >= p * 2**32 for w in drawn]
    big = backend.dropout_mask((100, 301), 0.3, 1, 0).a
    assert big.shape == (100, 301)
    assert abs(big.mean() - 0.7) < 4 * math.sqrt(0.21 / big.size)
    # a later counter gives the later part of the same stream
    assert (backend.dropout_mask((40,), 0.3, 1, 10).a == big.ravel()[40:80]).all()


# Optimizers: the conformance suite holds the updates against the formulas; here the table of several launches


def test_one_launch_moves_every_parameter(backend):
    shapes = ((3, 4), (), (0,), (5000,), (2049,))
    params = [RNG.normal(size=s).astype("f4") for s in shapes]
    grads = [RNG.normal(size=s).astype("f4") for s in shapes]
    device = [on(p) for p in params]
    backend.sgd_update(device, [on(g) for g in grads], [], 0.1, 0.0, 0.0, 0.0, False, False)
    assert len(BUILDER.launches) == 1
    for p, g, moved in zip(params, grads, device):
        np.testing.assert_allclose(moved.a, p - np.float32(0.1) * g, rtol=1e-6, atol=1e-7)


def test_the_table_is_kept_while_nothing_moves(backend):
    p, g, v = (on(np.ones(5, "f4")) for _ in range(3))
    before = strict.COUNTS.to_card
    for _ in range(4):
        backend.sgd_update([p], [g], [v], 0.1, 0.9, 0.0, 0.0, False, False)
    assert strict.COUNTS.to_card == before + 1
    backend.sgd_update([p], [on(np.ones(5, "f4"))], [v], 0.1, 0.9, 0.0, 0.0, False, False)
    assert strict.COUNTS.to_card == before + 2


def test_arrays_of_other_types_are_not_read_as_what_they_are_not(backend):
    p, g, v = on(np.ones(5, "f4")), on(np.full(5, 2.0)), on(np.ones(5))
    backend.sgd_update([p], [g], [v], 0.5, 0.5, 0.0, 0.0, False, False)
    assert not BUILDER.launches
    np.testing.assert_allclose(v.a, 2.5)
    np.testing.assert_allclose(p.a, -0.25)


def test_rows_that_a_launch_cannot_count():
    assert countable(2**31 - 1, 2**31 - 257)
    assert not countable(2**31, 1)
    assert not countable(1, 2**31 - 256)  # the next step of a thread would overflow


def run_updates(backend, dtype, size):
    p, g, a, b, c = (on(np.abs(RNG.normal(size=size)).astype(dtype)) for _ in range(5))
    backend.sgd_update([p], [g], [a], 0.1, 0.9, 0.0, 0.1, True, False)
    backend.rmsprop_update([p], [g], [a], [b], [c], 0.1, 0.9, 1e-8, 0.1, 0.9, True, False)
    backend.adam_update([p], [g], [a], [b], [c], [3], 0.1, 0.9, 0.99, 1e-8, 0.1, True, False)
    backend.adadelta_update([p], [g], [a], [b], 0.1, 0.9, 1e-8, 0.1, False)
    backend.adagrad_update([p], [g], [a], [3], 0.1, 0.1, 1e-8, 0.1, False)
    backend.adamax_update([p], [g], [a], [b], [3], 0.1, 0.9, 0.99, 1e-8, 0.1, False)
    backend.asgd_update([p], [g], [a], [0.1], [0.5], 0.1, 0.1, False)
    backend.nadam_update([p], [g], [a], [b], [3], [(0.1, 0.2)], 0.1, 0.9, 0.99, 1e-8, 0.1, True, False)
    backend.radam_update([p], [g], [a], [b], [3], 0.1, 0.9, 0.99, 1e-8, 0.1, True, False)
    backend.rprop_update([p], [g], [a], [b], 0.5, 1.2, 1e-6, 50.0, False)
    return ()


# Sanitizers: what the backend launched, launched again in a process of its own

LAUNCHES = [
    ("softmax", run_softmax, (2, 70)), ("xent", run_xent, (4, 70)), ("mse", run_mse, 600),
    ("linear", run_linear, (140, 3, 40)), ("philox", run_dropout, 2000), ("faults", run_faults, 700),
    ("draws", run_draws, 2001),
]  # fmt: skip
# The table of the updates holds addresses of this process. These kernels share nothing between threads.
SERIALISED = tuple(f for f in host.families() if f.name not in ("update", "adaptive_update"))


def launches(backend, run, size):
    BUILDER.launches.clear()
    for _ in run(backend, "float32", size):
        pass
    return [
        (f, n, t, g, b, [x.copy() if isinstance(x, np.ndarray) else x for x in a])
        for f, n, t, g, b, a in BUILDER.launches
    ]


@pytest.mark.parametrize("sanitizer", sanitize.SANITIZERS)
def test_sanitizer_finds_nothing(sanitizer, backend):
    if (reason := sanitize.why_not(sanitizer)) is not None:
        pytest.skip(reason)
    program = sanitize.program(SERIALISED, sanitizer)
    ran = set()
    for _, run, size in LAUNCHES:
        for launch in launches(backend, run, size):
            status, said, _ = sanitize.run(program, launch)
            assert status == 0, f"{launch[1]}: {said[:3000]}"
            ran.add(launch[1])
    assert ran == {k for f in SERIALISED for k in f.kernels}


def test_updates_run_without_undefined_behaviour(backend, capfd):
    for dtype in ("float32", "float64"):
        run_updates(backend, dtype, 5000)
    kernels = {*DECLARED["adam"].kernels, *DECLARED["nadam"].kernels}
    assert {launch[1] for launch in BUILDER.launches} == kernels
    assert "runtime error" not in (said := capfd.readouterr().err), said


def test_a_class_out_of_range_reads_nothing_out_of_bounds(backend):
    if (reason := sanitize.why_not("address")) is not None:
        pytest.skip(reason)
    program = sanitize.program(SERIALISED, "address")
    x = RNG.normal(size=(4, 4)).astype("f4")
    BUILDER.launches.clear()
    backend.softmax_xent(on(x), on(np.array([1, 4_000_000, -7, 4])), -100)
    with pytest.raises(IndexError, match="out of bounds for 4 classes"):
        backend.synchronize()
    rows = next(launch for launch in BUILDER.launches if launch[1] == "xent_rows")
    status, said, outs = sanitize.run(program, rows)
    assert status == 0, said
    assert np.isnan(outs[2][1:]).all()  # the weights of the three rows
    assert np.isfinite(outs[2][0]).all()


def test_every_family_is_worked_here():
    worked = {name for name, *_ in (*CASES, *LAUNCHES)} | {"update", "adaptive_update"}
    assert worked == {d.name for d in DECLARED.values() if isinstance(d, Blocks)}
