"""The softmax and reduction kernels of the Numba backend against NumPy in float64."""

import warnings

import numpy as np
import pytest

pytest.importorskip("numba")

from tapegrad.backends.numba_elementwise import elements, rows
from tapegrad.backends.numba_reduce import reductions

from . import numba_tools
from .numba_tools import DTYPES, INF, NAN, NUMBA, NUMPY, assert_close

three_threads = numba_tools.three_threads

# Softmax


def log_softmax(x):
    shifted = x - x.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


SOFTMAX = {
    "softmax": lambda x: np.exp(log_softmax(x)),
    "log_softmax": log_softmax,
    "softmax_vjp": lambda g, y: y * (g - (g * y).sum(-1, keepdims=True)),
    "log_softmax_vjp": lambda g, y: g - np.exp(y) * g.sum(-1, keepdims=True),
}
SOFTMAX_NAMES = pytest.mark.parametrize("name", SOFTMAX)


def softmax_arguments(name, dtype, shape):
    rng = np.random.default_rng(1)
    x = (5 * rng.standard_normal(shape)).astype(dtype)
    if not name.endswith("_vjp"):
        return [x]
    return [rng.standard_normal(shape).astype(dtype), SOFTMAX[name[:-4]](x.astype(np.float64)).astype(dtype)]


@SOFTMAX_NAMES
@DTYPES
@pytest.mark.parametrize("shape", [(7,), (1, 1), (5, 3), (33, 10), (4, 1000), (2, 3, 17), (2, 1, 2, 64)])
def test_softmax(name, dtype, shape):
    arguments = softmax_arguments(name, dtype, shape)
    got = getattr(NUMBA, name)(*arguments, len(shape) - 1)
    expected = SOFTMAX[name](*[a.astype(np.float64) for a in arguments])
    assert_close(got, expected, dtype, scale=np.abs(expected).max() + (np.sqrt(shape[-1]) if "log" in name else 0))


@SOFTMAX_NAMES
def test_softmax_elsewhere(name, three_threads):
    """Other axes, layouts and types, empty arrays, and several threads."""
    arguments = softmax_arguments(name, np.float32, (40, 12))
    method = getattr(NUMBA, name)
    expected = SOFTMAX[name](*[a.astype(np.float64) for a in arguments])
    assert_close(method(*arguments, 1), expected, np.float32, scale=20)
    assert_close(method(*[a.T for a in arguments], 0), expected.T, np.float32, scale=20)
    assert_close(method(*[np.asfortranarray(a) for a in arguments], 1), expected, np.float32, scale=20)
    half = method(*[a.astype(np.float16) for a in arguments], 1)
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, expected, atol=0.05, rtol=0.01)
    assert method(*[a[:0] for a in arguments], 1).shape == (0, 12)
    if name.endswith("_vjp"):
        g = np.broadcast_to(np.float32(0.5), (40, 12))
        assert_close(method(g, arguments[1], 1), SOFTMAX[name](g, arguments[1].astype(np.float64)), np.float32, 20)


@SOFTMAX_NAMES
@DTYPES
def test_softmax_does_not_depend_on_where_the_arrays_lie(name, dtype):
    """LLVM's vector code steps aside where an array begins within the last one it reads; a sum must not notice."""
    kernel = getattr(rows, name)
    for width in (3, 20, 40, 60, 100):
        arguments = softmax_arguments(name, dtype, (1, width))
        results = set()
        for gap in range(0, 80, 3):
            buffer = np.empty(len(arguments) * width + gap + width, dtype)
            placed = [buffer[k * width : (k + 1) * width].reshape(1, width) for k in range(len(arguments))]
            out = buffer[-width:].reshape(1, width)
            for place, argument in zip(placed, arguments, strict=True):
                place[:] = argument
            kernel(*placed, out)
            results.add(out.tobytes())
        assert len(results) == 1, width


@DTYPES
def test_softmax_of_extremes(dtype):
    big = np.finfo(dtype).max / 4
    x = np.array([
        [1, NAN, 2], [1, -NAN, 2], [INF, 1, 2], [-INF, -INF, -INF], [-INF, 0, 0], [big, big, -big], [-0.0, 0.0, 0.0]
    ], dtype)  # fmt: skip
    third, half = 1 / 3, 1 / 2
    expected = np.array([[NAN] * 3, [NAN] * 3, [NAN, 0, 0], [NAN] * 3, [0, half, half], [half, half, 0], [third] * 3])
    got = NUMBA.softmax(x, 1)
    np.testing.assert_allclose(np.delete(got, 2, 0), np.delete(expected, 2, 0), rtol=1e-6)
    assert np.isnan(got[2, 0])
    logs = NUMBA.log_softmax(x, 1)
    assert np.isnan(logs[[0, 1, 3]]).all()
    np.testing.assert_allclose(logs[4:], np.log(np.where(expected[4:] == 0, 1, expected[4:])) + np.where(
        expected[4:] == 0, [[-INF] * 3, [0, 0, -2 * big], [0] * 3], 0), rtol=1e-6)  # fmt: skip


def test_kernels_refuse_what_they_were_not_compiled_for():
    x = np.ones((4, 6), np.float32)
    frozen = x.copy()
    frozen.flags.writeable = False
    for wrong in (x.T, x[:, ::2], x.astype(np.float16), x.astype(np.int64), x[0], frozen):
        with pytest.raises(TypeError):
            rows.softmax(wrong, np.empty_like(wrong))
        with pytest.raises(TypeError):
            reductions.mean_rows(wrong, 1.0, np.empty(len(wrong), wrong.dtype))
    for module in (rows, reductions, elements):
        with pytest.raises(AttributeError, match="no kernel 'none_such'"):
            module.none_such  # noqa: B018


def test_every_kernel_of_rows_is_tested():
    assert set(SOFTMAX) == set(rows.NAMES)


# Reductions

REDUCTIONS = {
    "sum": lambda x, dims, keepdim: x.sum(dims, keepdims=keepdim),
    "mean": lambda x, dims, keepdim: x.mean(dims, keepdims=keepdim),
    "var": lambda x, dims, keepdim: x.var(dims, ddof=1, keepdims=keepdim),
    "amax": lambda x, dims, keepdim: x.max(dims, keepdims=keepdim),
    "amin": lambda x, dims, keepdim: x.min(dims, keepdims=keepdim),
}


def reduce(backend, name, x, dims, keepdim):
    return np.asarray(getattr(backend, name)(x, dims, *((1,) if name == "var" else ()), keepdim))


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dims", [None, (0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
@DTYPES
def test_reductions(name, dtype, dims, keepdim):
    x = (np.random.default_rng(2).standard_normal((5, 41, 30)) + 3).astype(dtype)
    expected = REDUCTIONS[name](x.astype(np.float64), dims, keepdim)
    for layout in (x, np.asfortranarray(x), np.repeat(x, 2, axis=2)[..., ::2]):
        got = reduce(NUMBA, name, layout, dims, keepdim)
        assert got.shape == expected.shape
        assert_close(got, expected, dtype, scale=np.abs(expected).max())


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("dims", [None, (0,), (1,)], ids=str)
def test_reductions_of_matrices_of_all_sizes(name, dims):
    for shape in ((1, 1), (2, 1), (1, 9), (33, 16), (3, 1025), (2500, 3)):
        x = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = REDUCTIONS[name](x.astype(np.float64), dims, False)
        got = reduce(NUMBA, name, x, dims, False)
        assert np.array_equal(np.isnan(got), np.isnan(expected))
        filled = np.nan_to_num(expected)
        assert_close(np.nan_to_num(got), filled, np.float32, scale=20 + np.abs(filled).max())


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_keep_nan_and_inf(name):
    for value in (NAN, -NAN, INF, -INF):
        for row in range(3):
            x = np.arange(66, dtype=np.float32).reshape(3, 22)
            x[row, 17] = value
            for dims in (None, (0,), (1,)):
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    expected = REDUCTIONS[name](x, dims, False)
                np.testing.assert_allclose(reduce(NUMBA, name, x, dims, False), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["sum", "mean", "var"])
def test_reductions_of_nothing_and_of_other_types(name):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for x in (np.ones((0, 3), np.float32), np.ones((3, 0)), np.ones((3, 4), np.float16)):
            for dims in (None, (0,), (1,)):
                got, expected = reduce(NUMBA, name, x, dims, True), reduce(NUMPY, name, x, dims, True)
                np.testing.assert_array_equal(got, expected, strict=True)


def test_what_the_kernels_refuse_takes_the_shared_way():
    """Read-only and unaligned arrays are other types to Numba."""
    x = np.random.default_rng(5).standard_normal((6, 5))
    frozen = x.copy()
    frozen.flags.writeable = False
    unaligned = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)
    for same in (frozen, unaligned):
        assert_close(NUMBA.softmax(same, 1), SOFTMAX["softmax"](x), np.float64)
        for name in REDUCTIONS:
            for dims in (None, (0,), (1,)):
                assert_close(reduce(NUMBA, name, same, dims, False), REDUCTIONS[name](x, dims, False), np.float64)


def test_long_sums_stay_exact():
    """Added one by one in float32, the sum of so many tenths is off by more than a percent."""
    x = np.full(1 << 22, 0.1, np.float32)
    assert abs(float(NUMBA.sum(x, None, False)) / (float(np.float32(0.1)) * x.size) - 1) < 1e-6


def _frozen(x):
    x.flags.writeable = False
    return x


LAYOUTS = {
    "transposed": lambda x: x.T,
    "read-only": lambda x: _frozen(x.T),
    "repeated": lambda x: np.broadcast_to(x[:, :1], (90, 70)),
    "repeated by rows": lambda x: np.broadcast_to(x[0], (90, 70)),
    "with gaps": lambda x: x[::2].T,
    "not aligned": lambda x: np.frombuffer(b"0" + x.tobytes(), x.dtype, x.size, 1).reshape(x.shape).T,
}


@DTYPES
@pytest.mark.parametrize("layout", LAYOUTS)
def test_copies_of_any_layout(layout, dtype):
    x = LAYOUTS[layout](np.random.default_rng(0).standard_normal((90, 70)).astype(dtype))
    out = NUMBA.copy(x)
    np.testing.assert_array_equal(out, x)
    assert not np.shares_memory(out, x)
    assert out.flags.c_contiguous
