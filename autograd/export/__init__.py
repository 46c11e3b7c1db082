"""The tape as a NumPy program: forward and backward of a function, written out line by line."""

from .export import export_numpy

__all__ = ["export_numpy"]
