"""PyTorch's place of Gumbel."""

from ..nn.distributions.location import Gumbel

__all__ = ["Gumbel"]
