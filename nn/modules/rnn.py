"""Recurrent layers, under PyTorch's path."""

from .. import recurrent, recurrent_cells
from ..recurrent import *
from ..recurrent_cells import *

__all__ = [*recurrent.__all__, *recurrent_cells.__all__]
