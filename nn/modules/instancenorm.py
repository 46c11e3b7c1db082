"""Instance normalisation, under PyTorch's path."""

from .. import instance_norm
from ..instance_norm import *
from ..instance_norm import _InstanceNorm

__all__ = [*instance_norm.__all__, "_InstanceNorm"]
