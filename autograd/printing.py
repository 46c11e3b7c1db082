"""The text of a tensor."""

from __future__ import annotations

import numpy as np

from .promote import get_default_dtype
from .tensor import Tensor

__all__ = ["text"]


def text(self: Tensor) -> str:
    """The tensor as Python would write it: its numbers, and what is not the default about it."""
    array = self._device.backend.to_host(self._array)
    if array.dtype.kind == "V":
        array = array.astype(np.float32)
    body = np.array2string(array, precision=4, separator=", ", threshold=1000, prefix="tensor(")
    parts = [body if array.ndim else str(array.item())]
    if self._device.type != "cpu":
        parts.append(f"device='{self._device}'")
    if self.dtype is not get_default_dtype() and self.dtype.name not in ("int64", "bool"):
        parts.append(f"dtype={self.dtype}")
    node = self._current()
    if node is not None:
        parts.append("requires_grad=True" if node.edges is None else f"grad_fn=<{node.name()}>")
    return f"tensor({', '.join(parts)})"
