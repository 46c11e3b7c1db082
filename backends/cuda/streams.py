"""Streams and events of CUDA devices: queues of work, and marks in them."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Any

from ..device import device as Device
from .devices import check_faults, cupy_module, device, number_of, set_device

__all__ = [
    "Event", "Stream", "StreamContext", "current_stream", "default_stream", "keep_for", "let_go", "set_stream",
    "stream",
]  # fmt: skip


class Stream:
    """A queue of work on a device, run in order; streams are equal that name the same queue.

    Args:
        device: on which device; the current one for None.
        priority: lower numbers go first.
    """

    def __init__(self, device: Any = None, priority: int = 0, *, _made: Any = None) -> None:
        cupy = cupy_module()
        self.device_index = number_of(device)
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
        check_faults(self.device_index, (self._stream.ptr,))

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
    index = number_of(device)
    return Stream(index, _made=cupy_module().cuda.get_current_stream(index))


def default_stream(device: Any = None) -> Stream:
    """The stream to which work on a device goes where no other is chosen."""
    return Stream(device, _made=cupy_module().cuda.Stream.null)


class Event:
    """A mark in a stream.

    Args:
        enable_timing: whether ``elapsed_time`` can be asked.
        blocking: whether ``synchronize`` sleeps rather than spins.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self._event = cupy_module().cuda.Event(
            block=blocking, disable_timing=not enable_timing, interprocess=interprocess
        )

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
        check_faults(None, ())

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds between two marks."""
        return float(cupy_module().cuda.get_elapsed_time(self._event, end_event._event))


# Memory that nobody holds any more but a stream may still read, with the event behind what was queued there by then.
_HELD: dict[Event, Any] = {}


def keep_for(array: Any, stream: Stream) -> None:
    """Give the memory of an array to no other, once nobody holds it, before a stream has done what is in it by then."""
    owner = array if array.base is None else array.base
    weakref.finalize(owner, _hold, stream, owner.data).atexit = False
    let_go()


def _hold(stream: Stream, memory: Any) -> None:
    let_go()
    with device(stream.device_index):
        _HELD[stream.record_event()] = memory


def let_go() -> None:
    """Give back the memory that was kept for streams which have done with it."""
    for event in list(_HELD):
        if event.query():
            _HELD.pop(event, None)  # another thread may have been first
