"""PyTorch's place of Adadelta."""

from ..nn.optim.adadelta import Adadelta

__all__ = ["Adadelta"]
