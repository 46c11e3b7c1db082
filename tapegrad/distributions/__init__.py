"""Probability distributions (``tapegrad.nn.distributions`` under PyTorch's name)."""

from ..nn.distributions import *  # noqa: F403
from ..nn.distributions import __all__

__all__ = list(__all__)
