"""Copies between host and card, of which those from and to pinned memory go on while the program does."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from .device import device

__all__ = ["HostCopies"]


class HostCopies:
    """What the CuPy backend knows of the host's memory."""

    xp: Any
    check_faults: Any  # of Faults
    _flying: deque[tuple[Any, ...]]

    def from_host(self, array: np.ndarray) -> Any:
        """A copy on the card. The array may be changed at once."""
        return self.arrive(array, False)

    def arrive(self, array: np.ndarray, non_blocking: bool) -> Any:
        """A copy on the card; with ``non_blocking`` a pinned array must not be changed before the copy is done."""
        made = self.xp.asarray(array)
        # CuPy first copies pageable memory aside, but lets the card read pinned memory while the program goes on.
        if self.is_pinned(array):
            if non_blocking:
                self._hold(array)
            else:
                self.xp.cuda.get_current_stream().synchronize()
        return made

    def to_host(self, array: Any) -> np.ndarray:
        """A copy in host memory, once the card has done its work.

        Raises:
            IndexError: an operation met an index or a class number out of range since the last look.
        """
        copied = self.xp.asnumpy(array)
        self.check_faults((self.xp.cuda.get_current_stream().ptr,))
        return copied

    def fetch(self, x: Any, out: np.ndarray) -> None:
        """Copy to a pinned array of the same shape and type; it must not be read before the card has done its work."""
        x = self.xp.ascontiguousarray(x)
        x.get(out=out, blocking=False)
        self._hold(out, x)

    def transfer(self, x: Any, source: device, target: device, non_blocking: bool) -> Any:
        """An array of the device ``source`` as one of ``target``; from card to card without the host."""
        if source.type == target.type:
            return target.backend.copy(x if source is target else source.backend.compact(x))
        if non_blocking and target.type == "cpu":
            out = self._pinned(x.shape, x.dtype)
            source.backend.fetch(x, out)
            return out
        return target.backend.arrive(source.backend.to_host(x), non_blocking)

    def pinned(self, array: np.ndarray) -> np.ndarray:
        """A copy in page-locked memory."""
        out = self._pinned(array.shape, array.dtype)
        out[...] = array
        return out

    def _pinned(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        size = int(np.prod(shape)) * dtype.itemsize
        return np.ndarray(shape, dtype, self.xp.cuda.alloc_pinned_memory(max(size, 1)))

    def is_pinned(self, array: np.ndarray) -> bool:
        """Whether an array lies in page-locked memory, whoever made it."""
        if not isinstance(array, np.ndarray) or not array.size:  # NumPy's scalars come here too
            return False
        runtime = self.xp.cuda.runtime
        return bool(runtime.pointerGetAttributes(array.ctypes.data).type == runtime.memoryTypeHost)

    def _hold(self, *arrays: Any) -> None:
        """Keep arrays until the stream has come here: CuPy would give their memory to the next that asks."""
        while self._flying and self._flying[0][0].done:
            self._flying.popleft()
        self._flying.append((self.xp.cuda.get_current_stream().record(), *arrays))
