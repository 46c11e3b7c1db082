"""Dimensions joined and split, under PyTorch's path."""

from ..shaping import Flatten, Unflatten

__all__ = ["Flatten", "Unflatten"]
