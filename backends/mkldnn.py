"""oneDNN, which is not used here; scripts may ask.

Attributes:
    enabled: whether to use it.
"""

from __future__ import annotations

__all__ = ["enabled", "is_available"]

enabled: bool = True


def is_available() -> bool:
    """False."""
    return False
