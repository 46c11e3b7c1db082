"""Optimizers (``tapegrad.nn.optim`` under PyTorch's name)."""

from ..nn.optim import *  # noqa: F403
from ..nn.optim import __all__

__all__ = list(__all__)
