"""The memory of CUDA devices: how much is held, and giving it back."""

from __future__ import annotations

from typing import Any

from .. import registry
from .devices import cupy_module, is_available, is_initialized, number_of
from .streams import let_go

__all__ = [
    "empty_cache", "max_memory_allocated", "mem_get_info", "memory_allocated", "memory_reserved", "memory_stats",
    "reset_max_memory_allocated", "reset_peak_memory_stats",
]  # fmt: skip


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays hold on a device; 0 without one."""
    if not is_available():
        return 0
    cupy = cupy_module()
    with cupy.cuda.Device(number_of(device)):
        return int(cupy.get_default_memory_pool().used_bytes())


def memory_reserved(device: Any = None) -> int:
    """Bytes taken from a device, held by arrays or kept for the next ones; 0 without one."""
    if not is_available():
        return 0
    cupy = cupy_module()
    with cupy.cuda.Device(number_of(device)):
        return int(cupy.get_default_memory_pool().total_bytes())


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device, as the driver counts them."""
    cupy = cupy_module()
    with cupy.cuda.Device(number_of(device)):
        free, total = cupy.cuda.runtime.memGetInfo()
    return int(free), int(total)


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that arrays held at once since ``reset_peak_memory_stats``; 0 without a device.

    Before the first reset nothing is counted: then it is what has been taken from the device, which is no less.
    """
    return int(registry.get("cupy").peak(number_of(device))) if is_available() else 0


def memory_stats(device: Any = None) -> dict[str, int]:
    """What is known of a device's memory, under PyTorch's names, in bytes; nothing without a device.

    Returns:
        ``allocated_bytes.all.current`` and ``.peak``, as ``memory_allocated`` and ``max_memory_allocated`` give them,
        and ``reserved_bytes.all.current``, as ``memory_reserved``. CuPy's pool counts nothing else.
    """
    if not is_available():
        return {}
    return {
        "allocated_bytes.all.current": memory_allocated(device),
        "allocated_bytes.all.peak": max_memory_allocated(device),
        "reserved_bytes.all.current": memory_reserved(device),
    }


def reset_peak_memory_stats(device: Any = None) -> None:
    """Begin to count the peak anew; does nothing without a device."""
    if is_available():
        registry.get("cupy").reset_peak(number_of(device))


reset_max_memory_allocated = reset_peak_memory_stats


def empty_cache() -> None:
    """Give memory that no array holds back to the device; does nothing without one."""
    if is_initialized():
        let_go()
        cupy_module().get_default_memory_pool().free_all_blocks()
