"""Datasets and loaders (``tapegrad.nn.data`` under PyTorch's name)."""

from ...nn.data import *  # noqa: F403
from ...nn.data import __all__

__all__ = list(__all__)
