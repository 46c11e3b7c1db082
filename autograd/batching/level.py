"""A level of ``vmap``: its batched arrays, its devices, and how tensors from outside come in.

A batched tensor is an ordinary Tensor. Its raw array is a ``Batched``: a tensor of the level below with the batch as
axis 0, which shows a shape without that axis. Its device is one of the level, whose kernels run the recording
primitives on the tensors below. So two tapes are at work: that of the level, over batched arrays, and that of the
tensors inside.
"""

from __future__ import annotations

import math
import threading
from itertools import count
from typing import Any

import numpy as np

from ...backends.device import device as Device
from .. import record
from ..promote import mixed_devices
from ..rule import P, Rule
from ..tensor import Tensor, wrap

__all__ = [
    "BatchDevice",
    "Batched",
    "Level",
    "at_level",
    "current",
    "entered",
    "everything",
    "leaving",
    "lifted",
    "place_of",
    "to_level",
]

_depths = count(1)  # a vmap that is called within another one has the greater depth
_here = threading.local()


def leaving(what: str) -> RuntimeError:
    """The error for a batched tensor of which ``what`` asks for one number or one array."""
    return RuntimeError(
        f"vmap: {what} of a batched tensor asks for values that differ from one element of the batch to the next; "
        "choose between values with where() instead, or do it outside of the mapped function"
    )


class Batched:
    """A raw array of a level.

    Attributes:
        value: a tensor of a level below.
        batched: whether axis 0 of ``value`` is the batch; else it is the same for all elements of it.
    """

    __slots__ = ("batched", "value")

    def __init__(self, value: Tensor, batched: bool) -> None:
        self.value, self.batched = value, batched

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.value._array.shape
        return shape[1:] if self.batched else shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value._array.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        strides: tuple[int, ...] = self.value._array.strides
        return strides[1:] if self.batched else strides

    @property
    def flags(self) -> Any:
        return self.value._array.flags

    def astype(self, dtype: Any, copy: bool = True) -> Batched:
        return Batched(P.cast(self.value, np.dtype(dtype)), self.batched)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise leaving("an array")

    def __bool__(self) -> bool:
        raise leaving("bool()")


class _Numbers(dict):  # type: ignore[type-arg]
    """Python numbers as raw arrays of a level: by dtype, then by number."""

    def __init__(self, place: Device) -> None:
        super().__init__()
        self._place = place

    def __missing__(self, dtype: Any) -> Any:
        made = self[dtype] = _OfType(self._place.scalars[dtype], self._place)
        return made


class _OfType:
    def __init__(self, arrays: Any, place: Device) -> None:
        self._arrays, self._place = arrays, place

    def __getitem__(self, number: float) -> Batched:
        return Batched(wrap(self._arrays[number], self._place), False)


class BatchDevice(Device):
    """Where the batched tensors of a level live whose memory is on the device ``place``. Equal to ``place``."""

    __slots__ = ("depth", "level", "place")

    depth: int
    level: Level
    place: Device

    @classmethod
    def of(cls, level: Level, place: Device) -> BatchDevice:
        """The device of a level over a real one; `device(...)` of it is itself."""
        from .backend import BatchingBackend, tables

        made: BatchDevice = object.__new__(cls)
        made.type, made.index, made.depth, made.level, made.place = place.type, place.index, level.depth, level, place
        made.backend = BatchingBackend(level, place)
        made.kernels, made.vjps = tables()
        made.scalars = _Numbers(place)
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and place_of(other) is self.place

    def __hash__(self) -> int:
        return hash(self.place)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Device, (str(self.place),))


def place_of(device: Device) -> Device:
    """The real device, on which a level's device has its memory."""
    return device.place if isinstance(device, BatchDevice) else device


class Level:
    """One call of a mapped function.

    Args:
        size: of the batch.
        randomness: "error", "different" or "same".
    """

    def __init__(self, size: int, randomness: str) -> None:
        self.size, self.randomness, self.depth, self.alive = size, randomness, next(_depths), True
        self._devices: dict[Device, BatchDevice] = {}

    def device(self, place: Device) -> BatchDevice:
        """The level's device over a real one."""
        found = self._devices.get(place)
        if found is None:
            found = self._devices[place] = BatchDevice.of(self, place)
        return found

    def __enter__(self) -> Level:
        entered().append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        entered().remove(self)
        self.alive = False
        self._devices = {}  # a device holds its level: no cycle once it has ended


def entered() -> list[Level]:
    """The levels that the current thread is in, the outermost first."""
    found: list[Level] | None = getattr(_here, "levels", None)
    if found is None:
        found = _here.levels = []
    return found


def current() -> Level | None:
    """The innermost level that the current thread is in."""
    levels = getattr(_here, "levels", None)
    return levels[-1] if levels else None


def lifted(x: Tensor, level: Level) -> Tensor:
    """A tensor from outside of a level as one of it, the same for all elements of the batch."""
    made = wrap(Batched(x, False), level.device(place_of(x._device)))
    made._cell = x._cell
    return made


def everything(x: Tensor) -> Tensor:
    """The elements of all batches at once, as an ordinary tensor, for checks that need no more."""
    while isinstance(x._array, Batched):
        x = x._array.value
    return x


def at_level(x: Tensor) -> Tensor:
    """The tensor at the innermost level that the current thread is in, where derivatives by it differ per element."""
    level = current()
    return lifted(x, level) if level is not None and x._device.depth < level.depth else x


def to_level(inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The operands of an operation with all tensors at the innermost level among them; None where they are already.

    Raises:
        RuntimeError: a tensor of a ``vmap`` that has ended.
    """
    flat = [t for x in inputs for t in (x if isinstance(x, (list, tuple)) else (x,)) if isinstance(t, Tensor)]
    depths = [t._device.depth for t in flat]
    top = max(depths, default=0)
    if not top or min(depths) == top:
        return None
    for t in flat:
        if isinstance(t._device, BatchDevice) and not t._device.level.alive:
            raise RuntimeError(
                "vmap: this tensor belongs to a mapped function that has returned; "
                "a value leaves the function only by being returned"
            )
    level: Level = next(t._device.level for t in flat if t._device.depth == top)
    return tuple(_up(x, level) for x in inputs)


def _up(x: Any, level: Level) -> Any:
    if isinstance(x, (list, tuple)):
        return [_up(v, level) for v in x]
    return lifted(x, level) if isinstance(x, Tensor) and x._device.depth < level.depth else x


def _elsewhere(rule: Rule, inputs: tuple[Any, ...], attrs: tuple[Any, ...]) -> Any:
    """Run an operation whose operands are on different devices: on the innermost level of ``vmap`` among them.

    Raises:
        RuntimeError: the devices are real ones.
    """
    raised = to_level(inputs)
    if raised is None:
        raise mixed_devices(rule, inputs)
    return getattr(P, rule.name)(*raised, *attrs)


record.GLOBALS.update(elsewhere=_elsewhere, to_level=to_level)
