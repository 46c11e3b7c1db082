"""CUDA devices: how many, which is current, what they are, and waiting for their work."""

from __future__ import annotations

from contextlib import nullcontext
from types import TracebackType
from typing import Any

from .. import registry
from ..device import device as Device

__all__ = [
    "can_device_access_peer", "check_faults", "cupy_module", "current_device", "device", "device_count", "device_of",
    "get_device_capability", "get_device_name", "get_device_properties", "init", "is_available", "is_bf16_supported",
    "is_initialized", "number_of", "set_device", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Whether there is a CUDA device that the CuPy backend can use."""
    return registry.status("cupy") is None


def device_count() -> int:
    """How many CUDA devices there are; 0 where none can be used."""
    return int(cupy_module().cuda.runtime.getDeviceCount()) if is_available() else 0


def cupy_module() -> Any:
    """The module cupy, of a backend that works.

    Raises:
        BackendError: no CUDA device can be used; the text says why.
    """
    return registry.get("cupy").xp


def number_of(value: Any) -> int:
    """The number of the device that ``value`` names; the current one for None."""
    if value is None:
        return current_device()
    if isinstance(value, int):
        return value
    where = Device(value)
    if where.type != "cuda":
        raise ValueError(f"cuda: expected a CUDA device, got '{where}'")
    return current_device() if where.index is None else where.index


def current_device() -> int:
    """The number of the current CUDA device."""
    return int(cupy_module().cuda.runtime.getDevice())


def set_device(device: Any) -> None:
    """Make a CUDA device the current one."""
    cupy_module().cuda.Device(number_of(device)).use()


class device:  # noqa: N801 - PyTorch's name
    """A context in which another CUDA device is the current one."""

    def __init__(self, device: Any) -> None:
        self.idx = number_of(device)

    def __enter__(self) -> None:
        self._before = current_device()
        set_device(self.idx)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        set_device(self._before)


class device_of:  # noqa: N801 - PyTorch's name
    """A context in which the device of a tensor is the current one; of a tensor on the CPU nothing changes."""

    def __init__(self, obj: Any) -> None:
        self._context = device(obj.device) if obj.device.type == "cuda" else nullcontext()

    def __enter__(self) -> None:
        self._context.__enter__()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._context.__exit__(kind, error, trace)


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether one device can read another's memory."""
    first, second = number_of(device), number_of(peer_device)
    return first == second or bool(cupy_module().cuda.runtime.deviceCanAccessPeer(first, second))


def get_device_properties(device: Any = None) -> Any:
    """The CUDA runtime's description of a device, as an object with its fields."""
    from types import SimpleNamespace

    found = cupy_module().cuda.runtime.getDeviceProperties(number_of(device))
    found["name"] = found["name"].decode()
    found["total_memory"], found["multi_processor_count"] = found["totalGlobalMem"], found["multiProcessorCount"]
    return SimpleNamespace(**found)


def get_device_name(device: Any = None) -> str:
    """The name of a device, such as ``NVIDIA H200``."""
    return str(get_device_properties(device).name)


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a device, such as (9, 0)."""
    found = get_device_properties(device)
    return found.major, found.minor


def is_bf16_supported() -> bool:
    """Whether the current device computes in bfloat16 (compute capability 8.0 and up)."""
    return is_available() and get_device_capability() >= (8, 0)


def init() -> None:
    """Prepare CUDA now rather than at its first use."""
    cupy_module().cuda.runtime.free(0)


def is_initialized() -> bool:
    """Whether the CuPy backend has been loaded."""
    return registry._entry("cupy").backend is not None


def synchronize(device: Any = None) -> None:
    """Wait until all work on a device is done.

    Raises:
        IndexError: an operation met an index or a class number out of range since the last wait.
    """
    registry.device_of(Device("cuda", number_of(device))).backend.synchronize()


def check_faults(device: Any, done: tuple[int, ...]) -> None:
    """Raise what kernels noted on a device, of which the streams at these addresses have come to their end."""
    registry.device_of(Device("cuda", number_of(device))).backend.check_faults(done)
