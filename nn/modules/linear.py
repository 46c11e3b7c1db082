"""Linear layers, under PyTorch's path."""

from .. import linear
from ..lazy_layers import LazyLinear
from ..linear import *

__all__ = [*linear.__all__, "LazyLinear"]
