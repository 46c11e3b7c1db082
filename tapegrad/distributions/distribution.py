"""PyTorch's place of Distribution."""

from ..nn.distributions.distribution import Distribution

__all__ = ["Distribution"]
