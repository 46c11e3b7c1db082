"""Intel's MKL, whose products are not used here (NumPy brings its own BLAS); scripts may ask."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """False."""
    return False
