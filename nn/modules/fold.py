"""Blocks of images and back, under PyTorch's path."""

from ..shaping import Fold, Unfold

__all__ = ["Fold", "Unfold"]
