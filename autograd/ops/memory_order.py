"""The order in which elements lie in memory: memory formats, and strides as PyTorch tells them.

A copy keeps the order of its original (``preserve_format``) unless another is asked for. In the same order PyTorch
fills tensors with random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import record
from ..layouts import channels_last, channels_last_3d, contiguous_format, memory_format, preserve_format
from ..tensor import Tensor

__all__ = ["channels_kept", "in_memory_order", "is_in_order", "order_of", "relaid", "row_by_row", "strides_of"]

CHANNELS_LAST = {channels_last: (0, 2, 3, 1), channels_last_3d: (0, 2, 3, 4, 1)}


def strides_of(x: Tensor) -> tuple[int, ...]:
    """How many elements lie between neighbours along each dimension.

    NumPy knows no strides of dimensions that have no second place; they are told as PyTorch makes them.
    """
    array = x._array
    shape, size = array.shape, array.itemsize
    strides = [s // size for s in array.strides]
    if 1 not in shape and 0 not in shape:
        return tuple(strides)
    step, empty = 1, 0 in shape
    for i in range(len(shape) - 1, -1, -1):
        if empty or (shape[i] == 1 and not strides[i]):
            strides[i] = step
        step = strides[i] * (max(shape[i], 1) if empty else shape[i])
    return tuple(strides)


def order_of(name: str, x: Tensor, wanted: memory_format | None) -> tuple[int, ...] | None:
    """The dimensions of ``x`` from the widest stride to the narrowest, in a memory format; None for row by row.

    Raises:
        RuntimeError: a format for another number of dimensions. TypeError: no memory format.
    """
    if wanted is None or wanted is preserve_format:
        if x._array.flags.c_contiguous:
            return None
        order = tuple(_nested(x._array.shape, x._array.strides))
        return None if list(order) == sorted(order) else order
    if wanted is contiguous_format:
        return None
    if wanted not in CHANNELS_LAST:
        raise TypeError(f"{name}: memory_format must be one of tapegrad's, not {wanted!r}")
    order = CHANNELS_LAST[wanted]
    if x.ndim != len(order):
        raise RuntimeError(f"{name}: {wanted} is of {len(order)} dimensions, the tensor has {x.ndim}")
    return order


def is_in_order(array: Any, order: tuple[int, ...]) -> bool:
    """Whether the elements of a raw array lie side by side in memory, with the dimensions in this order."""
    step = 1
    for i in reversed(order):
        n, stride = array.shape[i], array.strides[i] // array.itemsize
        if n != 1:
            if stride != step:
                return False
            step *= n
    return True


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def relaid(made: Tensor, order: tuple[int, ...] | None) -> Tensor:
    """A new tensor ``made``, with its elements moved to another order in memory."""
    if order is not None and not made._device.depth:
        copy = made._device.backend.copy
        made._array = copy(made._array.transpose(order)).transpose(_inverse(order))
    return made


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


def in_memory_order(
    x: Tensor, make: Callable[[tuple[int, ...]], Any], wanted: memory_format | None = None, name: str = ""
) -> Callable[[tuple[int, ...]], Any]:
    """A ``make`` whose arrays, of the shape of ``x`` behind any others, are made along the memory of ``x``.

    Args:
        wanted: another memory format.
        name: of the operation, for errors.
    """
    order = order_of(name, x, wanted)
    if order is None:
        return make

    def made(wanted: tuple[int, ...]) -> Any:
        lead = len(wanted) - len(order)
        array = make((*wanted[:lead], *[wanted[lead + i] for i in order]))
        return array.transpose(*range(lead), *[lead + order.index(i) for i in range(len(order))])

    return made


def row_by_row(made: Tensor) -> Tensor:
    """A new tensor ``made`` with its elements row by row in memory."""
    if not made._array.flags.c_contiguous:
        made._array = made._device.backend.copy(made._array)
    return made


def channels_kept(made: Tensor) -> Tensor:
    """A new tensor ``made`` with its elements row by row in memory, if its channels are not last there."""
    if not made._array.flags.c_contiguous:
        made._array = _row_by_row(made._array, made._device)
    return made


def _row_by_row(array: Any, device: Any) -> Any:
    """A result's array row by row, or as it is where it, or each of its parts, has its channels last."""
    orders = {4: ((0, 2, 3, 1),), 5: ((0, 2, 3, 4, 1), (0, 1, 3, 4, 2))}.get(array.ndim, ())
    return array if any([is_in_order(array, order) for order in orders]) else device.backend.copy(array)


def _as_indexed(array: Any, x: Any, where: list[Any], places: tuple[Any, ...], device: Any) -> Any:
    """What ``x`` has at an index, in the order that PyTorch gives it: row by row, or what is left of that of ``x``."""
    copy = device.backend.copy
    if x.flags.c_contiguous:
        return copy(array)
    strides: list[int] = []
    axis, at = 0, None
    together = "".join(["x" if type(p) is tuple else " " for p in places]).strip().count(" ") == 0
    for p in places:
        if type(p) is not tuple:
            strides.append(x.strides[axis])
            axis += 1
            continue
        at = (len(strides) if together else 0) if at is None else at
        axis += where[p[0]].ndim if where[p[0]].dtype.kind == "b" else 1
    strides += x.strides[axis:]
    new = array.ndim - len(strides)
    strides[at:at] = [0] * new
    order = tuple(_nested(array.shape, tuple(strides)))
    if is_in_order(array, order):
        return array
    permute = device.backend.permute
    return permute(copy(permute(array, order)), _inverse(order))


def _as_stacked(array: Any, parts: list[Any], device: Any) -> Any:
    """A stack row by row, or as it is where its parts have their channels last."""
    kept = array.ndim == 5 and is_in_order(parts[0], (0, 2, 3, 1))
    return array if kept else device.backend.copy(array)


record.GLOBALS.update(as_indexed=_as_indexed, as_stacked=_as_stacked, row_by_row=_row_by_row)
