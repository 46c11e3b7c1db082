"""The host generator by itself: reference words, moments, states, shapes."""

import copy
import math
import pickle
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapegrad.backends.random import Generator, default_generator

N = 100_000


def reference_words(seed, n):
    """The 32-bit words of MT19937, from NumPy's own legacy generator."""
    return np.random.RandomState(seed).randint(0, 2**32, n, dtype=np.uint32).astype(np.int64)


def test_the_word_that_the_cpp_standard_names():
    # [rand.predef]: the 10,000th number of a default mt19937, whose seed is 5489.
    assert Generator(5489).random_(10_000, dtype=np.int32)[-1] == 4123659995 % 2**31


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 300))
@settings(max_examples=100, deadline=None)
def test_randperm_is_the_fisher_yates_shuffle(seed, n):
    values = list(range(n))
    words = reference_words(seed, max(n - 1, 0))
    for i, word in enumerate(words):
        j = i + word % (n - i)
        values[i], values[j] = values[j], values[i]
    assert Generator(seed).randperm(n).tolist() == values


WEIGHTS = np.random.default_rng(0).random((30, 40))
EITHER_WAY = {
    "uniform": lambda g, n: g.uniform(n),
    "uniform_between": lambda g, n: g.uniform(n, -3.0, 2.5),
    "uniform_double": lambda g, n: g.uniform(n, 1.0, 2.0, np.float64),
    "uniform_half": lambda g, n: g.uniform(n, 1.0, 2.0, np.float16),
    "normal": lambda g, n: g.normal(n, 0.5, 3.0),
    "normal_half": lambda g, n: g.normal(n, dtype=np.float16),
    "normal_double": lambda g, n: g.normal(n, 0.5, 3.0, np.float64),
    "bernoulli": lambda g, n: g.bernoulli(0.3, n),
    "randint": lambda g, n: g.randint(-5, 100, n),
    "randint_wide": lambda g, n: g.randint(-5, 2**40, n),
    "randperm": lambda g, n: g.randperm(n),
    "gamma": lambda g, n: g.gamma(np.linspace(0, 3, n)),
    "poisson": lambda g, n: g.poisson(np.linspace(0, 40, n)),
    "binomial": lambda g, n: g.binomial(np.linspace(0, 90, n).round(), np.linspace(0, 1, n)),
    "multinomial": lambda g, n: g.multinomial(WEIGHTS[:, : n + 1].astype(np.float32), 3, True),
    "multinomial_once": lambda g, n: g.multinomial(WEIGHTS[:, : n + 1].astype(np.float32), 1),
    "multinomial_double": lambda g, n: g.multinomial(WEIGHTS[:, : n + 1], 3, True),
}  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 17, 255, 256, 700, 5000])
@pytest.mark.parametrize("name", EITHER_WAY)
def test_the_same_numbers_compiled_or_not(name, n, monkeypatch):
    numba, draw = pytest.importorskip("numba"), EITHER_WAY[name]
    plain, quick = Generator(7), Generator(7)
    for generator in (plain, quick):
        generator.uniform(3)  # not from the beginning of a block
    monkeypatch.delitem(sys.modules, "numba")
    expected = [draw(plain, n) for _ in range(3)]
    monkeypatch.setitem(sys.modules, "numba", numba)
    for wanted in expected:
        np.testing.assert_array_equal(draw(quick, n), wanted)
    np.testing.assert_array_equal(quick.get_state(), plain.get_state())


def test_normals_one_after_another_are_those_of_arrays():
    several, single = Generator(3), Generator(3)
    many = several.normal((40,), dtype=np.float64, contiguous=False)  # 40 at once are computed as arrays
    few = [single.normal((n,), dtype=np.float64) for n in (1, 4, 15, 7, 0, 13)]
    np.testing.assert_allclose(np.concatenate(few), many, rtol=1e-14)


def test_randperm_of_many():
    assert np.array_equal(np.sort(Generator(1).randperm(N)), np.arange(N))


def moments(x):
    x = x.astype(np.float64)
    mean, deviation = x.mean(), x - x.mean()
    variance = (deviation**2).mean()
    return mean, variance, (deviation**3).mean() / variance**1.5, (deviation**4).mean() / variance**2


# name: the draw, then mean, variance, skewness and kurtosis in closed form.
MOMENTS = {
    "uniform": (lambda g, d: g.uniform(N, -1, 3, d), 1, 16 / 12, 0, 1.8),
    "normal": (lambda g, d: g.normal(N, 2, 0.5, d), 2, 0.25, 0, 3),
    "normal_one_by_one": (lambda g, d: g.normal(N, 2, 0.5, d, contiguous=False), 2, 0.25, 0, 3),
    "exponential": (lambda g, d: g.exponential(N, 2.0, d), 0.5, 0.25, 2, 9),
    "bernoulli": (lambda g, d: g.bernoulli(0.3, N, d), 0.3, 0.21, 0.4 / 0.21**0.5, 1 / 0.21 - 3),
    "bernoulli_array": (
        lambda g, d: g.bernoulli_array(np.full(N, 0.25, d)), 0.25, 0.1875, 0.5 / 0.1875**0.5, 1 / 0.1875 - 3,
    ),
    "geometric": (lambda g, d: g.geometric(0.5, N, d), 2, 2, 1.5 * 2**0.5, 9.5),
    "randint": (lambda g, d: g.randint(0, 10, N, d), 4.5, 99 / 12, 0, 1.8 - 2.4 / 99),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", MOMENTS)
def test_moments(name, dtype):
    draw, mean, variance, skewness, kurtosis = MOMENTS[name]
    x = draw(Generator(42), dtype)
    found = moments(x)
    deviation = math.sqrt(variance / N)
    assert abs(found[0] - mean) < 5 * deviation
    assert abs(found[1] - variance) < 5 * variance * math.sqrt((kurtosis - 1) / N)
    assert found[2:] == pytest.approx((skewness, kurtosis), abs=0.08, rel=0.08)


def test_log_normal_and_cauchy_by_quantiles():
    at = [0.1, 0.25, 0.5, 0.75, 0.9]
    normal = np.array([-1.2815515655446004, -0.6744897501960817, 0, 0.6744897501960817, 1.2815515655446004])
    found = np.quantile(np.log(Generator(1).log_normal(N, 0.5, 2.0, np.float64)), at)
    np.testing.assert_allclose(found, 0.5 + 2 * normal, atol=0.05)
    found = np.quantile(Generator(1).cauchy(N, 0.5, 2.0, np.float64), at)
    np.testing.assert_allclose(found, 0.5 + 2 * np.tan(np.pi * (np.array(at) - 0.5)), atol=0.1, rtol=0.05)


@pytest.mark.parametrize(("a", "b"), [(-2.0, 2.0), (-1.0, 3.0), (1.0, 2.0), (0.9, 1.0)])
def test_truncated_normal_by_its_distribution_function(a, b):
    x = np.sort(Generator(5).truncated_normal(20_000, 0.25, 0.75, a, b, np.float64))
    assert a <= x[0] <= x[-1] <= b
    cdf = np.array([0.5 + 0.5 * math.erf((v - 0.25) / 0.75 / math.sqrt(2)) for v in (a, b, *x)])
    expected = (cdf[2:] - cdf[0]) / (cdf[1] - cdf[0])
    # Kolmogorov and Smirnov: 1.95 / sqrt(n) is passed once in a thousand times.
    assert np.abs(expected - np.arange(20_000) / 20_000).max() < 1.95 / math.sqrt(20_000)


def test_truncated_normal_warns_far_out():
    with pytest.warns(UserWarning, match="more than two std"):
        Generator(0).truncated_normal(4, 0.0, 1.0, 5.0, 6.0)


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_frequencies(replacement):
    p = np.array([0.1, 0.0, 0.6, 0.3])
    drawn = Generator(3).multinomial(np.tile(p, (N // 4, 1)), 2 if replacement else 1, replacement)
    counts = np.bincount(drawn.reshape(-1), minlength=4)
    n = drawn.size
    assert counts[1] == 0
    assert np.all(np.abs(counts - n * p) <= 5 * np.sqrt(n * p * (1 - p)))


def test_multinomial_without_replacement_takes_each_once():
    drawn = Generator(3).multinomial(np.array([0.5, 0.2, 0.0, 0.3]), 3)
    assert sorted(drawn) == [0, 1, 3]


def test_uniform_stays_below_its_bound():
    # 2^-24 below 1 rounds to 1 in 16 bits, and a wide range rounds up in float32.
    for dtype in (np.float16, ml_dtypes.bfloat16, np.float32):
        x = Generator(0).uniform(N, 1.0, 2.0, dtype).astype(np.float64)
        assert x.min() >= 1
        assert x.max() < 2


def test_same_seed_same_numbers():
    a, b, other = Generator(9), Generator(1).manual_seed(9), Generator(10)
    x = a.uniform(50)
    assert np.array_equal(x, b.uniform(50))
    assert not np.array_equal(x, other.uniform(50))


def test_only_the_low_32_bits_choose_the_stream():
    a, b = Generator(5), Generator(2**32 + 5)
    assert b.initial_seed() == 2**32 + 5
    assert np.array_equal(a.uniform(5), b.uniform(5))


def test_seed_from_the_system():
    assert Generator(None).initial_seed() != Generator(None).initial_seed()
    assert Generator().initial_seed() == 67280421310721
    generator = Generator(0)
    seed = generator.seed()
    assert seed == generator.initial_seed()
    assert np.array_equal(generator.uniform(5), Generator(seed).uniform(5))
    assert isinstance(default_generator, Generator)


def test_seeding_forgets_the_kept_normal():
    generator = Generator(0)
    generator.normal(1)
    assert np.array_equal(generator.manual_seed(4).normal(3), Generator(4).normal(3))


@pytest.mark.parametrize("before", [0, 1, 5, 623, 624, 625])
@pytest.mark.parametrize("normals", [0, 1, 2])
def test_state_round_trip(before, normals):
    generator = Generator(77)
    generator.uniform(before)
    generator.normal(normals)
    state = generator.get_state()
    assert (state.dtype, state.shape) == (np.uint8, (5056,))
    copies = [Generator(1), pickle.loads(pickle.dumps(generator)), copy.deepcopy(generator)]
    copies[0].set_state(state)
    expected = generator.normal(3), generator.uniform(700)
    for other in copies:
        assert other.initial_seed() == 77
        np.testing.assert_array_equal(other.normal(3), expected[0])
        np.testing.assert_array_equal(other.uniform(700), expected[1])
    generator.set_state(state)
    np.testing.assert_array_equal(generator.get_state(), state)


@pytest.mark.parametrize("bad", [np.zeros(5056), [0.5]])
def test_a_state_is_bytes(bad):
    with pytest.raises(TypeError, match="uint8"):
        Generator(0).set_state(bad)


def test_shapes_and_dtypes():
    generator = Generator(0)
    for shape, expected in [(3, (3,)), ((), ()), ([2, 3], (2, 3)), ((2, 0), (2, 0)), (np.int64(4), (4,))]:
        for dtype in (np.float32, np.float64, np.float16, np.dtype(ml_dtypes.bfloat16)):
            draws = [
                generator.uniform(shape, dtype=dtype), generator.normal(shape, dtype=dtype),
                generator.exponential(shape, dtype=dtype), generator.log_normal(shape, dtype=dtype),
                generator.cauchy(shape, dtype=dtype), generator.truncated_normal(shape, dtype=dtype),
                generator.bernoulli(0.5, shape, dtype), generator.geometric(0.5, shape, dtype),
                generator.randint(0, 5, shape, dtype), generator.random_(shape, dtype=dtype),
            ]  # fmt: skip
            for x in draws:
                assert isinstance(x, np.ndarray)
                assert (x.shape, x.dtype) == (expected, dtype)
                assert x.flags.writeable
                assert x.flags.c_contiguous


def test_nothing_drawn_leaves_the_state():
    generator = Generator(0)
    generator.normal(1)
    state = generator.get_state()
    generator.normal(0)
    generator.uniform((3, 0))
    generator.randperm(0)
    generator.randperm(1)
    np.testing.assert_array_equal(generator.get_state(), state)


@pytest.mark.parametrize("bad", [1.5, "7", None])
def test_a_seed_is_an_integer(bad):
    with pytest.raises(TypeError):
        Generator(0).manual_seed(bad)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda g: g.uniform(3, 2.0, 1.0), r"uniform: \[2\.0, 1\.0\)"),
        (lambda g: g.uniform(3, dtype=np.int64), "uniform: .* int64"),
        (lambda g: g.normal(3, std=-1.0), "normal: std .* -1"),
        (lambda g: g.truncated_normal(3, std=0.0), "truncated_normal: .*std=0"),
        (lambda g: g.truncated_normal(3, a=1.0, b=0.0), "truncated_normal: .*b=0"),
        (lambda g: g.randint(0, 300, 3, np.uint8), "random_: .* 299 .* uint8"),
        (lambda g: g.randint(4, 4, 3), "random_: .*low=4 to high=4"),
        (lambda g: g.bernoulli(2.0, 3), "bernoulli: p .* 2"),
        (lambda g: g.multinomial(np.ones(3), 4), r"multinomial: 4 samples .*\(3,\); ask"),
    ],
)
def test_refusals_name_what_is_wrong(call, text):
    with pytest.raises(RuntimeError, match=text):
        call(Generator(0))
