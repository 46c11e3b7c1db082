"""Pooling, under PyTorch's path."""

from .. import adaptive_pooling, pooling
from ..adaptive_pooling import *
from ..pooling import *

__all__ = [*adaptive_pooling.__all__, *pooling.__all__]
