"""The element-wise kernels of the Numba backend against NumPy in float64."""

import math
import warnings

import numpy as np
import pytest

pytest.importorskip("numba")

from tapegrad.backends.numba_elementwise import elements
from tapegrad.backends.numba_kernels import ufuncs

from . import numba_tools
from .numba_tools import DTYPES, INF, NAN, NUMBA, assert_close

three_threads = numba_tools.three_threads
K = math.sqrt(2 / math.pi)


def erf(x):
    return np.array([math.erf(v) for v in x.ravel().tolist()]).reshape(x.shape)


def sigmoid(x):
    tail = np.exp(-np.abs(x))
    return np.where(x < 0, tail, 1.0) / (1 + tail)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def normal_cdf(x):
    return 0.5 * (1 + erf(x / math.sqrt(2)))


def gelu_tanh_slope(x):
    t = np.tanh(K * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * K * (1 + 3 * 0.044715 * x * x)


def mish_slope(x):
    t = np.tanh(softplus(x))
    return np.where(x > 30, 1, t + np.minimum(x, 30) * sigmoid(x) * (1 - t * t))


# name -> (attributes, the formula in float64); a `_vjp` takes g first
FORMULAS = {
    "relu": ((), lambda x: np.where(x <= 0, 0, x)),
    "sigmoid": ((), sigmoid),
    "erf": ((), erf),
    "gelu": ((), lambda x: x * normal_cdf(x)),
    "gelu_tanh": ((), lambda x: x * 0.5 * (1 + np.tanh(K * (x + 0.044715 * x**3)))),
    "silu": ((), lambda x: x * sigmoid(x)),
    "leaky_relu": ((0.25,), lambda x, slope: np.where(x > 0, x, slope * x)),
    "softplus": ((2.0, 3.0), lambda x, beta, limit: np.where(x * beta > limit, x, softplus(x * beta) / beta)),
    "sign": ((), lambda x: np.where(x > 0, 1, np.where(x < 0, -1, 0))),
    "relu_vjp": ((), lambda g, out: np.where(out <= 0, 0, g)),
    "sigmoid_vjp": ((), lambda g, out: g * (out * (1 - out))),
    "tanh_vjp": ((), lambda g, out: g * (1 - out * out)),
    "square_vjp": ((), lambda g, x: g * 2 * x),
    "gelu_vjp": ((), lambda g, x: g * (normal_cdf(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))),
    "gelu_tanh_vjp": ((), lambda g, x: g * gelu_tanh_slope(x)),
    "silu_vjp": ((), lambda g, x: g * (sigmoid(x) * (1 + x * (1 - sigmoid(x))))),
    **{name: ((), getattr(np, name)) for name in ("exp", "expm1", "log", "log1p", "tanh")},
    "clamp": ((-2.0, 3.0), np.clip),
    "clamp_vjp": ((-2.0, 3.0), lambda g, x, low, high: np.where((x >= low) & (x <= high), g, 0)),
    "elu": ((1.25, 0.75, 1.5), lambda x, a, i, s: np.where(x > 0, x * s, np.expm1(np.minimum(x, 0) * i) * a)),
    "elu_vjp": (
        (1.25, 0.75, 1.5),
        lambda g, x, a, i, s: g * np.where(x > 0, s, np.exp(np.minimum(x, 0) * i) * a * i),
    ),
    "hardtanh_vjp": ((-2.0, 3.0), lambda g, x, low, high: np.where((x > low) & (x < high), g, 0)),
    "hardsigmoid": ((), lambda x: np.clip(x + 3, 0, 6) / 6),
    "hardsigmoid_vjp": ((), lambda g, x: np.where((x > -3) & (x < 3), g / 6, 0)),
    "hardswish": ((), lambda x: np.where(x <= -3, 0, np.where(x < 3, x * (x + 3) / 6, x))),
    "hardswish_vjp": ((), lambda g, x: np.where(x <= -3, 0, np.where(x >= 3, g, g * (x / 3 + 0.5)))),
    "mish": ((), lambda x: x * np.tanh(softplus(x))),
    "mish_vjp": ((), lambda g, x: g * mish_slope(x)),
    "logsigmoid": ((), lambda x: -softplus(-x)),
    "logsigmoid_vjp": ((), lambda g, x: g * sigmoid(-x)),
    "threshold": ((0.5, 2.0), lambda x, bound, value: np.where(x <= bound, value, x)),
    "threshold_vjp": ((0.5,), lambda g, x, bound: np.where(x <= bound, 0, g)),
    "hardshrink": ((0.5,), lambda x, bound: np.where(np.abs(x) <= bound, 0, x)),
    "hardshrink_vjp": ((0.5,), lambda g, x, bound: np.where(np.abs(x) > bound, g, 0)),
    "softshrink": ((0.5,), lambda x, bound: np.where(np.isnan(x), x, np.sign(x) * np.maximum(np.abs(x) - bound, 0))),
    "leaky_relu_vjp": ((0.25,), lambda g, x, slope: np.where(x > 0, g, g * slope)),
    "softplus_vjp": ((2.0, 3.0), lambda g, x, beta, limit: g * np.where(x * beta > limit, 1, sigmoid(x * beta))),
}


def clamped_log(x):
    return np.maximum(np.log(x), -100)


def huber(x, target, delta):
    error = np.abs(x - target)
    return np.where(error <= delta, 0.5 * error * error, delta * (error - 0.5 * delta))


# name -> (attributes, the formula in float64 of x and target, the slope in x)
LOSSES = {
    "huber": ((0.75,), huber, lambda x, target, delta: np.clip(x - target, -delta, delta)),
    "bce": (
        (),
        lambda x, target: (target - 1) * np.maximum(np.log1p(-x), -100) - target * clamped_log(x),
        lambda x, target: (x - target) / np.maximum(x * (1 - x), 1e-12),
    ),
    "bce_logits": (
        (),
        lambda x, target: np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x))),
        lambda x, target: sigmoid(x) - target,
    ),
}
NAMES = pytest.mark.parametrize("name", FORMULAS)


def arrays_for(name, dtype, shape=(1003,)):
    """Arguments of the kernel: x over [-9, 9], and before it g where it takes one."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0 if name in ("log", "log1p") else -9, 9, shape).astype(dtype)
    return [rng.standard_normal(shape).astype(dtype), x] if name.endswith("_vjp") else [x]


def reference(name, arrays):
    attributes, formula = FORMULAS[name]
    with np.errstate(all="ignore"):
        return formula(*[np.asarray(a, np.float64) for a in arrays], *attributes)


def run(name, arrays):
    return np.asarray(getattr(NUMBA, name)(*arrays, *FORMULAS[name][0]))


@NAMES
@DTYPES
def test_values(name, dtype):
    arrays = arrays_for(name, dtype)
    expected = reference(name, arrays)
    # The slope at the output of a saturated function reaches 80 here: the error is relative to its largest term.
    assert_close(run(name, arrays), expected, dtype, scale=100 if name in ("tanh_vjp", "sigmoid_vjp") else 4)


@NAMES
@DTYPES
def test_layouts_give_the_same_bits(name, dtype):
    """Strided, transposed, reversed, unaligned, 0-d and empty arguments, and a strided or aliased result."""
    arrays = arrays_for(name, dtype, (1200,))
    whole = run(name, arrays)
    assert np.array_equal(run(name, [a[::3] for a in arrays]), whole[::3])
    assert np.array_equal(run(name, [a[::-1] for a in arrays]), whole[::-1])
    assert np.array_equal(run(name, [a.reshape(30, 40).T for a in arrays]), whole.reshape(30, 40).T)
    inner = (slice(None), slice(2, 9))
    assert np.array_equal(run(name, [a.reshape(30, 40)[inner] for a in arrays]), whole.reshape(30, 40)[inner])
    assert np.array_equal(run(name, [a[5].reshape(()) for a in arrays]), whole[5])
    assert run(name, [a[:0].reshape(0, 3) for a in arrays]).shape == (0, 3)
    raw = [np.frombuffer(b"\0" + a.tobytes(), np.uint8)[1:].view(dtype) for a in arrays]
    assert not raw[0].flags.aligned
    assert np.array_equal(run(name, raw), whole)

    kernel = getattr(elements, name)
    constants = [np.array(v, dtype) for v in FORMULAS[name][0]]
    target = np.zeros((1200, 2), dtype)
    kernel(*arrays, *constants, out=target[:, 1])
    assert np.array_equal(target[:, 1], whole)
    assert not target[:, 0].any()
    for k in range(len(arrays)):
        copies = [a.copy() for a in arrays]
        kernel(*copies, *constants, out=copies[k])
        assert np.array_equal(copies[k], whole)


@DTYPES
@pytest.mark.parametrize("name", [n for n in FORMULAS if n.endswith("_vjp")])
def test_expanded_cotangents(name, dtype):
    """What the backward step of a sum hands on: a read-only view without strides; one with a stride in one axis."""
    _, x = arrays_for(name, dtype, (40, 30))
    for g in (np.array(1.5, dtype), np.linspace(-1, 1, 40, dtype=dtype)[:, None], np.linspace(-1, 1, 30, dtype=dtype)):
        expanded = np.broadcast_to(g, x.shape)
        assert np.array_equal(run(name, [expanded, x]), run(name, [expanded.copy(), x]))


@NAMES
@DTYPES
def test_specials_without_a_warning(name, dtype):
    eps, largest = np.finfo(dtype).eps, np.finfo(dtype).max
    tame = np.array([0, -0.0, 0.5, -0.5, 2, -2], dtype)
    wild = np.array([NAN, INF, -INF, np.finfo(dtype).tiny, 20, -20, 100, -100, 1e4, -1e4, *tame], dtype)
    cases = [[wild]]
    if name.endswith("_vjp"):
        # Not inf times a slope that underflows to 0 in one type and not in the other.
        cases = [[np.full_like(x, g), x] for g, x in ((1, wild), (NAN, wild), (0, tame), (INF, tame), (-INF, tame))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(name, [np.array([largest, -largest] * 20, dtype)] * len(cases[0]))
        for arrays in cases:
            got, expected = run(name, arrays), reference(name, arrays)
            with np.errstate(over="ignore"):
                expected = expected.astype(dtype)
            np.testing.assert_allclose(got, expected, rtol=8 * eps, atol=8 * eps)


def test_gelu_in_float32_is_right_to_its_last_digits():
    x = np.concatenate([np.linspace(-7, 7, 100_001), np.geomspace(1e-30, 1, 500)]).astype(np.float32)
    wide, eps = x.astype(np.float64), np.finfo(np.float32).eps
    off = np.abs(elements.gelu(x) - wide * normal_cdf(wide)) / np.maximum(np.abs(wide), 1)
    assert off.max() < 2 * eps
    off = np.abs(elements.gelu_vjp(np.ones_like(x), x) - FORMULAS["gelu_vjp"][1](1, wide))
    assert off.max() < 3 * eps


@NAMES
def test_other_types_take_the_shared_way(name):
    arrays = arrays_for(name, np.float16)
    constants = [np.array(v, np.float16) for v in FORMULAS[name][0]]
    for wrong in (np.float16, np.int32, np.complex64):
        with pytest.raises(TypeError):
            getattr(elements, name)(*[a.astype(wrong) for a in arrays], *[c.astype(wrong) for c in constants])
    got = run(name, arrays)
    assert got.dtype == np.float16
    np.testing.assert_allclose(got, reference(name, arrays), rtol=0.02, atol=0.05 if "tanh_vjp" not in name else 0.5)


def test_integers_and_mixed_types():
    x = np.arange(-3, 4)
    assert NUMBA.relu(x).dtype == x.dtype
    assert NUMBA.relu(x).tolist() == [0, 0, 0, 0, 1, 2, 3]
    with pytest.raises(TypeError):
        elements.tanh_vjp(np.ones(3, np.float32), np.ones(3, np.float64))
    with pytest.raises(TypeError, match="complex64"):
        NUMBA.silu_vjp(np.ones(3, np.complex64), np.ones(3, np.complex64))


@NAMES
def test_several_threads_give_the_same_bits(name, three_threads):
    arrays = arrays_for(name, np.float32, (50, 61))
    whole = run(name, [a[:1] for a in arrays])
    assert np.array_equal(run(name, arrays)[:1], whole)
    assert_close(run(name, arrays), reference(name, arrays), np.float32, scale=100)
    columns = [a.T for a in arrays]
    assert np.array_equal(run(name, columns), run(name, arrays).T)
    half = [a.astype(np.float16) for a in arrays]
    assert run(name, half).dtype == np.float16
    if len(arrays) == 2:
        g, x = arrays[0], arrays[1][0]
        assert np.array_equal(run(name, [g, x]), run(name, [g, np.broadcast_to(x, g.shape)]))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [1003, 1 << 21])
@DTYPES
def test_losses(name, size, dtype, three_threads):
    """Values and both slopes, beside a cotangent of a sum or one for each element."""
    attributes, formula, slope = LOSSES[name]
    rng = np.random.default_rng(1)
    x, target = rng.uniform(0, 1, (2, size)).astype(dtype)
    x[:2], target[:4] = (0, 1), (0, 1, 1, 0)
    if name == "bce_logits":
        x = ((x - 0.5) * 200).astype(dtype)
    wide = x.astype(np.float64), target.astype(np.float64)
    with np.errstate(all="ignore"):
        expected, sloped = formula(*wide, *attributes), slope(*wide, *attributes)
    eps = np.finfo(dtype).eps
    got = getattr(NUMBA, name)(x, target, *attributes)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, rtol=16 * eps, atol=400 * eps)  # large logits cancel
    back = getattr(NUMBA, name + "_vjp")
    for g in (np.broadcast_to(np.array(0.5, dtype), (size,)), np.full(size, 0.5, dtype)):
        dx, dt = back(g, x, target, *attributes, (True, False))
        assert dt is None
        np.testing.assert_allclose(dx, 0.5 * sloped, rtol=64 * eps, atol=16 * eps)
    half = [a[:100].astype(np.float16) for a in (x, target)]
    assert getattr(NUMBA, name)(*half, *attributes).dtype == np.float16
    assert back(half[0], *half, *attributes, (True, False))[0].dtype == np.float16


def test_every_ufunc_is_tested():
    assert set(FORMULAS) | {n + v for n in LOSSES for v in ("", "_vjp")} == set(ufuncs.NAMES)
