"""Linear layers, under PyTorch's path."""

from .. import linear
from ..linear import *

__all__ = [*linear.__all__]
