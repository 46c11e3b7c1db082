"""Convolutions, under PyTorch's path."""

from .. import conv
from ..conv import *
from ..conv import _ConvNd, _ConvTransposeNd
from ..lazy_layers import (
    LazyConv1d,
    LazyConv2d,
    LazyConv3d,
    LazyConvTranspose1d,
    LazyConvTranspose2d,
    LazyConvTranspose3d,
)

__all__ = [
    *conv.__all__,
    "_ConvNd",
    "_ConvTransposeNd",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]
