"""PyTorch's place of Independent."""

from ..nn.distributions.independent import Independent

__all__ = ["Independent"]
