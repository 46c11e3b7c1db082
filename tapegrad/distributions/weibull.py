"""PyTorch's place of Weibull."""

from ..nn.distributions.gamma import Weibull

__all__ = ["Weibull"]
