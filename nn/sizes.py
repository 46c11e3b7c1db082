"""Sizes that may be given once for all dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["reversed_twice", "several"]


def several(value: Any, n: int) -> tuple[Any, ...]:
    """``value`` as it is where it is a sequence, else ``n`` times."""
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,) * n


def reversed_twice(padding: Iterable[int]) -> list[int]:
    """Padding of each dimension as ``functional.pad`` wants it: (before, after), from the last dimension on."""
    return [p for p in reversed(tuple(padding)) for _ in range(2)]
