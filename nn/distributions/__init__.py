"""Probability distributions (``tapegrad.distributions``): samples, densities, entropies and divergences."""

from . import constraints, kl, transforms
from .beta import Beta, Dirichlet, Kumaraswamy, LogisticNormal
from .categorical import Categorical, Multinomial, OneHotCategorical, OneHotCategoricalStraightThrough
from .counts import Bernoulli, Binomial, Geometric, NegativeBinomial, Poisson
from .distribution import Distribution
from .gamma import Chi2, Exponential, FisherSnedecor, Gamma, InverseGamma, Pareto, Weibull
from .independent import Independent
from .kl import kl_divergence, register_kl
from .location import Cauchy, Gumbel, HalfCauchy, Laplace, StudentT
from .mixture import MixtureSameFamily
from .multivariate_normal import LowRankMultivariateNormal, MultivariateNormal
from .normal import HalfNormal, LogNormal, Normal
from .registry import biject_to, transform_to
from .relaxed import RelaxedBernoulli, RelaxedOneHotCategorical
from .transformed import TransformedDistribution
from .transforms import *  # noqa: F403
from .transforms import __all__ as _transforms
from .uniform import Uniform

__all__ = [
    "Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy", "Chi2", "constraints", "Dirichlet", "Distribution",
    "Exponential", "FisherSnedecor", "Gamma", "Geometric", "Gumbel", "HalfCauchy", "HalfNormal", "Independent",
    "InverseGamma", "kl", "Kumaraswamy", "Laplace", "LogisticNormal", "LogNormal", "LowRankMultivariateNormal",
    "MixtureSameFamily", "Multinomial", "MultivariateNormal", "NegativeBinomial", "Normal", "OneHotCategorical",
    "OneHotCategoricalStraightThrough", "Pareto", "Poisson", "RelaxedBernoulli", "RelaxedOneHotCategorical",
    "StudentT", "transforms", "TransformedDistribution", "Uniform", "Weibull", "biject_to", "kl_divergence",
    "register_kl", "transform_to", *_transforms,
]  # fmt: skip
