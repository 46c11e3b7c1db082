"""PyTorch's place of NegativeBinomial."""

from ..nn.distributions.counts import NegativeBinomial

__all__ = ["NegativeBinomial"]
