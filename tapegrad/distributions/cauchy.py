"""PyTorch's place of Cauchy."""

from ..nn.distributions.location import Cauchy

__all__ = ["Cauchy"]
