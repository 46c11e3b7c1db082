"""The shuffle of channels, under PyTorch's path."""

from ..shaping import ChannelShuffle

__all__ = ["ChannelShuffle"]
