"""Datasets under PyTorch's path."""

from ...nn.data.dataset import *  # noqa: F403
from ...nn.data.dataset import __all__

__all__ = list(__all__)
