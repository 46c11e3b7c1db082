"""PyTorch's place of Adamax."""

from ..nn.optim.adamax import Adamax

__all__ = ["Adamax"]
