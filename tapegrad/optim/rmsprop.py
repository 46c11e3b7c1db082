"""PyTorch's place of RMSprop."""

from ..nn.optim.rmsprop import RMSprop

__all__ = ["RMSprop"]
