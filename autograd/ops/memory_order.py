"""The order in which elements lie in memory: in it PyTorch fills tensors with random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor

__all__ = ["in_memory_order"]


def _nested(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    """The dimensions from the widest stride to the narrowest; a repeated one (stride 0) stays where it is."""
    order = list(range(len(shape)))[::-1]  # the narrowest first
    for i in range(1, len(order)):
        at = i
        for j in range(i - 1, -1, -1):
            inner, outer = order[j], order[at]
            if strides[inner] == 0 or strides[outer] == 0:
                continue
            if strides[inner] < strides[outer]:
                break
            if strides[inner] > strides[outer] or shape[inner] > shape[outer]:
                order[j], order[at] = outer, inner
                at = j
    return order[::-1]


def in_memory_order(x: Tensor, make: Callable[[tuple[int, ...]], Any]) -> Callable[[tuple[int, ...]], Any]:
    """A ``make`` whose arrays, of the shape of ``x`` behind any others, are made along the memory of ``x``."""
    shape, strides = x._array.shape, x._array.strides
    order = _nested(shape, strides)
    if order == sorted(order):
        return make

    def made(wanted: tuple[int, ...]) -> Any:
        lead = len(wanted) - len(order)
        array = make((*wanted[:lead], *[wanted[lead + i] for i in order]))
        return array.transpose(*range(lead), *[lead + order.index(i) for i in range(len(order))])

    return made
