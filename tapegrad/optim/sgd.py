"""PyTorch's place of SGD."""

from ..nn.optim.sgd import SGD

__all__ = ["SGD"]
