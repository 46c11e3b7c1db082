"""PyTorch's place of Rprop."""

from ..nn.optim.rprop import Rprop

__all__ = ["Rprop"]
