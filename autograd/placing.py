"""Writing numbers at places named by masks and indices, in memory that has no history."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from .tensor import Tensor

__all__ = ["PLACING", "filled", "placed"]

INT64 = np.dtype(np.int64)
PLACING = frozenset({"masked_fill_", "index_fill_", "scatter_"})


def filled(target: Tensor, number: float) -> bool:
    """Fill memory that is nobody's view and has no history; False where there is more to it."""
    if target._node is not None or target._view is not None or type(target._cell) is not list:
        return False
    array, device = target._array, target._device
    if device.depth or not array.flags.c_contiguous:
        return False
    device.backend.assign(array, number)
    target._cell[0] += 1
    return True


def placed(name: str, target: Tensor, operands: tuple[Any, ...]) -> bool:
    """Let the backend write at places in the memory of ``target``; False where arguments or the backend ask for more.

    Args:
        name: one of ``PLACING``.
        target: contiguous and without history.
        operands: as the operation takes them, in their order: mask and value, or dim, index and value.
    """
    array = target._array
    if array.dtype.char not in "fd" or len(operands) != (2 if name == "masked_fill_" else 3):
        return False
    *dims, places, value = operands
    if not isinstance(places, Tensor) or places._device is not target._device or not places._array.size:
        return False
    if name == "masked_fill_":
        fits = places._array.dtype.kind == "b" and places._array.shape == array.shape
    else:
        rank = array.ndim if name == "scatter_" else 1
        fits = places._array.dtype == INT64 and places._array.ndim == rank
        fits = fits and type(dims[0]) is int and -array.ndim <= dims[0] < array.ndim
        dims = [dims[0] % array.ndim] if fits else dims
    if not fits:
        return False
    if isinstance(value, Tensor):
        alike = value._array.dtype == array.dtype and value._device is target._device
        if name != "scatter_" or not alike or value._array.shape != places._array.shape:
            return False
        value = value._array
    elif type(value) not in (float, int) or 1e38 < abs(value) < inf:
        return False
    if not target._device.backend.in_place(name, array, (*dims, places._array, value)):
        return False
    target._cell[0] += 1
    return True
