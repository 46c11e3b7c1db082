"""Batch normalisation, under PyTorch's path."""

from .. import batch_norm
from ..batch_norm import *
from ..batch_norm import _BatchNorm, _NormBase
from ..lazy_layers import (
    LazyBatchNorm1d,
    LazyBatchNorm2d,
    LazyBatchNorm3d,
)

__all__ = [*batch_norm.__all__, "_BatchNorm", "_NormBase", "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d"]
