"""PyTorch's place of MultivariateNormal."""

from ..nn.distributions.multivariate_normal import MultivariateNormal

__all__ = ["MultivariateNormal"]
