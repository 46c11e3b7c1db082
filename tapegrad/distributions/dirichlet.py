"""PyTorch's place of Dirichlet."""

from ..nn.distributions.beta import Dirichlet

__all__ = ["Dirichlet"]
