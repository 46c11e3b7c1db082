"""Special functions, windows and what else came with them, against PyTorch: values, first and second order."""

import numpy as np
import pytest

import tapegrad as tg

from .matrix_cases import check, find, torch

pytestmark = pytest.mark.parity

LINE = np.linspace(-6.0, 6.0, 13) + 0.05
SHARE = np.array([1e-30, 1e-5, 0.02, 0.3, 0.5, 0.77, 0.999])
POSITIVE = np.array([0.1, 0.5, 1.3, 4.0, 30.0])

CASES = {
    "entr": (POSITIVE,), "erf": (LINE,), "erfc": (LINE,), "erfcx": (LINE,), "erfinv": (LINE / 7,), "exp2": (LINE,),
    "expit": (LINE,), "expm1": (LINE,), "gammaln": (POSITIVE,), "digamma": (POSITIVE,), "psi": (POSITIVE,),
    "i0": (LINE,), "i0e": (LINE,), "i1": (LINE,), "i1e": (LINE,), "log1p": (POSITIVE,), "log_ndtr": (LINE * 5,),
    "logit": (SHARE,), "ndtr": (LINE,), "ndtri": (SHARE,), "sinc": (LINE,), "round": (LINE,),
    "xlogy": (LINE[:5], POSITIVE), "xlog1py": (LINE[:5], POSITIVE),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_functions(name):
    check(f"special.{name}", list(CASES[name]))
    assert f"{name}" in tg.special.__all__


def test_functions_with_numbers_beside_the_tensor():
    check("special.logsumexp", [LINE.reshape(1, 13)], {"dim": 1})
    check("special.softmax", [LINE.reshape(1, 13)], {"dim": 1})
    check("special.log_softmax", [LINE.reshape(1, 13)], {"dim": 1})
    check("special.multigammaln", [POSITIVE + 2], {"p": 3})
    for package in (tg, torch):
        np.testing.assert_allclose(
            package.special.polygamma(2, package.tensor(POSITIVE)).numpy(),
            torch.polygamma(2, torch.tensor(POSITIVE)).numpy(),
            rtol=1e-9,
        )
        np.testing.assert_allclose(package.special.xlog1py(2, package.tensor(POSITIVE)).numpy(), 2 * np.log1p(POSITIVE))


@pytest.mark.parametrize("name", ["i0", "i0e", "i1", "i1e", "erfcx", "ndtr", "ndtri", "log_ndtr", "entr"])
def test_ends(name):
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 50.0, -50.0, 1e-300])
    got, want = (find(p, f"special.{name}")(p.tensor(x)).numpy() for p in (tg, torch))
    np.testing.assert_allclose(got, want, rtol=1e-12)
    whole = np.array([0, 1, 2])
    got, want = (find(p, f"special.{name}")(p.tensor(whole)) for p in (tg, torch))
    assert got.numpy().dtype == want.numpy().dtype


@pytest.mark.parametrize("name", ["igamma", "igammac", "special.gammainc", "special.gammaincc"])
def test_incomplete_gamma(name):
    a = np.array([0.1, 0.9, 2.0, 15.0, 120.0, 3.0])
    x = np.array([0.3, 0.2, 2.5, 11.0, 130.0, 9.0])
    for package in (tg, torch):
        t = package.tensor(x).requires_grad_()
        y = find(package, name)(package.tensor(a), t)
        (slope,) = package.autograd.grad(y.sum(), t, create_graph=True)
        (second,) = package.autograd.grad(slope.sum(), t)
        if package is tg:
            ours = [v.detach().numpy() for v in (y, slope, second)]
    for one, other in zip(ours, (y, slope, second)):
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=1e-8)
    ends = np.array([[0.0, 2.0], [2.0, 0.0], [0.0, 0.0], [np.inf, 1.0], [1.0, np.inf], [-1.0, 1.0], [np.nan, 1.0]]).T
    got, want = (find(p, name)(p.tensor(ends[0]), p.tensor(ends[1])).numpy() for p in (tg, torch))
    np.testing.assert_array_equal(got, want)


WINDOWS = {
    "bartlett": {}, "blackman": {}, "cosine": {}, "exponential": {"tau": 2.0}, "gaussian": {"std": 0.8},
    "general_cosine": {"a": [0.4, 0.5, 0.1]}, "general_hamming": {"alpha": 0.6}, "hamming": {}, "hann": {},
    "kaiser": {"beta": 5.0}, "nuttall": {},
}  # fmt: skip


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("sym", [True, False])
def test_windows(name, sym):
    for size in (0, 1, 2, 5, 8):
        ours, theirs = (
            getattr(p.signal.windows, name)(size, sym=sym, dtype=p.float64, **WINDOWS[name]) for p in (tg, torch)
        )
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-12)
        assert getattr(tg.signal.windows, name)(size, sym=sym, **WINDOWS[name]).dtype is tg.float32


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett", "kaiser"])
@pytest.mark.parametrize("periodic", [True, False])
def test_older_windows(name, periodic):
    for size in (0, 1, 7):
        ours, theirs = (getattr(p, f"{name}_window")(size, periodic, dtype=p.float64) for p in (tg, torch))
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-12)


GRID = np.random.default_rng(3).standard_normal((3, 4, 5))
OTHER = np.random.default_rng(4).standard_normal((3, 2, 5))


@pytest.mark.parametrize(
    ("name", "arrays", "kwargs"),
    [("diff", [GRID], {}), ("diff", [GRID], {"n": 2, "dim": 0}), ("diff", [GRID, ], {"n": 7}),
     ("trapezoid", [GRID], {"dx": 0.5}), ("trapezoid", [GRID, np.array([0.0, 0.5, 2.0, 3.0])], {"dim": 1}),
     ("trapz", [GRID, GRID[0]], {}), ("cumulative_trapezoid", [GRID, np.array([0.0, 0.5, 2.0, 3.0])], {"dim": 1}),
     ("gradient", [GRID], {}), ("gradient", [GRID], {"spacing": [0.5, 2.0], "dim": (0, 2), "edge_order": 2}),
     ("cdist", [GRID, OTHER], {}), ("cdist", [GRID, OTHER[:1]], {"p": 1.0}),
     ("cdist", [GRID, OTHER], {"p": 3.0}), ("cdist", [GRID, OTHER], {"p": np.inf}),
     ("cdist", [GRID, OTHER], {"compute_mode": "use_mm_for_euclid_dist"})],
)  # fmt: skip
def test_differences_integrals_and_distances(name, arrays, kwargs):
    once = name == "cdist" and "compute_mode" not in kwargs  # PyTorch has no second derivative
    check(name, arrays, kwargs, orders=1 if once else 2)


def test_membership_and_counts():
    x, y = np.array([[1, 2, 3], [4, 5, 2]]), np.array([2, 5, 9])
    for options in ({}, {"invert": True}):
        got, want = (p.isin(p.tensor(x), p.tensor(y), **options).numpy() for p in (tg, torch))
        np.testing.assert_array_equal(got, want)
    assert tg.isin(tg.tensor(x), 5).numpy().tolist() == (x == 5).tolist()
    assert not tg.isin(tg.tensor(x), tg.tensor([], dtype=tg.int64)).any()
    points = np.random.default_rng(1).standard_normal((50, 2))
    for options in ({}, {"range": [-1.0, 1.0, -2.0, 2.0]}, {"density": True}):
        got, want = (p.histogramdd(p.tensor(points), [3, 4], **options) for p in (tg, torch))
        np.testing.assert_allclose(got.hist.numpy(), want.hist.numpy())
        for a, b in zip(got.bin_edges, want.bin_edges):
            np.testing.assert_allclose(a.numpy(), b.numpy())
