"""PyTorch's place of RAdam."""

from ..nn.optim.radam import RAdam

__all__ = ["RAdam"]
