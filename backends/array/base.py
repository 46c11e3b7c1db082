"""What every backend over an array module shares: kernel look-up, scalars, transfers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..device import device

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

    def owned(self, array: Any) -> bool:
        """Whether ``array`` holds its own memory, rather than being a view of another's."""
        return array.base is None

    def accumulate(self, target: Any, value: Any) -> None:
        """Add ``value`` to the memory of ``target``."""
        target += value

    def shares(self, a: Any, b: Any) -> bool:
        """Whether two arrays may touch the same memory."""
        return bool(self.xp.may_share_memory(a, b))

    def from_host(self, array: np.ndarray) -> Any:
        """A NumPy array as an array of this backend, without a copy where there is nothing to move."""
        return array

    def to_host(self, array: Any) -> np.ndarray:
        """An array of this backend as a NumPy array, without a copy where there is nothing to move."""
        return array

    def transfer(self, x: Any, source: device, target: device) -> Any:
        """An array of the device ``source`` as one of ``target``."""
        return target.backend.from_host(source.backend.to_host(x))

    def synchronize(self) -> None:
        """Wait until all work handed to the device is done."""

    def versions(self) -> dict[str, str]:
        """The versions of what the backend stands on, by name."""
        return {self.xp.__name__: self.xp.__version__}

    def settings(self) -> dict[str, str]:
        """How the backend is set up on this machine (threads, cache folder, cards …), by name."""
        return {}
