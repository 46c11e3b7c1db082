"""Distributions against PyTorch's: samples of the same seed, densities, moments, gradients, divergences, transforms."""

import math

import numpy as np
import pytest

import tapegrad as tg

from .distribution_cases import CASES, ONE, TRANSFORMS

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

# Whose mode PyTorch's formula gives as NaN over a part of the parameters
WITHOUT_MODE = (("Weibull", "mode"), ("Kumaraswamy", "mode"))
MOMENTS = ("mean", "variance", "stddev", "mode")


def pair(name, kind):
    make, *values = CASES[name]
    made = []
    for module in (torch, tg):
        leaves = [module.tensor(v, dtype=getattr(module, kind), requires_grad=True) for v in values]
        made.append((make(module.distributions, leaves), leaves))
    return made


def close(ours, theirs, tolerance=1e-5):
    expected, found = theirs.detach().numpy(), ours.detach().numpy()
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def same_gradients(ours, theirs, tolerance):
    for found, expected in zip(ours, theirs, strict=True):
        assert (found.grad is None) == (expected.grad is None)
        if expected.grad is not None:
            close(found.grad, expected.grad, tolerance)
            found.grad = expected.grad = None


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_samples_of_the_same_seed(name, kind):
    (theirs, their_leaves), (ours, our_leaves) = pair(name, kind)
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape)
    assert tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert ours.has_rsample == theirs.has_rsample
    for shape in ((), (4,), (2, 3)):
        torch.manual_seed(3)
        tg.manual_seed(3)
        drawn = ours.sample(shape)
        assert not drawn.requires_grad
        close(drawn, theirs.sample(shape), 2e-5)
        assert torch.rand(1).item() == tg.rand(1).item()
        if theirs.has_rsample:
            expected, found = theirs.rsample(shape), ours.rsample(shape)
            close(found, expected, 2e-5)
            if expected.requires_grad:
                expected.cos().sum().backward(retain_graph=True)
                found.cos().sum().backward(retain_graph=True)
                # PyTorch's slopes of gamma and beta numbers are approximations; see test_implicit_slopes
                same_gradients(our_leaves, their_leaves, 5e-3)


@pytest.mark.parametrize("name", CASES)
def test_densities_and_moments(name):
    (theirs, their_leaves), (ours, our_leaves) = pair(name, "float64")
    torch.manual_seed(0)
    value = theirs.sample((5,))
    mine = tg.from_numpy(value.numpy())
    for quantity in ("log_prob", "cdf"):
        try:
            expected = getattr(theirs, quantity)(value)
        except NotImplementedError:
            with pytest.raises(NotImplementedError):
                getattr(ours, quantity)(mine)
            continue
        found = getattr(ours, quantity)(mine)
        close(found, expected, 1e-6)
        if expected.requires_grad and quantity == "log_prob":
            expected.sum().backward()
            found.sum().backward()
            same_gradients(our_leaves, their_leaves, 1e-6)
    for quantity in MOMENTS:
        try:
            expected = getattr(theirs, quantity)
        except NotImplementedError:
            with pytest.raises(NotImplementedError):
                getattr(ours, quantity)
            continue
        found = getattr(ours, quantity)
        if (name, quantity) in WITHOUT_MODE:
            found = tg.where(tg.from_numpy(torch.isnan(expected).numpy()), math.nan, found)
        close(found, expected, 1e-6)


@pytest.mark.parametrize("name", CASES)
def test_entropy_quantiles_and_values(name):
    (theirs, _), (ours, _) = pair(name, "float64")
    try:
        expected = theirs.entropy()
    except NotImplementedError:
        expected = None
    if expected is not None and name != "Poisson":
        close(ours.entropy(), expected, 1e-6)
    try:
        p = torch.linspace(0.1, 0.8, 3, dtype=torch.float64).reshape(1, 3)
        expected = theirs.icdf(p)
    except NotImplementedError:
        with pytest.raises(NotImplementedError):
            ours.icdf(tg.linspace(0.1, 0.8, 3, dtype=tg.float64).reshape(1, 3))
    else:
        close(ours.icdf(tg.linspace(0.1, 0.8, 3, dtype=tg.float64).reshape(1, 3)), expected, 1e-6)
    assert ours.has_enumerate_support == theirs.has_enumerate_support
    if theirs.has_enumerate_support:
        for expand in (True, False):
            close(ours.enumerate_support(expand), theirs.enumerate_support(expand))


@pytest.mark.parametrize("name", CASES)
def test_expand(name):
    (theirs, _), (ours, _) = pair(name, "float64")
    shape = (2, *theirs.batch_shape)
    wide, mine = theirs.expand(shape), ours.expand(shape)
    assert type(mine) is type(ours)
    assert tuple(mine.batch_shape) == shape
    assert mine.event_shape == ours.event_shape
    torch.manual_seed(1)
    tg.manual_seed(1)
    value = wide.sample((3,))
    close(mine.sample((3,)), value, 1e-6)
    close(mine.log_prob(tg.from_numpy(value.numpy())), wide.log_prob(value), 1e-6)


def kinds(module, p, q):
    values = [[module.tensor(v, dtype=module.float64) for v in ONE[name]] for name in (p, q)]
    other = [v + 0.05 * (i + 1) for i, v in enumerate(values[1])]
    return getattr(module.distributions, p)(*values[0]), getattr(module.distributions, q)(*other)


@pytest.mark.parametrize("p", ONE)
def test_divergences(p):
    compared = 0
    for q in ONE:
        try:
            expected = torch.distributions.kl_divergence(*kinds(torch, p, q))
        except (NotImplementedError, ValueError):
            continue
        close(tg.distributions.kl_divergence(*kinds(tg, p, q)), expected, 1e-6)
        compared += 1
    assert compared


def test_divergences_of_vectors_and_of_counts():
    def made(module):
        D, t = module.distributions, lambda v: module.tensor(v, dtype=module.float64)
        full = D.MultivariateNormal(t([0.1, -0.4]), covariance_matrix=t([[2.0, 0.3], [0.3, 1.0]]))
        factor = D.MultivariateNormal(t([[0.3, 1.0], [0.0, 0.2]]), scale_tril=t([[1.0, 0.0], [0.4, 0.6]]))
        thin = D.LowRankMultivariateNormal(t([0.0, 0.5]), t([[0.7], [-0.2]]), t([0.4, 0.9]))
        normal = [D.Independent(D.Normal(t([0.1, s]), t([1.0, s])), 1) for s in (0.5, 2.0)]
        binomial = [D.Binomial(5, t([0.2, s])) for s in (0.5, 0.8)]
        pairs = [(full, factor), (factor, full), (full, thin), (thin, factor), normal, binomial]
        return [D.kl_divergence(*two) for two in pairs]

    for found, expected in zip(made(tg), made(torch), strict=True):
        close(found, expected, 1e-8)


def test_a_divergence_of_ones_own():
    class Mine(tg.distributions.Normal):
        pass

    p, q = Mine(0.0, 1.0), Mine(1.0, 1.0)
    assert tg.distributions.kl_divergence(p, q).item() == pytest.approx(0.5)
    tg.distributions.register_kl(Mine, Mine)(lambda p, q: p.loc * 0 + 7.0)
    assert tg.distributions.kl_divergence(p, q).item() == 7.0
    assert tg.distributions.kl_divergence(p, tg.distributions.Normal(1.0, 1.0)).item() == pytest.approx(0.5)
    with pytest.raises(NotImplementedError, match="register_kl"):
        tg.distributions.kl_divergence(p, tg.distributions.Cauchy(0.0, 1.0))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    make, shape = TRANSFORMS[name]
    theirs, ours = make(torch.distributions.transforms), make(tg.distributions.transforms)
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 1.5 + 0.1
    y = theirs(x)
    mine = tg.from_numpy(x.numpy())
    close(ours(mine), y, 1e-9)
    close(ours.inv(tg.from_numpy(y.numpy())), theirs.inv(y), 1e-7)
    assert ours.bijective == theirs.bijective
    try:
        expected = theirs.log_abs_det_jacobian(x, y)
    except NotImplementedError:
        with pytest.raises(NotImplementedError):
            ours.log_abs_det_jacobian(mine, ours(mine))
    else:
        close(ours.log_abs_det_jacobian(mine, ours(mine)), expected, 1e-7)
    assert tuple(ours.forward_shape(shape)) == tuple(theirs.forward_shape(torch.Size(shape)))
    assert ours.domain.event_dim == theirs.domain.event_dim
    assert ours.codomain.event_dim == theirs.codomain.event_dim
    cached = make(tg.distributions.transforms).with_cache()
    leaf = mine.clone()
    assert cached.inv(cached(leaf)) is leaf


def test_implicit_slopes():
    """How gamma and beta numbers move with their parameters, against differences of the quantile function."""
    mpmath = pytest.importorskip("mpmath")
    from tapegrad.nn.distributions.gradients import _beta_slope, _gamma_slope

    def column(values):
        return tg.tensor(values, dtype=tg.float64).reshape(-1, 1)

    rng = np.random.default_rng(0)
    with mpmath.workdps(30):
        for a in (0.03, 0.5, 1.0, 4.0, 60.0, 5000.0):
            for x in rng.gamma(a, size=3) + 1e-200:

                def below(s, x=x):
                    return mpmath.gammainc(s, 0, x, regularized=True)

                density = mpmath.mpf(x) ** (a - 1) * mpmath.exp(-x) / mpmath.gamma(a)
                slope = -mpmath.diff(below, a, h=mpmath.mpf(a) * 1e-10) / density
                assert _gamma_slope(column([a]), column([x])).item() == pytest.approx(float(slope), rel=1e-6)
        for a, b in ((0.05, 0.4), (0.7, 3.0), (2.0, 2.0), (40.0, 7.0), (1.0, 300.0)):
            for x in rng.beta(a, b, size=3):

                def below(s, x=x, b=b):
                    return mpmath.betainc(s, b, 0, x, regularized=True)

                density = mpmath.mpf(x) ** (a - 1) * (1 - mpmath.mpf(x)) ** (b - 1) / mpmath.beta(a, b)
                slope = -mpmath.diff(below, a, h=mpmath.mpf(a) * 1e-10) / density / (1 - x)
                found = _beta_slope(column([a]), column([b]), column([x])).item()
                assert found == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.parametrize("module", [torch, tg])
def test_what_is_refused(module):
    D, t = module.distributions, module.tensor
    for make in (
        lambda: D.Normal(0.0, -1.0),
        lambda: D.Normal(t([0.0, math.nan]), 1.0),
        lambda: D.Bernoulli(t(1.5)),
        lambda: D.Bernoulli(probs=t(0.5), logits=t(0.0)),
        lambda: D.Bernoulli(),
        lambda: D.Categorical(t(0.5)),
        lambda: D.Categorical(t([-0.5, 1.0])),
        lambda: D.Uniform(1.0, 0.0),
        lambda: D.Gamma(t(0.0), 1.0),
        lambda: D.MultivariateNormal(t([0.0, 0.0]), covariance_matrix=t([[1.0, 2.0], [2.0, 1.0]])),
        lambda: D.Normal(0.0, 1.0).log_prob(t(math.nan)),
        lambda: D.Exponential(1.0).log_prob(t(-1.0)),
        lambda: D.Categorical(t([0.5, 0.5])).log_prob(t(2)),
        lambda: D.Bernoulli(0.5).log_prob(t(0.5)),
        lambda: D.Normal(t([0.0, 1.0]), 1.0).log_prob(t([0.0, 1.0, 2.0])),
        lambda: D.Normal("a", 1.0),
    ):
        with pytest.raises(ValueError):
            make()
    assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1.0
    with pytest.raises(NotImplementedError):
        D.Bernoulli(0.5).rsample()


def test_the_default_of_checking():
    tg.distributions.Distribution.set_default_validate_args(False)
    try:
        assert tg.distributions.Normal(0.0, -1.0).scale.item() == -1.0
    finally:
        tg.distributions.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="scale"):
        tg.distributions.Normal(0.0, -1.0)


@pytest.mark.parametrize("name", ["Normal", "Categorical", "Gamma", "Independent", "MultivariateNormal"])
def test_repr(name):
    (theirs, _), (ours, _) = pair(name, "float32")
    assert repr(ours).replace("tapegrad", "torch") == repr(theirs)


def test_registries():
    def made(module):
        c, D = module.distributions.constraints, module.distributions
        return [
            (c.real, D.biject_to), (c.positive, D.biject_to), (c.unit_interval, D.biject_to), (c.simplex, D.biject_to),
            (c.simplex, D.transform_to), (c.interval(-2.0, 3.0), D.transform_to), (c.less_than(1.5), D.biject_to),
            (c.greater_than(2.0), D.biject_to), (c.lower_cholesky, D.transform_to),
            (c.positive_definite, D.transform_to), (c.independent(c.positive, 1), D.biject_to),
        ]  # fmt: skip

    x = torch.rand(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for (constraint, ours), (their_constraint, theirs) in zip(made(tg), made(torch), strict=True):
        expected = theirs(their_constraint)(x)
        found = ours(constraint)(tg.from_numpy(x.numpy()))
        close(found, expected, 1e-9)
        assert bool(constraint.check(found).all())
        assert repr(constraint) == repr(their_constraint)


def test_poisson_and_binomial():
    for module, made in ((torch, []), (tg, [])):
        module.manual_seed(5)
        rate = module.tensor([0.0, 0.5, 9.0, 12.0, 300.0], requires_grad=True)
        counts = module.poisson(rate.expand(40, 5))
        counts.sum().backward()
        prob = module.tensor([0.0, 0.1, 0.5, 0.9, 1.0])
        thrown = module.binomial(module.full((40, 5), 30.0), prob.expand(40, 5))
        made += [counts.detach().numpy(), rate.grad.numpy(), thrown.numpy()]
        if module is torch:
            expected = made
    for a, b in zip(made, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(RuntimeError):
        tg.poisson(tg.tensor([-1.0]))
    with pytest.raises(RuntimeError):
        tg.binomial(tg.tensor([3.0]), tg.tensor([1.5]))
