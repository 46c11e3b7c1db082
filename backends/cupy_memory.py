"""Where CuPy's arrays lie in memory, and the ordering operations that it lacks for some types."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array import ArrayBackend

__all__ = ["MemoryMixin"]


class MemoryMixin(ArrayBackend):
    """What ``array.strided`` asks of NumPy's arrays, asked of CuPy's."""

    def storage(self, x: Any) -> tuple[int, int]:
        memory = x.data.mem
        return (x.data.ptr - memory.ptr) // x.itemsize, memory.size // x.itemsize

    def _window(self, x: Any, size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Any:
        start = self.xp.cuda.MemoryPointer(x.data.mem, offset * x.itemsize)
        return self.xp.ndarray(size, x.dtype, start, tuple(s * x.itemsize for s in stride))

    def _extreme_at(self, ufunc: Any, target: Any, index: Any, value: Any) -> None:
        """CuPy compares at indices in the types that it adds in; others go by a copy."""
        kind, size = target.dtype.kind, target.dtype.itemsize
        if kind == "f" or (kind in "iu" and size >= 4):
            ufunc.at(target, index, value)
            return
        wide = target.astype(np.float32 if kind == "V" else np.int32)
        ufunc.at(wide, index, value.astype(wide.dtype))
        target[...] = wide.astype(target.dtype)

    def searchsorted(self, line: Any, values: Any, right: bool) -> Any:
        if line.dtype.kind == "V":
            line, values = line.astype(np.float32), values.astype(np.float32)
        return super().searchsorted(line, values, right)
