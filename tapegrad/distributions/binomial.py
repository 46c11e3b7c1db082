"""PyTorch's place of Binomial."""

from ..nn.distributions.counts import Binomial

__all__ = ["Binomial"]
