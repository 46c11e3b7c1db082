"""Activations and attention, under PyTorch's path."""

from .. import activation, attention
from ..activation import *
from ..attention import *

__all__ = [*activation.__all__, *attention.__all__]
