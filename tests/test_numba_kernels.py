"""The element-wise, softmax and reduction kernels of the Numba backend against NumPy in float64."""

import json
import math
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from tapegrad.backends import get, numba_elementwise
from tapegrad.backends.numba_elementwise import elements, reductions, rows
from tapegrad.backends.numba_kernels import cache, threads, ufuncs

ROOT = Path(__file__).parents[1]
NUMBA, NUMPY = get("numba"), get("numpy")
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
INF, NAN = math.inf, math.nan
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
    "relu_vjp": ((), lambda g, out: np.where(out > 0, g, 0)),
    "sigmoid_vjp": ((), lambda g, out: g * (out * (1 - out))),
    "tanh_vjp": ((), lambda g, out: g * (1 - out * out)),
    "square_vjp": ((), lambda g, x: g * 2 * x),
    "gelu_vjp": ((), lambda g, x: g * (normal_cdf(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))),
    "gelu_tanh_vjp": ((), lambda g, x: g * gelu_tanh_slope(x)),
    "silu_vjp": ((), lambda g, x: g * (sigmoid(x) * (1 + x * (1 - sigmoid(x))))),
    "leaky_relu_vjp": ((0.25,), lambda g, x, slope: np.where(x > 0, g, g * slope)),
    "softplus_vjp": ((2.0, 3.0), lambda g, x, beta, limit: g * np.where(x * beta > limit, 1, sigmoid(x * beta))),
}
NAMES = pytest.mark.parametrize("name", FORMULAS)


def arrays_for(name, dtype, shape=(1003,)):
    """Arguments of the kernel: x over [-9, 9], and before it g where it takes one."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-9, 9, shape).astype(dtype)
    return [rng.standard_normal(shape).astype(dtype), x] if name.endswith("_vjp") else [x]


def reference(name, arrays):
    attributes, formula = FORMULAS[name]
    with np.errstate(all="ignore"):
        return formula(*[np.asarray(a, np.float64) for a in arrays], *attributes)


def run(name, arrays):
    return np.asarray(getattr(NUMBA, name)(*arrays, *FORMULAS[name][0]))


@pytest.fixture
def three_threads(monkeypatch):
    """Three threads from the smallest arrays on."""
    before = threads.get_num_threads()
    threads.set_num_threads(3)
    for name, value in {"HEAVY": 64, "LIGHT": 64, "GRAIN": 16}.items():
        monkeypatch.setattr(numba_elementwise, name, value)
    yield
    threads.set_num_threads(before)


def assert_close(got, expected, dtype, scale=1.0):
    assert got.dtype == dtype
    bound = 8 * np.finfo(dtype).eps * (np.abs(expected) + scale)
    assert (np.abs(got - expected) <= bound).all(), np.max(np.abs(got - expected) / bound)


# Element-wise


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
            np.testing.assert_allclose(got, expected, rtol=8 * eps, atol=8 * eps)


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


def test_every_ufunc_is_tested():
    assert set(FORMULAS) == set(ufuncs.NAMES)
    assert set(SOFTMAX) == set(rows.NAMES)


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


# Threads


def test_split_covers_the_range_once(three_threads):
    for size, grain in ((1, 1), (7, 1), (100, 9), (1000, 1), (5, 10)):
        parts = []
        threads.split(lambda *part, parts=parts: parts.append(part), size, grain)
        parts.sort()
        assert [i for part in parts for i in range(*part)] == list(range(size))
        assert len(parts) <= max(size // grain, 1)


def test_split_runs_on_several_threads_at_once(three_threads):
    meeting = threading.Barrier(3, timeout=30)
    waited = threading.local()
    idents = set()

    def run_piece(start, stop):
        if not hasattr(waited, "once"):
            waited.once = True
            meeting.wait()
        idents.add(threading.get_ident())

    threads.split(run_piece, 12, 1)
    assert len(idents) == 3


def test_split_raises_what_a_piece_raised(three_threads):
    def fail(start, stop):
        if start >= 6:
            raise ValueError(f"piece {start}")

    with pytest.raises(ValueError, match="piece"):
        threads.split(fail, 12, 1)
    done = []
    threads.split(lambda i, j: done.append(i), 12, 1)
    assert len(done) == 12


def test_the_number_of_threads_is_checked(monkeypatch):
    with pytest.raises(ValueError, match="at least 1"):
        threads.set_num_threads(0)
    monkeypatch.setenv("TAPEGRAD_NUM_THREADS", "5")
    assert threads._default_count() == 5
    for wrong in ("0", "many"):
        monkeypatch.setenv("TAPEGRAD_NUM_THREADS", wrong)
        with pytest.raises(ValueError, match=f"TAPEGRAD_NUM_THREADS .* not '{wrong}'"):
            threads._default_count()


def test_many_callers_at_once(three_threads):
    x = np.random.default_rng(4).standard_normal((64, 100)).astype(np.float32)
    expected, failures = (NUMBA.silu(x), NUMBA.softmax(x, 1)), []

    def work():
        for _ in range(50):
            if not (np.array_equal(NUMBA.silu(x), expected[0]) and np.array_equal(NUMBA.softmax(x, 1), expected[1])):
                failures.append(1)

    callers = [threading.Thread(target=work) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert not failures
    assert not any(caller.is_alive() for caller in callers)


# Processes


def python(code, **environment):
    """Run ``code`` in a fresh interpreter; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_works_alone():
    out = python("""if True:
        import os
        import numpy as np
        import tapegrad
        from tapegrad.backends import get
        from tapegrad.backends.numba_kernels import threads
        threads.set_num_threads(3)
        numba, x = get("numba"), np.linspace(-3, 3, 1 << 19, dtype=np.float32).reshape(512, 1024)
        expected = numba.silu(x), numba.softmax(x, 1)
        child = os.fork()
        same = np.array_equal(numba.silu(x), expected[0]) and np.array_equal(numba.softmax(x, 1), expected[1])
        if child == 0:
            os._exit(0 if same and threads.get_num_threads() == 1 else 1)
        print(same, threads.get_num_threads(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
    assert out.split() == ["True", "3", "0"]


def test_a_second_process_compiles_nothing(tmp_path):
    code = """if True:
        import json, sys
        import numpy as np
        import tapegrad
        from tapegrad.backends import get
        backend = get("numba")
        from tapegrad.backends.numba_elementwise import elements
        assert not hasattr(elements, "__wrapped__")
        assert "numba" not in sys.modules, "numba was imported before its first use"
        import numba
        from numba.core import event
        before = numba.config.CACHE_DIR
        with event.install_recorder("numba:compile") as recorder:
            x = np.ones((3, 4), np.float32)
            values = [backend.relu(x), backend.softplus(x[:, ::2], 1.0, 20.0)]
            values += [backend.log_softmax(x, 1), backend.var(x, (0,), 1, False)]
        assert numba.config.CACHE_DIR == before, "the host's setting was changed"
        print(json.dumps([len(recorder.buffer), [float(np.sum(v)) for v in values]]))
    """
    first, second = (json.loads(python(code, TAPEGRAD_CACHE=str(tmp_path))) for _ in range(2))
    assert first[0] > 0
    assert second[0] == 0
    assert first[1] == second[1]
    assert list(tmp_path.glob("*/**/*.nbc"))


def test_the_cache_folder(tmp_path, monkeypatch):
    fresh = cache.folder.__wrapped__
    monkeypatch.setenv("TAPEGRAD_CACHE", str(tmp_path / "a"))
    place = fresh()
    assert place.parent == tmp_path / "a"
    assert place.is_dir()

    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("TAPEGRAD_CACHE", str(blocked))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    with pytest.warns(UserWarning, match="TAPEGRAD_CACHE=.*cannot be written"):
        place = fresh()
    assert tmp_path in place.parents
    assert place.is_dir()

    monkeypatch.delenv("TAPEGRAD_CACHE")
    monkeypatch.setattr(cache, "_user_cache", lambda: tmp_path / "user")
    assert fresh().parent == tmp_path / "user"


def test_the_cache_folder_depends_on_the_sources(tmp_path, monkeypatch):
    (tmp_path / "kernel.py").write_text("a = 1\n")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    before = cache._digest()
    (tmp_path / "kernel.py").write_text("a = 2\n")
    assert cache._digest() != before
