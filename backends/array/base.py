"""What every backend over an array module shares: kernel look-up, scalars, transfers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..device import device
from ..random import CounterGenerator, default_generator

__all__ = ["ArrayBase", "Scalars"]


class Scalars(dict):  # type: ignore[type-arg]
    """Python numbers as read-only 0-d arrays of one dtype, made once each (an array is twice as fast an operand).

    Zeros are kept apart by sign, since 0.0 == -0.0; the cache is emptied when it has grown to 4096 numbers.
    """

    __slots__ = ("dtype",)

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype

    def __missing__(self, number: float) -> Any:
        array = np.array(number, self.dtype)
        array.flags.writeable = False
        if number:
            if len(self) >= 4096:
                self.clear()
            self[number] = array
        return array


class Missing:
    """Stands in the table for a primitive that a backend lacks."""

    def __init__(self, backend: str, primitive: str) -> None:
        self.backend, self.primitive = backend, primitive

    def __call__(self, *args: Any) -> Any:
        raise RuntimeError(
            f"{self.primitive}: backend '{self.backend}' has no primitive of this name; "
            f"choose another with tapegrad.backends.use(...)"
        )


class ArrayBase:
    """A backend: a table of primitives over the raw arrays of the module ``xp``.

    A primitive is a method that takes arrays first, then plain attributes, all by position, and returns an
    array. A method ``NAME_vjp(self, g, ...)``, where there is one, computes what the rule of ``NAME`` says in
    one fused step; its arguments after ``g`` are those that the rule's formula names.
    """

    name = "array"
    device_type = "cpu"
    xp: Any = np
    ndarray: type = np.ndarray

    def __init__(self) -> None:
        self.scalars: dict[Any, Any] = {}

    def on(self, where: device) -> ArrayBase:
        """The backend for one device of its type (a CPU has one; a GPU backend answers per card)."""
        return self

    def current_index(self) -> int:
        """The number of the current device, where there are several of this type."""
        return 0

    def kernel(self, name: str) -> Callable[..., Any]:
        """The function that runs the primitive ``name``."""
        return getattr(self, name, None) or Missing(self.name, name)

    def normal(self, out: Any) -> Any:
        """A scalar that the array module returned, as the 0-d array it stands for."""
        return self.xp.asarray(out)

    # By primitive: a derivative called as the table's is, which may leave its result in the memory of the cotangent.
    overwriting: ClassVar[dict[str, Callable[..., Any]]] = {}

    def owned(self, array: Any) -> bool:
        """Whether ``array`` holds its own memory, rather than being a view of another's."""
        return array.base is None

    def accumulate(self, target: Any, value: Any) -> None:
        """Add ``value`` to the memory of ``target``."""
        target += value

    def in_place(self, name: str, target: Any, values: tuple[Any, ...]) -> bool:
        """Run an operation such as ``add_`` in the memory of ``target``, where that saves a copy; whether it did."""
        return False

    def overlaps(self, a: Any, b: Any) -> bool:
        """Whether two arrays without gaps have memory in common without being the same elements in the same order."""
        if not (_dense(a) and _dense(b) and self.shares(a, b)):
            return False
        return _steps(a) != _steps(b) or _address(a) != _address(b)

    def shares(self, a: Any, b: Any) -> bool:
        """Whether two arrays may touch the same memory."""
        return bool(self.xp.may_share_memory(a, b))

    def from_host(self, array: np.ndarray) -> Any:
        """A NumPy array as an array of this backend, without a copy where there is nothing to move."""
        return array

    def to_host(self, array: Any) -> np.ndarray:
        """An array of this backend as a NumPy array, without a copy where there is nothing to move."""
        return array

    def transfer(self, x: Any, source: device, target: device, non_blocking: bool) -> Any:
        """An array of the device ``source`` as one of ``target``.

        With ``non_blocking`` the program may go on before the copy is done, where the devices can do that.
        """
        return target.backend.arrive(source.backend.to_host(x), non_blocking)

    def arrive(self, array: np.ndarray, non_blocking: bool) -> Any:
        """``from_host``, for which the program need not wait if ``non_blocking``."""
        return self.from_host(array)

    def pinned(self, array: np.ndarray) -> np.ndarray:
        """A copy of a NumPy array in page-locked memory, from which the device can copy by itself."""
        raise RuntimeError(f"pin_memory: backend '{self.name}' has no pinned memory")

    def is_pinned(self, array: np.ndarray) -> bool:
        """Whether a NumPy array lies in page-locked memory."""
        return False

    def record_stream(self, x: Any, stream: Any) -> None:
        """See ``Tensor.record_stream``.

        Raises:
            NotImplementedError: the device has no streams.
        """
        raise NotImplementedError(
            f"record_stream: work on {self.device_type} is not queued in streams, its memory needs no such note; "
            "call it for tensors on a CUDA device"
        )

    def filled(self, shape: tuple[int, ...], value: Any, dtype: np.dtype) -> Any:
        """A new array of one number; of whatever the memory holds for None."""
        if value is None:
            return self.xp.empty(shape, dtype)
        return self.xp.zeros(shape, dtype) if type(value) is int and not value else self.xp.full(shape, value, dtype)

    def counted(self, start: float, step: float, count: int, dtype: np.dtype) -> Any:
        """A new vector of the ``count`` numbers ``start``, ``start + step``, ..., computed in 64 bits."""
        if dtype == np.int64:
            return self.xp.arange(start, start + count * step, step, dtype=dtype)
        wide = np.float64 if dtype.kind in "fV" else np.int64
        return (start + self.xp.arange(count, dtype=wide) * step).astype(dtype)

    def identity(self, rows: int, columns: int | None, dtype: np.dtype) -> Any:
        """A new matrix with ones on its diagonal; a square one where ``columns`` is None."""
        return self.xp.eye(rows, columns, dtype=dtype)

    def triangle(self, rows: int, columns: int, offset: int, upper: bool, dtype: np.dtype) -> Any:
        """The indices (2, count) of the elements on and beside a diagonal: above it or below, row by row."""
        find = self.xp.triu_indices if upper else self.xp.tril_indices
        return self.xp.stack(find(rows, offset, columns)).astype(dtype, copy=False)

    def spaced(self, first: Any, last: Any, count: int, dtype: np.dtype) -> Any:
        """A new vector of ``count`` numbers from ``first`` to ``last``, counted from the near end in their own type.

        So PyTorch does it; both ends are exact.
        """
        out, half = self.xp.empty(count, dtype), count // 2
        gap = dtype.type((last - first) / dtype.type(max(count - 1, 1)))
        last, steps = first if count == 1 else last, self.xp.arange(count)
        out[:half] = first + gap * steps[:half].astype(dtype)
        out[half:] = last - gap * (count - 1 - steps[half:]).astype(dtype)
        return out

    def powers(self, base: float, first: float, last: float, count: int, dtype: np.dtype) -> Any:
        """A new vector of ``base`` to the power of evenly spaced numbers, computed in float64."""
        wide = np.dtype(np.float64)
        return self.xp.power(base, self.spaced(wide.type(first), wide.type(last), count, wide)).astype(dtype)

    def laid_out(self, shape: tuple[int, ...], strides: tuple[int, ...], dtype: np.dtype) -> Any:
        """A new array of whatever the memory holds, whose elements lie ``strides`` elements apart."""
        extent = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if 0 not in shape else 0
        memory = self.xp.empty(extent, dtype)
        return self.xp.lib.stride_tricks.as_strided(memory, shape, tuple(s * memory.itemsize for s in strides))

    def dropout_factors(self, shape: tuple[int, ...], p: float, dtype: np.dtype) -> Any:
        """A new array of 0 with probability ``p``, else ``1 / (1 - p)``: PyTorch's random numbers, from the host."""
        factors = default_generator.bernoulli(1 - p, shape, dtype)
        factors /= dtype.type(1 - p)
        return self.from_host(factors)

    def draws(self, generator: Any) -> Any:
        """What draws random numbers for the device: the generator given, or the host's.

        Raises:
            RuntimeError: the generator is one of a device that draws for itself.
        """
        if isinstance(generator, CounterGenerator):
            raise RuntimeError(
                f"generator: one of a CUDA device was given for a tensor on {self.device_type}; make it with "
                "tapegrad.Generator()"
            )
        return generator or default_generator

    def synchronize(self) -> None:
        """Wait until all work handed to the device is done."""

    def versions(self) -> dict[str, str]:
        """The versions of what the backend stands on, by name."""
        return {self.xp.__name__: self.xp.__version__}

    def settings(self) -> dict[str, str]:
        """How the backend is set up on this machine (threads, cache folder, cards …), by name."""
        return {}


def _steps(x: Any) -> list[tuple[int, int]]:
    """Sizes and strides of the dimensions that have more than one place."""
    return [(n, s) for n, s in zip(x.shape, x.strides, strict=True) if n != 1]


def _dense(x: Any) -> bool:
    """Whether the elements lie side by side in memory, in any order of the dimensions."""
    if x.flags.c_contiguous or x.flags.f_contiguous:
        return True
    step = x.itemsize
    for stride, n in sorted((s, n) for s, n in zip(x.strides, x.shape, strict=True) if n != 1):
        if stride != step:
            return False
        step *= n
    return True


def _address(x: Any) -> int:
    return int(x.ctypes.data if isinstance(x, np.ndarray) else x.data.ptr)
