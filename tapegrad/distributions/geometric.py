"""PyTorch's place of Geometric."""

from ..nn.distributions.counts import Geometric

__all__ = ["Geometric"]
