"""PyTorch's place of Adam."""

from ..nn.optim.adam import Adam

__all__ = ["Adam"]
