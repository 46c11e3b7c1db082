"""Devices that no backend serves (Apple's Metal, Intel's GPUs), as scripts ask for them under ``mps`` and ``xpu``."""

from __future__ import annotations

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "manual_seed_all", "synchronize"]


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def synchronize() -> None:
    """Wait for no device."""


def empty_cache() -> None:
    """Free the memory of no device."""


def manual_seed(seed: int) -> None:
    """Seed no device."""


manual_seed_all = manual_seed
