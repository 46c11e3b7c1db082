"""The error for files that are not whole."""

from __future__ import annotations

__all__ = ["broken"]


def broken(name: str, why: object) -> RuntimeError:
    """The error for a file that is cut off or was changed."""
    return RuntimeError(
        f"load: {name} is damaged: {why}. It was cut off or changed since it was written; take another copy of it"
    )
