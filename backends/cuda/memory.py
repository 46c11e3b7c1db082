"""The memory of CUDA devices: how much is held, and giving it back."""

from __future__ import annotations

from typing import Any

from .. import registry
from .devices import cupy_module, is_available, is_initialized, number_of

__all__ = [
    "empty_cache", "max_memory_allocated", "mem_get_info", "memory_allocated", "memory_reserved",
    "reset_max_memory_allocated", "reset_peak_memory_stats",
]  # fmt: skip


def _pool(device: Any) -> Any:
    cupy = cupy_module()
    with cupy.cuda.Device(number_of(device)):
        return cupy.get_default_memory_pool()


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays hold on a device; 0 without one."""
    if not is_available():
        return 0
    with cupy_module().cuda.Device(number_of(device)):
        return int(_pool(device).used_bytes())


def memory_reserved(device: Any = None) -> int:
    """Bytes taken from a device, held by arrays or kept for the next ones; 0 without one."""
    if not is_available():
        return 0
    with cupy_module().cuda.Device(number_of(device)):
        return int(_pool(device).total_bytes())


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device, as the driver counts them."""
    with cupy_module().cuda.Device(number_of(device)):
        free, total = cupy_module().cuda.runtime.memGetInfo()
    return int(free), int(total)


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that arrays held at once since ``reset_peak_memory_stats``; 0 without a device.

    Before the first reset nothing is counted: then it is what has been taken from the device, which is no less.
    """
    return int(registry.get("cupy").peak(number_of(device))) if is_available() else 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Begin to count the peak anew; does nothing without a device."""
    if is_available():
        registry.get("cupy").reset_peak(number_of(device))


reset_max_memory_allocated = reset_peak_memory_stats


def empty_cache() -> None:
    """Give memory that no array holds back to the device; does nothing without one."""
    if is_initialized():
        cupy_module().get_default_memory_pool().free_all_blocks()
