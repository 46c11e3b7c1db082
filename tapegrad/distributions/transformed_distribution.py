"""PyTorch's place of TransformedDistribution."""

from ..nn.distributions.transformed import TransformedDistribution

__all__ = ["TransformedDistribution"]
