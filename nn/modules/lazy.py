"""Lazy modules, under PyTorch's path."""

from ..lazy import LazyModuleMixin

__all__ = [
    "LazyModuleMixin",
]  # fmt: skip
