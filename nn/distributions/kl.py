"""Kullback-Leibler divergences in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.index import where
from ...autograd.rule import P
from .beta import Beta, Dirichlet
from .categorical import Categorical, OneHotCategorical
from .counts import Bernoulli, Binomial, Geometric, Poisson
from .distribution import Distribution
from .gamma import Exponential, Gamma, Pareto
from .independent import Independent
from .location import Cauchy, Gumbel, Laplace
from .multivariate_normal import (
    LowRankMultivariateNormal,
    MultivariateNormal,
    half_log_det,
    mahalanobis,
)
from .normal import HalfNormal, Normal
from .transformed import TransformedDistribution
from .uniform import Uniform
from .utils import sum_rightmost

__all__ = ["kl_divergence", "register_kl"]

EULER = 0.57721566490153286060
Formula = Callable[[Any, Any], Tensor]
FORMULAS: dict[tuple[type, type], Formula] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Formula], Formula]:
    """Decorate a function ``(p, q)`` that gives the divergence of two kinds of distributions.

    It also serves their subclasses, as far as no pair nearer to them is registered.

    Raises:
        TypeError: not two classes of distributions.
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"register_kl: needs classes of distributions, got {kind!r}")

    def keep(formula: Formula) -> Formula:
        FORMULAS[type_p, type_q] = formula
        return formula

    return keep


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The divergence of p from q, the mean of ``log p(x) - log q(x)`` over x drawn from p; of shape batch.

    Raises:
        NotImplementedError: no closed form is registered for the two kinds.
    """
    for a in type(p).__mro__:
        for b in type(q).__mro__:
            if (a, b) in FORMULAS:
                return FORMULAS[a, b](p, q)
    raise NotImplementedError(
        f"kl_divergence: no closed form is registered for {type(p).__name__} and {type(q).__name__}; "
        "see register_kl, or take the mean of p.log_prob(x) - q.log_prob(x) over samples"
    )


def _infinite(like: Tensor) -> Tensor:
    return like.new_full(like.shape, math.inf)


def _unreachable(p: Any, q: Any) -> Tensor:
    """For distributions p with values that q cannot have."""
    return _infinite(p.entropy() if not isinstance(p, Poisson) else p.rate)


_OUTSIDE: dict[type, tuple[type, ...]] = {
    Beta: (Pareto,), Exponential: (Beta, Pareto, Uniform), Gamma: (Beta, Pareto, Uniform),
    Gumbel: (Beta, Exponential, Gamma, Pareto, Uniform), Laplace: (Beta, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, Exponential, Gamma, Pareto, Uniform), Pareto: (Beta, Uniform), Poisson: (Bernoulli, Binomial),
}  # fmt: skip
FORMULAS |= {(p, q): _unreachable for p, kinds in _OUTSIDE.items() for q in kinds}


# Whose entropy, mean and variance are enough


def _from_normal(p: Any, q: Normal) -> Tensor:
    spread = (p.variance + (p.mean - q.loc) ** 2) / (2 * q.scale**2)
    return spread + q.scale.log() + 0.5 * math.log(2 * math.pi) - p.entropy()


def _from_exponential(p: Any, q: Exponential) -> Tensor:
    return q.rate * p.mean - q.rate.log() - p.entropy()


_SMOOTH: tuple[type, ...] = (Beta, Exponential, Gamma, Gumbel, Laplace, Pareto, Uniform)
_ABOVE_ZERO: tuple[type, ...] = (Beta, Gamma, Pareto)
FORMULAS |= {(kind, Normal): _from_normal for kind in _SMOOTH}
FORMULAS |= {(kind, Exponential): _from_exponential for kind in _ABOVE_ZERO}


def _mean_of_log(p: Any) -> Tensor:
    """The mean of log x."""
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Exponential):
        return -p.rate.log() - EULER
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (P.xlogy(p.high, p.high) - P.xlogy(p.low, p.low)) / (p.high - p.low) - 1  # Uniform


def _from_gamma(p: Any, q: Gamma) -> Tensor:
    a = q.concentration
    return a.lgamma() - a * q.rate.log() - (a - 1) * _mean_of_log(p) + q.rate * p.mean - p.entropy()


FORMULAS |= {(kind, Gamma): _from_gamma for kind in (Beta, Exponential, Pareto)}


@register_kl(Uniform, Exponential)
def _(p: Uniform, q: Exponential) -> Tensor:
    return where(p.low < 0, math.inf, _from_exponential(p, q))


@register_kl(Uniform, Gamma)
def _(p: Uniform, q: Gamma) -> Tensor:
    return where(p.low < 0, math.inf, _from_gamma(p, q))


@register_kl(Uniform, Pareto)
def _(p: Uniform, q: Pareto) -> Tensor:
    found = (q.alpha + 1) * _mean_of_log(p) - q.alpha.log() - q.alpha * q.scale.log() - p.entropy()
    return where(p.low < q.scale, math.inf, found)


@register_kl(Uniform, Beta)
def _(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    mirrored = Uniform(1 - p.high, 1 - p.low, validate_args=False)
    weight = a.lgamma() + b.lgamma() - (a + b).lgamma()
    found = weight - (a - 1) * _mean_of_log(p) - (b - 1) * _mean_of_log(mirrored) - p.entropy()
    return where((p.low < 0) | (p.high > 1), math.inf, found)


@register_kl(Beta, Uniform)
def _(p: Beta, q: Uniform) -> Tensor:
    return where((q.low > 0) | (q.high < 1), math.inf, (q.high - q.low).log() - p.entropy())


@register_kl(Uniform, Uniform)
def _(p: Uniform, q: Uniform) -> Tensor:
    found = ((q.high - q.low) / (p.high - p.low)).log()
    return where((q.low > p.low) | (q.high < p.high), math.inf, found)


# To a Gumbel distribution, by the mean of exp(-x / scale)


def _from_gumbel(p: Any, q: Gumbel, log_mean: Tensor) -> Tensor:
    """``log_mean``: the logarithm of the mean of ``exp(-x / q.scale)``."""
    return (p.mean - q.loc) / q.scale + (q.loc / q.scale + log_mean).exp() + q.scale.log() - p.entropy()


@register_kl(Normal, Gumbel)
def _(p: Normal, q: Gumbel) -> Tensor:
    return _from_gumbel(p, q, (0.5 * p.scale / q.scale * p.scale - p.loc) / q.scale)


@register_kl(Exponential, Gumbel)
def _(p: Exponential, q: Gumbel) -> Tensor:
    return _from_gumbel(p, q, -(1 / (p.rate * q.scale)).log1p())


@register_kl(Gamma, Gumbel)
def _(p: Gamma, q: Gumbel) -> Tensor:
    return _from_gumbel(p, q, -p.concentration * (1 / (p.rate * q.scale)).log1p())


@register_kl(Uniform, Gumbel)
def _(p: Uniform, q: Gumbel) -> Tensor:
    width = (p.high - p.low) / q.scale
    return _from_gumbel(p, q, -p.low / q.scale + (-(-width).expm1() / width).log())


@register_kl(Gumbel, Gumbel)
def _(p: Gumbel, q: Gumbel) -> Tensor:
    return _from_gumbel(p, q, -p.loc / q.scale + (1 + p.scale / q.scale).lgamma())


# Of one kind


@register_kl(Normal, Normal)
def _(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _(p: HalfNormal, q: HalfNormal) -> Tensor:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Normal, Laplace)
def _(p: Normal, q: Laplace) -> Tensor:
    far = p.loc - q.loc
    z = far / p.scale
    apart = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z**2).exp() + far * (z / math.sqrt(2)).erf()
    return apart / q.scale + (2 * q.scale).log() - p.entropy()


@register_kl(Laplace, Laplace)
def _(p: Laplace, q: Laplace) -> Tensor:
    far = (p.loc - q.loc).abs()
    return (p.scale * (-far / p.scale).exp() + far) / q.scale - (p.scale / q.scale).log() - 1


@register_kl(Cauchy, Cauchy)
def _(p: Cauchy, q: Cauchy) -> Tensor:
    return ((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2).log() - (4 * p.scale * q.scale).log()


@register_kl(Exponential, Exponential)
def _(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Pareto, Pareto)
def _(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return where(p.scale < q.scale, math.inf, found)


@register_kl(Gamma, Gamma)
def _(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    weight = b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma()
    return weight + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)


@register_kl(Beta, Beta)
def _(p: Beta, q: Beta) -> Tensor:
    return kl_divergence(p._dirichlet, q._dirichlet)


@register_kl(Dirichlet, Dirichlet)
def _(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    weight = a.sum(-1).lgamma() - b.sum(-1).lgamma() + (b.lgamma() - a.lgamma()).sum(-1)
    return weight + ((a - b) * (a.digamma() - a.sum(-1, True).digamma())).sum(-1)


@register_kl(Bernoulli, Bernoulli)
def _(p: Bernoulli, q: Bernoulli) -> Tensor:
    one = where(p.probs == 0, 0.0, p.probs * (p.probs / q.probs).log())
    zero = where(p.probs == 1, 0.0, (1 - p.probs) * ((1 - p.probs) / (1 - q.probs)).log())
    one = where((q.probs == 0) & (p.probs > 0), math.inf, one)
    return one + where((q.probs == 1) & (p.probs < 1), math.inf, zero)


@register_kl(Bernoulli, Poisson)
def _(p: Bernoulli, q: Poisson) -> Tensor:
    return q.rate - p.probs * q.rate.log() - p.entropy()


@register_kl(Binomial, Binomial)
def _(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("kl_divergence: of two Binomials q must not have the larger total_count")
    found = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return where(p.total_count > q.total_count, math.inf, found)


@register_kl(Geometric, Geometric)
def _(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Categorical, Categorical)
def _(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    terms = where((q.probs == 0).expand(terms.shape), math.inf, terms)
    return where((p.probs == 0).expand(terms.shape), 0.0, terms).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return kl_divergence(p._categorical, q._categorical)


# Of vectors, and of what is made of others


def _normals(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: vectors of {p.event_shape[0]} and of {q.event_shape[0]} elements")
    size = p.event_shape[0]
    below = q.scale_tril if isinstance(q, LowRankMultivariateNormal) else q._unbroadcasted_scale_tril
    above = p.scale_tril if isinstance(p, LowRankMultivariateNormal) else p._unbroadcasted_scale_tril
    # The trace of inverse(S_q) @ S_p: the columns of the factor of S_p, each as a vector
    trace = mahalanobis(below.unsqueeze(-3), above.mT).sum(-1)
    return half_log_det(below) - half_log_det(above) + 0.5 * (trace + mahalanobis(below, q.loc - p.loc) - size)


_OF_VECTORS: tuple[type, ...] = (MultivariateNormal, LowRankMultivariateNormal)
FORMULAS |= {(p, q): _normals for p in _OF_VECTORS for q in _OF_VECTORS}


@register_kl(Independent, Independent)
def _(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence: two Independent with different reinterpreted_batch_ndims")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("kl_divergence: two TransformedDistributions with different transforms or events")
    depth = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), depth)
