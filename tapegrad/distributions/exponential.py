"""PyTorch's place of Exponential."""

from ..nn.distributions.gamma import Exponential

__all__ = ["Exponential"]
