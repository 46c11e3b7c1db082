"""The accelerator of this machine (``tapegrad.backends.accelerator`` under PyTorch's name)."""

from .backends.accelerator import *  # noqa: F403
from .backends.accelerator import __all__

__all__ = list(__all__)
