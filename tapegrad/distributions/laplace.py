"""PyTorch's place of Laplace."""

from ..nn.distributions.location import Laplace

__all__ = ["Laplace"]
