"""Errors that backends raise."""

__all__ = ["OutOfMemoryError"]


class OutOfMemoryError(RuntimeError):
    """A device has no memory left for an array; the text says how much was asked for, held and free."""
