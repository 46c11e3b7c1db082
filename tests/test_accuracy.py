"""The elementary functions as users call them: at most 2 units in the last place in float32, 4 in float64.

The kernels behind most of them are tested one by one in ``test_numba_scalar.py``; here it is seen that they are what is
called, whatever the size and the layout, and that NumPy's own (sine and cosine) keep to the same bound.
"""

import math

import numpy as np
import pytest

pytest.importorskip("numba")

import tapegrad as tg
from tapegrad.backends import get

INF, NAN = math.inf, math.nan
NAMES = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid", "erf", "sin", "cos")
FUNCTIONS = pytest.mark.parametrize("name", NAMES)

# At -inf, -0.0, 0.0, inf
LIMITS = {
    "exp": (0.0, 1.0, 1.0, INF), "expm1": (-1.0, -0.0, 0.0, INF), "log": (NAN, -INF, -INF, INF),
    "log1p": (NAN, -0.0, 0.0, INF), "tanh": (-1.0, -0.0, 0.0, 1.0), "sigmoid": (0.0, 0.5, 0.5, 1.0),
    "erf": (-1.0, -0.0, 0.0, 1.0), "sin": (NAN, -0.0, 0.0, NAN), "cos": (NAN, 1.0, 1.0, NAN),
}  # fmt: skip


@pytest.fixture(autouse=True)
def numba():
    with tg.backends.use("numba"):
        yield


def computed(name, x):
    with np.errstate(all="ignore"):
        return getattr(tg, name)(tg.from_numpy(x)).numpy()


def in_float64(name, x):
    with np.errstate(all="ignore"):
        if name == "erf":
            return np.array(list(map(math.erf, x.tolist())))
        if name == "sigmoid":
            tail = np.exp(-np.abs(x))
            return np.where(x < 0, tail, 1.0) / (1 + tail)
        return getattr(np, name)(x)


@FUNCTIONS
def test_float32_over_the_whole_range(name):
    """Every sign and exponent, 1021 patterns of the digits for each, and all in the two binades of each edge."""
    patterns = (np.arange(512, dtype=np.uint32)[:, None] << 23) + np.arange(0, 1 << 23, 8219, dtype=np.uint32)
    edges = np.array([88.72283, -103.97, -87.33, 1.0, -1.0, 9.01, 3.92, 0.625], np.float32).view(np.uint32)
    near = (edges[:, None].astype(np.int64) + np.arange(-2000, 2000)).astype(np.uint32)
    x = np.concatenate([patterns.ravel(), near.ravel()]).view(np.float32)
    got = computed(name, x)
    with np.errstate(invalid="ignore"):
        exact = in_float64(name, x.astype(np.float64))
        exact = np.where(np.abs(exact) >= 2.0**128 * (1 - 2.0**-25), np.copysign(INF, exact), exact)
        unit = np.ldexp(1.0, np.maximum(np.frexp(exact)[1] - 24, -149))
        error = np.where(np.isfinite(exact), np.abs(got - exact) / unit, 0)
    assert np.array_equal(got[~np.isfinite(exact)], exact[~np.isfinite(exact)], equal_nan=True)
    worst = int(np.argmax(error))
    assert error[worst] <= 2, f"{error[worst]:.3g} ulp at {x[worst]!r}"


@FUNCTIONS
def test_float64_over_the_whole_range(name):
    """Against mpmath: points in every binade, many around 1, and those next to the edges."""
    mp = pytest.importorskip("mpmath")
    rng = np.random.default_rng(3)
    exponents = np.concatenate([np.arange(-1074, 1024, 3), np.repeat(np.arange(-14, 11), 16)])
    x = np.ldexp(rng.uniform(1, 2 - 2**-20, exponents.size), exponents)
    edges = np.array([709.782712893384, 745.13, 708.39, 1.0, 19.06, 5.92, 0.625, 36.7, math.pi, 2.0**-1022])
    x = np.concatenate([x, edges, np.nextafter(edges, 0), np.nextafter(edges, INF)])
    x = np.concatenate([x, -x])
    x = x[x > 0] if name == "log" else x[x > -1] if name == "log1p" else x
    got = computed(name, x)
    exact_of = {"sigmoid": lambda v: 1 / (1 + mp.exp(-v))}.get(name, getattr(mp, name, None))
    bounded = name not in ("log", "log1p", "sin", "cos")  # else digits without end
    worst = (0.0, 0.0)
    with mp.workprec(1200 if name in ("sin", "cos") else 160):
        for v, value in zip(x.tolist(), got.tolist(), strict=True):
            exact = exact_of(mp.mpf(max(min(v, 2000.0), -2000.0) if bounded else v))
            if abs(exact) >= mp.mpf(2) ** 1024 * (1 - mp.mpf(2) ** -54):
                assert value == math.copysign(INF, exact), v
                continue
            unit = mp.ldexp(mp.mpf(1), max(int(mp.frexp(exact)[1]) - 53, -1074))
            worst = max(worst, (float(abs(mp.mpf(value) - exact) / unit), v))
    assert worst[0] <= 4, f"{worst[0]:.3g} ulp at {worst[1]!r}"


@FUNCTIONS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_specials(name, dtype):
    got = computed(name, np.array([-INF, -0.0, 0.0, INF], dtype))
    want = np.array(LIMITS[name], dtype)
    assert np.array_equal(got, want, equal_nan=True)
    assert np.array_equal(np.signbit(got)[~np.isnan(want)], np.signbit(want)[~np.isnan(want)])
    assert np.isnan(computed(name, np.array([NAN, -NAN] * 9, dtype))).all()
    info = np.finfo(dtype)
    tiny = np.array([info.smallest_subnormal, -info.smallest_subnormal, info.smallest_normal], dtype)
    if name in ("expm1", "log1p", "tanh", "sin"):
        assert np.array_equal(computed(name, tiny), tiny)


@FUNCTIONS
def test_size_and_layout_do_not_matter(name):
    """Small, large (with more than one thread) and strided arrays go different ways and come to the same."""
    x = np.random.default_rng(4).uniform(0.1, 8, 1 << 20).astype(np.float32)
    whole = computed(name, x)
    if name in ("sin", "cos"):  # NumPy's own differ by a unit between their vector code and the rest
        return
    assert np.array_equal(computed(name, x[:1000]), whole[:1000])
    assert np.array_equal(computed(name, x[::3]), whole[::3])
    assert np.array_equal(computed(name, x.reshape(1024, 1024).T), whole.reshape(1024, 1024).T)
    assert get("numba").exp(np.ones(3, np.float16)).dtype == np.float16
