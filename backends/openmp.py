"""OpenMP, which is not used here: Numba's own threads are; scripts may ask."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """False."""
    return False
