"""Every primitive, written once over an array module ``xp``."""

from .backend import ArrayBackend

__all__ = ["ArrayBackend"]
