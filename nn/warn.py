"""Where a warning should point."""

from __future__ import annotations

import sys

__all__ = ["users_line"]


def users_line() -> int:
    """The ``stacklevel`` of the line outside of the library that led to a warning of the caller."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("tapegrad."):
        frame, level = frame.f_back, level + 1
    return level
