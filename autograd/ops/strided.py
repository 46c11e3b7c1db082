"""Views by stride and windows, writes through views out of place, and the in-place forms that change a shape."""

from __future__ import annotations

import builtins
from typing import Any

from ..names import named
from ..rule import P
from ..tensor import Tensor, wrap
from ..views import follow, kind_of_steps
from ..writes import turn
from .args import check_tensor, dim_of, sizes_of
from .shape import squeeze, t, transpose, unsqueeze

__all__ = ["as_strided", "as_strided_scatter", "diagonal_scatter", "select_scatter", "slice_scatter"]

ALL = builtins.slice(None)


# Windows and strides


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A view of every window of ``size`` places along ``dimension``, ``step`` apart, in a new last dimension.

    Raises:
        RuntimeError: a window larger than the dimension, or a step below 1.
    """
    at = dim_of("unfold", dimension, input.ndim)
    have = input._array.shape[at] if input.ndim else 1
    if size < 0 or size > have:
        raise RuntimeError(f"unfold: a window of {size} does not fit into the size {have} of dim {at}")
    if step <= 0:
        raise RuntimeError(f"unfold: the step must be positive, got {step}")
    return P.windows(input, at, int(size), int(step))


def _lies(x: Tensor) -> tuple[tuple[int, ...], int, int]:
    """How ``x`` lies in its memory: strides, where it begins, how long the memory is; all in elements."""
    array = x._array
    start, length = x._device.backend.storage(array)
    return tuple(s // array.itemsize for s in array.strides), int(start), int(length)


def _steps(name: str, x: Tensor, size: Any, stride: Any, offset: int | None) -> tuple[Any, ...]:
    """The attributes of ``as_strided``, checked."""
    shape, steps = sizes_of((size,)), sizes_of((stride,))
    strides, start, length = _lies(x)
    begin = start if offset is None else int(offset)
    if len(shape) != len(steps):
        raise RuntimeError(f"{name}: size {list(shape)} and stride {list(steps)} must be of one length")
    if any(s < 0 for s in (*shape, *steps, begin)):
        raise RuntimeError(
            f"{name}: sizes, strides and the offset may not be negative, got {list(shape)}, {list(steps)}, {begin}"
        )
    last = begin + sum((n - 1) * s for n, s in zip(shape, steps, strict=True))
    if 0 not in shape and last >= length:
        raise RuntimeError(
            f"{name}: size {list(shape)} with stride {list(steps)} from {begin} on reaches element {last} of a memory "
            f"of {length}"
        )
    return shape, steps, begin, strides, start


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of the memory of ``input`` by steps in it, whatever the shape of ``input``.

    Args:
        input: any shape.
        size: the shape of the view.
        stride: how many elements lie between neighbours along each dimension; elements may overlap.
        storage_offset: the element of the memory to begin with; None begins where ``input`` does.

    Raises:
        RuntimeError: lengths that differ, negative numbers, or elements outside the memory.
    """
    check_tensor("as_strided", "input", input)
    follow(input)
    made = P.as_strided(input, *_steps("as_strided", input, size, stride, storage_offset))
    view = made._view
    if view is not None and input._view is not None and view[0]._device is not None:
        # Written as one step from the base: what lies outside `input` is a part of the view as well.
        base = view[0]
        whole = _steps("as_strided", base, made._array.shape, stride, _lies(made)[1])
        made._view = (base, (("as_strided", kind_of_steps(view[1])(whole)),), view[2])
    return made


# Writes through views, out of place


def _written(name: str, input: Tensor, src: Tensor, step: str, attributes: tuple[Any, ...]) -> Tensor:
    check_tensor(name, "src", src)
    place = getattr(P, step)(wrap(input._array, input._device), *attributes)
    if src._array.shape != place._array.shape:
        raise RuntimeError(f"{name}: src must have the shape {list(place.shape)} of the place, got {list(src.shape)}")
    value = src if src._array.dtype == input._array.dtype else P.cast(src, input._array.dtype)
    return P.view_scatter(input, value, ((step, attributes),))


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of ``input`` with ``src`` in place of ``input.select(dim, index)``."""
    at = dim_of("select_scatter", dim, input.ndim)
    size = input._array.shape[at] if input.ndim else 0
    if not -size <= index < size:
        raise IndexError(f"select_scatter: index {index} is out of range for dim {at} of size {size}")
    made = _written("select_scatter", input, src, "slice", ((*(ALL,) * at, int(index)),))
    return named(made, "SelectScatterBackward0")


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy of ``input`` with ``src`` in place of ``input[start:end:step]``, taken along ``dim``."""
    at = dim_of("slice_scatter", dim, input.ndim)
    if step <= 0:
        raise RuntimeError(f"slice_scatter: the step must be positive, got {step}")
    made = _written("slice_scatter", input, src, "slice", ((*(ALL,) * at, builtins.slice(start, end, step)),))
    return named(made, "SliceScatterBackward0")


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of ``input`` with ``src`` in place of ``input.diagonal(offset, dim1, dim2)``."""
    a, b = (dim_of("diagonal_scatter", d, input.ndim) for d in (dim1, dim2))
    return named(_written("diagonal_scatter", input, src, "diagonal", (offset, a, b)), "DiagonalScatterBackward0")


def as_strided_scatter(input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A copy of ``input`` with ``src`` in place of ``input.as_strided(size, stride, storage_offset)``."""
    steps = _steps("as_strided_scatter", input, size, stride, storage_offset)
    return named(_written("as_strided_scatter", input, src, "as_strided", steps), "AsStridedScatterBackward0")


# In place: the same memory, seen otherwise


def transpose_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """``transpose`` in place."""
    return turn("transpose_", self, lambda x: transpose(x, dim0, dim1))


def t_(self: Tensor) -> Tensor:
    """``t`` in place."""
    return turn("t_", self, t)


def squeeze_(self: Tensor, dim: Any = None) -> Tensor:
    """``squeeze`` in place."""
    return turn("squeeze_", self, lambda x: squeeze(x, dim))


def unsqueeze_(self: Tensor, dim: int) -> Tensor:
    """``unsqueeze`` in place."""
    return turn("unsqueeze_", self, lambda x: unsqueeze(x, dim))


def as_strided_(self: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """``as_strided`` in place."""
    return turn("as_strided_", self, lambda x: as_strided(x, size, stride, storage_offset))


def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Take another shape, with the elements in the order in which they lie in memory.

    Where the memory is long enough it stays the same, and so do the views of it. Where it is not, the tensor gets
    memory of its own that begins with what the old one held from here on; the rest is 0 (in PyTorch: unset).

    Raises:
        RuntimeError: the tensor requires grad, or a negative size.
    """
    shape = sizes_of(sizes)
    if self._current() is not None:
        raise RuntimeError("resize_: a tensor that requires grad cannot be resized; use reshape()")
    if any(n < 0 for n in shape):
        raise RuntimeError(f"resize_: sizes may not be negative, got {list(shape)}")
    steps: list[int] = []
    count = 1
    for n in reversed(shape):
        steps.insert(0, count)
        count *= max(n, 1)
    _, start, length = _lies(self)
    if 0 in shape or start + count <= length:
        return turn("resize_", self, lambda x: as_strided(x, shape, tuple(steps)))
    backend = self._device.backend
    made = backend.pad(backend.as_strided(self._array, (length - start,), (1,), start, *_lies(self)[:2]),
                       ((0, start + count - length),), 0)  # fmt: skip
    self._array, self._view = made.reshape(shape), None
    self._cell[0] += 1
    return self


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """``resize_`` to the shape of another tensor."""
    return resize_(self, *the_template._array.shape)


METHODS = {
    "unfold": unfold, "transpose_": transpose_, "swapaxes_": transpose_, "swapdims_": transpose_, "t_": t_,
    "squeeze_": squeeze_, "unsqueeze_": unsqueeze_, "as_strided_": as_strided_, "resize_": resize_,
    "resize_as_": resize_as_,
}  # fmt: skip
