"""Padding, under PyTorch's path."""

from .. import padding
from ..padding import *

__all__ = [*padding.__all__]
