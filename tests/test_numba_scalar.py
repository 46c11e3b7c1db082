"""The vectorisable functions of the Numba backend against mpmath and NumPy float64."""

import math
import platform
import re

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from tapegrad.backends.numba_kernels import scalar, ufuncs  # noqa: E402

NAMES = ("erf", "exp", "expm1", "log", "log1p", "sigmoid", "softplus", "tanh")
ULPS = {np.float32: 2.0, np.float64: 4.0}
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
INF, NAN = math.inf, math.nan

# Limits at -inf, -0.0, 0.0 and inf; the sign of a zero counts.
LIMITS = {
    "erf": (-1.0, -0.0, 0.0, 1.0),
    "exp": (0.0, 1.0, 1.0, INF),
    "expm1": (-1.0, -0.0, 0.0, INF),
    "log": (NAN, -INF, -INF, INF),
    "log1p": (NAN, -0.0, 0.0, INF),
    "sigmoid": (0.0, 0.5, 0.5, 1.0),
    "softplus": (0.0, math.log(2), math.log(2), INF),
    "tanh": (-1.0, -0.0, 0.0, 1.0),
}
_kernels: dict = {}


def kernel(name, dtype):
    """The compiled loop ``out[i] = name(x[i])``; compiled once a session."""
    if (name, dtype) not in _kernels:
        array, function = numba.from_dtype(np.dtype(dtype))[::1], getattr(scalar, name)

        @numba.njit([numba.void(array, array)])
        def loop(x, out):
            for i in range(x.size):
                out[i] = function(x[i])

        _kernels[name, dtype] = loop
    return _kernels[name, dtype]


def evaluate(name, x):
    out = np.empty_like(x)
    kernel(name, x.dtype.type)(x, out)
    return out


def float64_reference(name, x):
    """``name`` of a float64 array by NumPy, far more accurate than float32 needs."""
    with np.errstate(all="ignore"):
        tail = np.exp(-np.abs(x))
        if name == "erf":
            return np.array(list(map(math.erf, x.tolist())))
        if name == "sigmoid":
            return np.where(x < 0, tail, 1.0) / (1.0 + tail)
        if name == "softplus":
            return np.maximum(x, 0.0) + np.log1p(tail)
        return getattr(np, name)(x)


def exact_reference(mp, name):
    """``name`` of an mpf, exact well beyond float64; past +-2000 the limit, not thousands of digits of it."""
    inside = {
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x)),
    }.get(name, getattr(mp, name, None))
    if name in ("log", "log1p"):
        return inside
    return lambda x: x if name == "softplus" and x > 2000 else inside(max(mp.mpf(-2000), min(mp.mpf(2000), x)))


def stratified(name, dtype):
    """Two random points in each binade of ``dtype``, forty in those around 1; both signs, in the domain."""
    info, rng = np.finfo(dtype), np.random.default_rng(0)
    every, middle = np.arange(info.minexp - info.nmant + 1, info.maxexp), np.arange(-12, 11)
    exponents = np.concatenate([np.repeat(every, 2), np.repeat(middle, 40)])
    x = np.ldexp(rng.uniform(1, 2 - 2**-20, exponents.size), exponents).astype(dtype)
    if name == "log":
        return x
    x = np.concatenate([x, -x])
    return x[x > -1] if name == "log1p" else x


def ulps(mp, exact, value, info):
    """Error of ``value`` in units of the last place of ``exact``; an overflow must give its infinity."""
    if abs(exact) >= mp.mpf(2) ** info.maxexp * (1 - mp.mpf(2) ** -(info.nmant + 2)):
        return 0.0 if value == math.copysign(INF, exact) else INF
    exponent = max(int(mp.frexp(exact)[1]) - info.nmant - 1, info.minexp - info.nmant)
    return float(abs(mp.mpf(value) - exact) / mp.ldexp(mp.mpf(1), exponent)) if math.isfinite(value) else INF


def assert_ulps(error, bound, x, got):
    """``error`` in ulp; the report names the worst argument."""
    worst = int(np.argmax(error))
    assert error[worst] <= bound, f"{error[worst]:.3g} ulp at x = {x[worst]!r}: got {got[worst]!r}"


@DTYPES
@pytest.mark.parametrize("name", NAMES)
def test_accuracy_against_mpmath(name, dtype):
    mp = pytest.importorskip("mpmath")
    x = stratified(name, dtype)
    got = evaluate(name, x)
    with mp.workprec(140):
        reference = exact_reference(mp, name)
        pairs = zip(x.tolist(), got.tolist(), strict=True)
        error = np.array([ulps(mp, reference(mp.mpf(a)), value, np.finfo(dtype)) for a, value in pairs])
    assert_ulps(error, ULPS[dtype], x, got)


@pytest.mark.parametrize("name", NAMES)
def test_float32_sweep_over_all_bit_patterns(name):
    x = np.arange(0, 2**32, 1009, dtype=np.uint64).astype(np.uint32).view(np.float32)
    got = evaluate(name, x)
    with np.errstate(invalid="ignore"):  # signalling NaNs among the patterns
        exact = float64_reference(name, x.astype(np.float64))
        overflow = np.abs(exact) >= 2.0**128 * (1 - 2.0**-25)
        exact = np.where(overflow, np.copysign(INF, exact), exact)
        ulp = np.ldexp(1.0, np.maximum(np.frexp(exact)[1] - 24, -149))
        error = np.where(np.isfinite(exact), np.abs(got.astype(np.float64) - exact) / ulp, 0)
    assert np.array_equal(got[~np.isfinite(exact)], exact[~np.isfinite(exact)], equal_nan=True)
    assert_ulps(error, ULPS[np.float32], x, got)


@DTYPES
@pytest.mark.parametrize("name", NAMES)
def test_specials(name, dtype):
    x = np.array([-INF, -0.0, 0.0, INF], dtype=dtype)
    got, expected = evaluate(name, x), np.array(LIMITS[name], dtype=dtype)
    np.testing.assert_array_max_ulp(got, expected, maxulp=1)
    assert np.array_equal(np.signbit(got[~np.isnan(got)]), np.signbit(expected[~np.isnan(expected)]))
    nans = np.array([np.nan, -np.nan] * 20, dtype=dtype)
    assert np.isnan(evaluate(name, nans)).all()


@DTYPES
def test_domain_edges(dtype):
    info = np.finfo(dtype)
    below = np.nextafter(dtype(-1), dtype(-2))
    assert np.isnan(evaluate("log", -np.array([info.smallest_subnormal, 1, info.max], dtype=dtype))).all()
    assert np.isnan(evaluate("log1p", np.array([below, -2, -info.max, -INF], dtype=dtype))).all()
    assert evaluate("log1p", np.array([-1], dtype=dtype))[0] == -INF
    tiny = np.array([info.smallest_subnormal, -info.smallest_subnormal, info.smallest_normal], dtype=dtype)
    for name in ("expm1", "log1p", "tanh"):
        assert np.array_equal(evaluate(name, tiny), tiny), name


@DTYPES
@pytest.mark.parametrize("name", NAMES)
def test_no_argument_raises_a_warning(name, dtype):
    """A ufunc of NumPy's warns when its loop raised the invalid, overflow or divide flag; ours never looks at them."""
    info = np.finfo(dtype)
    values = [0, 1, 0.5, 3, 20, 100, 1000, info.smallest_subnormal, info.smallest_normal, info.max, INF, NAN]
    settings = [dtype(1), dtype(20)] if name == "softplus" else []
    with np.errstate(all="raise"):
        for value in values:
            for signed in (value, -value):
                getattr(ufuncs, name)(np.full(37, signed, dtype=dtype), *settings)


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"),
    reason="a vector unit is not certain",
)
@DTYPES
@pytest.mark.parametrize("name", NAMES)
def test_the_loop_is_vector_code_without_calls(name, dtype):
    llvm = "\n".join(kernel(name, dtype).inspect_llvm().values())
    assert re.search(rf"fmul.* <\d+ x {'float' if dtype is np.float32 else 'double'}>", llvm)
    assert not re.search(r"call .*@(\w*(exp|log|tanh|erf)\w*)\(", llvm)


@DTYPES
@pytest.mark.parametrize("name", NAMES)
def test_a_value_does_not_depend_on_its_place(name, dtype):
    """The vector body and the scalar remainder of the loop agree to the last bit."""
    x = np.random.default_rng(1).uniform(0.01, 4, 70).astype(dtype)
    whole = evaluate(name, x)
    for start, stop in ((0, 1), (1, 4), (3, 20), (7, 70), (0, 33), (64, 70)):
        assert np.array_equal(evaluate(name, x[start:stop].copy()), whole[start:stop])


@pytest.mark.parametrize("name", NAMES)
def test_the_type_chooses_the_twin(name):
    function = getattr(scalar, name)
    assert function(np.float32(0.7)) == getattr(scalar, f"{name}_f32")(np.float32(0.7))
    assert function(0.7) == getattr(scalar, f"{name}_f64")(0.7)
    for dtype in (np.float32, np.float64):
        assert evaluate(name, np.array([0.7], dtype=dtype))[0] == function(dtype(0.7))
