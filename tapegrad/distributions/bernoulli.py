"""PyTorch's place of Bernoulli."""

from ..nn.distributions.counts import Bernoulli

__all__ = ["Bernoulli"]
