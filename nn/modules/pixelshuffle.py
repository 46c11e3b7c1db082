"""Channels as pixels and back, under PyTorch's path."""

from ..shaping import PixelShuffle, PixelUnshuffle

__all__ = ["PixelShuffle", "PixelUnshuffle"]
