"""PyTorch's place of Poisson."""

from ..nn.distributions.counts import Poisson

__all__ = ["Poisson"]
