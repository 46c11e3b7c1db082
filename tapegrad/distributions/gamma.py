"""PyTorch's place of Gamma."""

from ..nn.distributions.gamma import Gamma

__all__ = ["Gamma"]
