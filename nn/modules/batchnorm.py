"""Batch normalisation, under PyTorch's path."""

from .. import batch_norm
from ..batch_norm import *
from ..batch_norm import _BatchNorm, _NormBase

__all__ = [*batch_norm.__all__, "_BatchNorm", "_NormBase"]
