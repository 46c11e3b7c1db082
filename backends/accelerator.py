"""The accelerator of this machine under a neutral name: PyTorch's ``torch.accelerator``."""

from __future__ import annotations

from typing import Any

from . import cuda
from .cuda import (
    current_stream,
    empty_cache,
    max_memory_allocated,
    memory_allocated,
    memory_reserved,
    reset_peak_memory_stats,
    set_stream,
)
from .cuda import device as device_index
from .device import device as Device

__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count",
    "device_index", "empty_cache", "is_available", "max_memory_allocated", "memory_allocated", "memory_reserved",
    "reset_peak_memory_stats", "set_device_idx", "set_device_index", "set_stream", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Whether there is an accelerator that can be used."""
    return cuda.is_available()


def current_accelerator(check_available: bool = False) -> Device | None:
    """The device type of the accelerator, or None where there is none."""
    return Device("cuda", cuda.current_device()) if cuda.is_available() else None


def device_count() -> int:
    """How many accelerators there are."""
    return cuda.device_count()


def current_device_index() -> int:
    """The number of the current accelerator."""
    return cuda.current_device()


def set_device_index(device: Any) -> None:
    """Make an accelerator the current one."""
    cuda.set_device(device)


current_device_idx, set_device_idx = current_device_index, set_device_index


def synchronize(device: Any = None) -> None:
    """Wait until all work on an accelerator is done."""
    cuda.synchronize(device)
