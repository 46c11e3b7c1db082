"""Samplers under PyTorch's path."""

from ...nn.data.sampler import *  # noqa: F403
from ...nn.data.sampler import __all__

__all__ = list(__all__)
