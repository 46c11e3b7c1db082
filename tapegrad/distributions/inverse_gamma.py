"""PyTorch's place of InverseGamma."""

from ..nn.distributions.gamma import InverseGamma

__all__ = ["InverseGamma"]
