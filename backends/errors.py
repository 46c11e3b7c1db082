"""Errors that backends raise."""

__all__ = ["LinAlgError", "OutOfMemoryError"]


class OutOfMemoryError(RuntimeError):
    """A device has no memory left for an array; the text says how much was asked for, held and free."""


class LinAlgError(RuntimeError):
    """A matrix does not have what was asked for: it is singular, not positive definite, or an iteration failed."""
