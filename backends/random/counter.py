"""Random numbers drawn on a device, by a counter: the same seed and offset give the same numbers on any card."""

from __future__ import annotations

import os
import weakref
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .engine import Engine

__all__ = ["CounterGenerator", "entropy", "made_so_far", "seed_devices"]

_made: weakref.WeakSet[CounterGenerator] = weakref.WeakSet()
# What ``seed_devices`` was last given: devices that come into use later begin with it.
_start: int | None = None


class CounterGenerator:
    """The seed of a device's random numbers, and how far the counter has come.

    The numbers themselves are Philox's (Salmon et al., 2011), computed on the device; they are not PyTorch's.

    Args:
        seed: of a generator that stands by itself. Without one it is a device's own, which ``seed_devices`` seeds.
    """

    device: Any = None  # whose numbers it counts

    def __init__(self, seed: int | None = None) -> None:
        self._seed, self._offset = _start if _start is not None else entropy(), 0
        if seed is None:
            _made.add(self)
        else:
            self.manual_seed(seed)

    def manual_seed(self, seed: int) -> Self:
        """Start anew from ``seed``; returns the generator itself.

        Args:
            seed: from -2^63 to 2^64 - 1, as for the generator on the host.

        Raises:
            ValueError: out of range.
        """
        self._seed, self._offset = Engine(seed).initial_seed(), 0
        return self

    def seed(self) -> int:
        """Start anew from a seed of the operating system; returns that seed."""
        self.manual_seed(entropy())
        return self._seed

    def initial_seed(self) -> int:
        """The seed, within 0 and 2^64 - 1."""
        return self._seed

    def get_state(self) -> NDArray[np.uint8]:
        """Seed and offset as 16 bytes."""
        return np.array([self._seed, self._offset], np.uint64).view(np.uint8)

    def set_state(self, state: Any) -> None:
        """Go on from what ``get_state`` has given.

        Raises:
            RuntimeError: not 16 bytes.
        """
        found = np.asarray(state)
        if found.dtype != np.uint8 or found.shape != (16,):
            raise RuntimeError(f"set_state: a state is 16 numbers of uint8, got {found.dtype}{list(found.shape)}")
        self._seed, self._offset = (int(v) for v in np.ascontiguousarray(found).view(np.uint64))

    def take(self, count: int) -> tuple[int, int]:
        """The seed, and the offset of the next ``count`` steps of the counter, which are then used up."""
        before = self._offset
        self._offset = (before + count) % 2**64
        return self._seed, before


def made_so_far() -> list[CounterGenerator]:
    """The generators of all devices that are in use."""
    return list(_made)


def seed_devices(seed: int) -> None:
    """Start the generators of all devices from ``seed``, also of those that come into use later."""
    global _start
    _start = Engine(seed).initial_seed()
    for generator in list(_made):
        generator.manual_seed(_start)


def entropy() -> int:
    """A seed of the operating system."""
    return int.from_bytes(os.urandom(8), "little")
