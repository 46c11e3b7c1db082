"""PyTorch's place of LowRankMultivariateNormal."""

from ..nn.distributions.multivariate_normal import LowRankMultivariateNormal

__all__ = ["LowRankMultivariateNormal"]
