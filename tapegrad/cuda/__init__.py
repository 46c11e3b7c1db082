"""CUDA devices (``tapegrad.backends.cuda`` under PyTorch's name)."""

from ..autograd.legacy import CUDA_TYPES as _types
from ..backends.cuda import *  # noqa: F403
from ..backends.cuda import __all__ as _names
from . import amp

globals().update(_types)

__all__ = [*_names, *_types, "amp"]
