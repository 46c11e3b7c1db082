"""The modules under PyTorch's path."""

from . import module
from .module import Module

__all__ = ["Module", "module"]
