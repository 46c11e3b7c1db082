"""CUDA devices: how many, which is current, their memory, streams and events; PyTorch's ``torch.cuda``.

Everything that asks a question answers it without a GPU too; what needs one raises ``BackendError`` with the reason.
"""

from __future__ import annotations

from contextlib import nullcontext
from types import TracebackType
from typing import Any

from . import registry
from .device import device as Device
from .errors import OutOfMemoryError as OutOfMemoryError
from .random import CounterGenerator, entropy, seed_devices
from .settings import is_built as is_built
from .settings import matmul as matmul

__all__ = [
    "Event", "OutOfMemoryError", "Stream", "StreamContext", "can_device_access_peer", "current_device",
    "current_stream", "default_stream", "device", "device_count", "device_of", "empty_cache", "get_device_capability",
    "get_device_name", "get_device_properties", "get_rng_state", "get_rng_state_all", "init", "initial_seed",
    "is_available", "is_bf16_supported", "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "mem_get_info", "memory_allocated", "memory_reserved", "reset_max_memory_allocated", "reset_peak_memory_stats",
    "seed", "seed_all", "set_device", "set_rng_state", "set_rng_state_all", "set_stream", "stream", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Whether there is a CUDA device that the CuPy backend can use."""
    return registry.status("cupy") is None


def device_count() -> int:
    """How many CUDA devices there are; 0 where none can be used."""
    return int(_cupy().cuda.runtime.getDeviceCount()) if is_available() else 0


def _cupy() -> Any:
    """The module cupy, of a backend that works.

    Raises:
        BackendError: no CUDA device can be used; the text says why.
    """
    return registry.get("cupy").xp


def _number(value: Any) -> int:
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
    return int(_cupy().cuda.runtime.getDevice())


def set_device(device: Any) -> None:
    """Make a CUDA device the current one."""
    _cupy().cuda.Device(_number(device)).use()


class device:  # noqa: N801 - PyTorch's name
    """A context in which another CUDA device is the current one."""

    def __init__(self, device: Any) -> None:
        self.idx = _number(device)

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
    first, second = _number(device), _number(peer_device)
    return first == second or bool(_cupy().cuda.runtime.deviceCanAccessPeer(first, second))


def get_device_properties(device: Any = None) -> Any:
    """The CUDA runtime's description of a device, as an object with its fields."""
    from types import SimpleNamespace

    found = _cupy().cuda.runtime.getDeviceProperties(_number(device))
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
    _cupy().cuda.runtime.free(0)


def is_initialized() -> bool:
    """Whether the CuPy backend has been loaded."""
    return registry._entry("cupy").backend is not None


def synchronize(device: Any = None) -> None:
    """Wait until all work on a device is done.

    Raises:
        IndexError: an operation met an index or a class number out of range since the last wait.
    """
    registry.device_of(Device("cuda", _number(device))).backend.synchronize()


def _check_faults(device: Any, done: tuple[int, ...]) -> None:
    """Raise what kernels noted on a device, of which the streams at these addresses have come to their end."""
    registry.device_of(Device("cuda", _number(device))).backend.check_faults(done)


# Memory


def _pool(device: Any) -> Any:
    cupy = _cupy()
    with cupy.cuda.Device(_number(device)):
        return cupy.get_default_memory_pool()


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays hold on a device; 0 without one."""
    if not is_available():
        return 0
    with _cupy().cuda.Device(_number(device)):
        return int(_pool(device).used_bytes())


def memory_reserved(device: Any = None) -> int:
    """Bytes taken from a device, held by arrays or kept for the next ones; 0 without one."""
    if not is_available():
        return 0
    with _cupy().cuda.Device(_number(device)):
        return int(_pool(device).total_bytes())


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device, as the driver counts them."""
    with _cupy().cuda.Device(_number(device)):
        free, total = _cupy().cuda.runtime.memGetInfo()
    return int(free), int(total)


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that arrays held at once since ``reset_peak_memory_stats``; 0 without a device.

    Before the first reset nothing is counted: then it is what has been taken from the device, which is no less.
    """
    return int(registry.get("cupy").peak(_number(device))) if is_available() else 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Begin to count the peak anew; does nothing without a device."""
    if is_available():
        registry.get("cupy").reset_peak(_number(device))


reset_max_memory_allocated = reset_peak_memory_stats


def empty_cache() -> None:
    """Give memory that no array holds back to the device; does nothing without one."""
    if is_initialized():
        _cupy().get_default_memory_pool().free_all_blocks()


# Random numbers


def generator(device: Any = None) -> CounterGenerator:
    """The generator of the random numbers drawn on a device."""
    return registry.device_of(Device("cuda", _number(device))).backend.generator


def manual_seed(seed: int) -> None:
    """Seed the random numbers drawn on the current device; accepted, and without effect, where there is none."""
    if is_available():
        generator().manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    """Seed the random numbers drawn on every device, also on those that come into use later."""
    seed_devices(int(seed))


def seed() -> int:
    """Seed the random numbers drawn on the current device from the system's entropy; returns the seed."""
    return generator().seed()


def seed_all() -> int:
    """Seed the random numbers drawn on every device with one seed of the system's entropy; returns the seed."""
    made = entropy()
    seed_devices(made)
    return made


def initial_seed() -> int:
    """The seed of the random numbers drawn on the current device."""
    return generator().initial_seed()


def get_rng_state(device: Any = None) -> Any:
    """The state of the random numbers drawn on a device, as a NumPy array of 16 bytes."""
    return generator(device).get_state()


def set_rng_state(new_state: Any, device: Any = None) -> None:
    """Go on on a device from a state that ``get_rng_state`` has given.

    Raises:
        RuntimeError: not a state.
    """
    generator(device).set_state(new_state)


def get_rng_state_all() -> list[Any]:
    """The states of all devices, in the order of their numbers; of none without one."""
    return [get_rng_state(i) for i in range(device_count())]


def set_rng_state_all(new_states: Any) -> None:
    """Go on on every device from what ``get_rng_state_all`` has given."""
    for i, state in enumerate(new_states):
        set_rng_state(state, i)


# Streams and events


class Stream:
    """A queue of work on a device, run in order; streams are equal that name the same queue.

    Args:
        device: on which device; the current one for None.
        priority: lower numbers go first.
    """

    def __init__(self, device: Any = None, priority: int = 0, *, _made: Any = None) -> None:
        cupy = _cupy()
        self.device_index = _number(device)
        with cupy.cuda.Device(self.device_index):
            self._stream = cupy.cuda.Stream(non_blocking=True, priority=priority) if _made is None else _made

    @property
    def device(self) -> Device:
        """The device whose work it queues."""
        return Device("cuda", self.device_index)

    @property
    def cuda_stream(self) -> int:
        """The address of the CUDA stream."""
        return int(self._stream.ptr)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"<tapegrad.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"

    def _key(self) -> tuple[int, int]:
        return self.device_index, self.cuda_stream

    def synchronize(self) -> None:
        """Wait until the work in the stream is done.

        Raises:
            IndexError: as in ``synchronize`` of the module.
        """
        self._stream.synchronize()
        _check_faults(self.device_index, (self._stream.ptr,))

    def query(self) -> bool:
        """Whether the work in the stream is done."""
        return bool(self._stream.done)

    def record_event(self, event: Event | None = None) -> Event:
        """Record an event behind the work in the stream."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Let later work in the stream wait for an event."""
        self._stream.wait_event(event._event)

    def wait_stream(self, other: Stream) -> None:
        """Let later work in the stream wait for all work in another."""
        self.wait_event(other.record_event())


class stream:  # noqa: N801 - PyTorch's name
    """A context in which work goes to another stream, on the stream's device; None changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            self._card = device(self.stream.device_index)  # CuPy refuses the stream of another device
            self._card.__enter__()
            self.stream._stream.__enter__()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.stream is not None:
            self.stream._stream.__exit__(kind, error, trace)
            self._card.__exit__(kind, error, trace)


StreamContext = stream


def set_stream(stream: Stream | None) -> None:
    """Let work go to a stream, on the stream's device, from now on; None changes nothing."""
    if stream is not None:
        set_device(stream.device_index)
        stream._stream.use()


def current_stream(device: Any = None) -> Stream:
    """The stream to which work on a device goes now."""
    index = _number(device)
    return Stream(index, _made=_cupy().cuda.get_current_stream(index))


def default_stream(device: Any = None) -> Stream:
    """The stream to which work on a device goes where no other is chosen."""
    return Stream(device, _made=_cupy().cuda.Stream.null)


class Event:
    """A mark in a stream.

    Args:
        enable_timing: whether ``elapsed_time`` can be asked.
        blocking: whether ``synchronize`` sleeps rather than spins.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self._event = _cupy().cuda.Event(block=blocking, disable_timing=not enable_timing, interprocess=interprocess)

    def record(self, stream: Stream | None = None) -> None:
        """Put the mark behind the work in a stream (the current one for None)."""
        self._event.record(None if stream is None else stream._stream)

    def wait(self, stream: Stream | None = None) -> None:
        """Let later work in a stream wait for the mark."""
        (current_stream() if stream is None else stream).wait_event(self)

    def query(self) -> bool:
        """Whether the work before the mark is done."""
        return bool(self._event.done)

    def synchronize(self) -> None:
        """Wait until the work before the mark is done.

        Raises:
            IndexError: as in ``synchronize`` of the module.
        """
        self._event.synchronize()
        _check_faults(None, ())

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds between two marks."""
        return float(_cupy().cuda.get_elapsed_time(self._event, end_event._event))
