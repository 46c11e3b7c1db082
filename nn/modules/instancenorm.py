"""Instance normalisation, under PyTorch's path."""

from .. import instance_norm
from ..instance_norm import *
from ..instance_norm import _InstanceNorm
from ..lazy_layers import (
    LazyInstanceNorm1d,
    LazyInstanceNorm2d,
    LazyInstanceNorm3d,
)

__all__ = [*instance_norm.__all__, "_InstanceNorm", "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d"]
