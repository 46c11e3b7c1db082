"""CUDA devices (``tapegrad.backends.cuda`` under PyTorch's name)."""

from ..backends.cuda import *  # noqa: F403
from ..backends.cuda import __all__ as _names
from . import amp

__all__ = [*_names, "amp"]
