"""Every element-wise kernel on the host, compiled by g++ with UBSan, against NumPy in float64."""

import math

import numpy as np
import pytest

from tapegrad.backends.cupy_kernels.declare import DECLARED, Elementwise, elementwise

from . import host

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))
KERNELS = [d for d in DECLARED.values() if isinstance(d, Elementwise)]
_erfc = np.vectorize(math.erfc, otypes=[float])
_erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def softplus(x, beta, threshold):
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def gelu_vjp(g, x):
    return g * (0.5 * _erfc(-x / math.sqrt(2)) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu_tanh_vjp(g, x):
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return g * (sigmoid(2 * u) + 0.5 * x / np.cosh(u) ** 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x))


# what a kernel must compute, in NumPy
TRUTH = {
    "relu": lambda x: np.maximum(x, 0),
    "relu_vjp": lambda g, out: np.where(out <= 0, 0, g),
    "leaky_relu": lambda x, slope: np.where(x > 0, x, x * slope),
    "leaky_relu_vjp": lambda g, x, slope: np.where(x > 0, g, g * slope),
    "sigmoid": sigmoid,
    "sigmoid_vjp": lambda g, out: g * out * (1 - out),
    "tanh_vjp": lambda g, out: g * (1 - out * out),
    "silu": lambda x: x * sigmoid(x),
    "silu_vjp": lambda g, x: g * (sigmoid(x) + x * sigmoid(x) * sigmoid(-x)),
    "softplus": softplus,
    "softplus_vjp": lambda g, x, beta, threshold: np.where(x * beta > threshold, g, g * sigmoid(x * beta)),
    "gelu": lambda x: 0.5 * x * _erfc(-x / math.sqrt(2)),
    "gelu_vjp": gelu_vjp,
    "gelu_tanh": gelu_tanh,
    "gelu_tanh_vjp": gelu_tanh_vjp,
    "elu": lambda x, alpha, inner, scale: np.where(x > 0, x * scale, np.expm1(np.minimum(x, 0) * inner) * alpha),
    "elu_vjp": lambda g, x, alpha, inner, scale: (
        g * np.where(x > 0, scale, np.exp(np.minimum(x, 0) * inner) * alpha * inner)
    ),
    "hardtanh": np.clip,
    "hardtanh_vjp": lambda g, x, low, high: np.where((x > low) & (x < high), g, 0),
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hardsigmoid_vjp": lambda g, x: np.where((x > -3) & (x < 3), g / 6, 0),
    "hardswish": lambda x: np.where(x <= -3, 0, np.where(x < 3, x * (x + 3) / 6, x)),
    "hardswish_vjp": lambda g, x: np.where(x <= -3, 0, np.where(x >= 3, g, g * (x / 3 + 0.5))),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "mish_vjp": lambda g, x: g * (np.tanh(np.logaddexp(0, x)) + x * sigmoid(x) / np.cosh(np.logaddexp(0, x)) ** 2),
    "logsigmoid": lambda x: -np.logaddexp(0, -x),
    "logsigmoid_vjp": lambda g, x: g * sigmoid(-x),
    "threshold": lambda x, bound, value: np.where(x <= bound, value, x),
    "threshold_vjp": lambda g, x, bound: np.where(x <= bound, 0, g),
    "hardshrink": lambda x, bound: np.where(np.abs(x) <= bound, 0, x),
    "hardshrink_vjp": lambda g, x, bound: np.where(np.abs(x) > bound, g, 0),
    "softshrink": lambda x, bound: np.where(np.isnan(x), x, np.sign(x) * np.maximum(np.abs(x) - bound, 0)),
    "erf": _erf,
    "remainder": np.remainder,
    "floor_divide": np.floor_divide,
    "select": np.where,
    "bias": lambda x, b: x + b,
    "bias_relu": lambda x, b: np.maximum(x + b, 0),
    "bias_tanh": lambda x, b: np.tanh(x + b),
    "bias_sigmoid": lambda x, b: sigmoid(x + b),
}
# the numbers that go along with the arrays
NUMBERS = {
    "slope": 0.25, "beta": 1.5, "threshold": 5.0, "alpha": 1.25, "inner": 0.75, "scale": 1.5, "low": -2.0, "high": 3.0,
    "bound": 0.5, "value": 2.0,
}  # fmt: skip
SPECIAL = [
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    1.0,
    -1.0,
    1e-30,
    -1e-30,
    88.9,
    -88.9,
    104.0,
    -104.0,
    1e4,
    -1e4,
    5.0,
]


@pytest.fixture(scope="module")
def library():
    return host.elementwise_library(KERNELS, "gate.so")


def inputs(kernel, dtype, special):
    """Arrays and numbers for the inputs of a kernel, exact in ``dtype``."""
    found, count = host.parameters(kernel)
    rng = np.random.default_rng(5)
    arrays = [n for _, n in found[:count] if n not in NUMBERS]
    if special:
        grid = np.array(np.meshgrid(*[SPECIAL] * min(len(arrays), 2))).reshape(min(len(arrays), 2), -1)
        values = [grid[min(k, 1)] for k in range(len(arrays))]
    else:
        values = [rng.uniform(-9, 9, 4099) for _ in arrays]
    made = {}
    for name, v in zip(arrays, values):
        if name == "out":  # what an activation gives
            v = np.clip(v, -1, 1)
        made[name] = v > 0 if name == "c" else v.astype(dtype)
    return [made.get(n, NUMBERS.get(n)) for _, n in found[:count]]


def check(library, kernel, dtype, special=False):
    """The kernel's results against the truth, relative to what the inputs' rounding lets one expect."""
    given = inputs(kernel, dtype, special)
    (found,) = host.run_elementwise(library, kernel, given)
    with np.errstate(all="ignore"):
        exact = [x.astype(np.float64) if isinstance(x, np.ndarray) and x.dtype != bool else x for x in given]
        want = np.asarray(TRUTH[kernel.name](*exact), np.float64).astype(dtype)
    if special and kernel.name.endswith("_vjp"):
        # a derivative at inf may be nan: only where the truth is finite it must be right
        keep = np.isfinite(want)
        found, want = found[keep], want[keep]
    eps = float(np.finfo(dtype).eps)
    scale = max(float(np.abs(want[np.isfinite(want)]).max(initial=0.0)), 1.0) if not special else 1.0
    np.testing.assert_allclose(found, want, rtol=64 * eps, atol=4 * eps * scale, err_msg=f"{kernel.name} in {dtype}")


def test_every_kernel_has_a_truth():
    assert sorted(TRUTH) == sorted(k.name for k in KERNELS)


@pytest.mark.parametrize("special", [False, True], ids=["ordinary", "special"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_kernel(kernel, dtype, special, library, capfd):
    check(library, kernel, dtype, special)
    assert "runtime error" not in (said := capfd.readouterr().err), said


@pytest.mark.parametrize("name", ["relu", "relu_vjp"])
def test_steps_serve_integers(name, library):
    x = np.array([-3, 0, 7], np.int64)
    given = [x] if name == "relu" else [np.array([1, 2, 3], np.int64), x]
    (found,) = host.run_elementwise(library, DECLARED[name], given)
    np.testing.assert_array_equal(found, TRUTH[name](*given))


def test_undefined_behaviour_is_seen(capfd):
    bad = elementwise_once("gate_overflow", "T x", "T y", "int n = 2147483647; n += x != x ? 1 : 2; y = A(n)")
    library = host.elementwise_library([bad], "undefined.so")
    host.run_elementwise(library, bad, [np.ones(2, np.float32)])
    assert "signed integer overflow" in capfd.readouterr().err


def elementwise_once(*declaration):
    """A kernel that stays out of the table."""
    made = elementwise(*declaration)
    del DECLARED[made.name]
    return made
