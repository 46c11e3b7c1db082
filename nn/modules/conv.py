"""Convolutions, under PyTorch's path."""

from .. import conv
from ..conv import *
from ..conv import _ConvNd, _ConvTransposeNd

__all__ = [*conv.__all__, "_ConvNd", "_ConvTransposeNd"]
