"""Reductions and normalisations under a mask (``torch.masked``)."""

from .autograd.ops.masked import *  # noqa: F403
from .autograd.ops.masked import __all__

__all__ = list(__all__)
