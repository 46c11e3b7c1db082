"""Normalisation of one example at a time, under PyTorch's path."""

from .. import normalization
from ..normalization import *

__all__ = [*normalization.__all__]
