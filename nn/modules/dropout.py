"""Dropout, under PyTorch's path."""

from .. import dropout
from ..dropout import *
from ..dropout import _DropoutNd

__all__ = [*dropout.__all__, "_DropoutNd"]
