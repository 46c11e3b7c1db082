"""The host random generator: PyTorch's numbers for PyTorch's seeds, as NumPy arrays."""

from .generator import Generator, default_generator

__all__ = ["Generator", "default_generator"]
