"""PyTorch's place of Adagrad."""

from ..nn.optim.adagrad import Adagrad

__all__ = ["Adagrad"]
