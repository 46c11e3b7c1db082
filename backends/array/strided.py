"""Views by stride, with their transposes; combining by largest and smallest; looking up in sorted rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .shape import _along

__all__ = ["StridedMixin"]

Shape = tuple[int, ...]


class StridedMixin:
    """Primitives that see memory as one line, and others that order values, over ``self.xp``."""

    xp: Any
    _add_at: Any  # of ShapeMixin

    # Windows along an axis

    def windows(self, x: Any, dim: int, size: int, step: int) -> Any:
        """A view of every window of ``size`` places along ``dim``, ``step`` apart, as a new last axis."""
        if not x.ndim:
            return x.reshape(1)[:size]
        count = (x.shape[dim] - size) // step + 1
        shape = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
        pace = x.strides[dim]
        strides = (*x.strides[:dim], pace * step, *x.strides[dim + 1 :], pace)
        return self.xp.lib.stride_tricks.as_strided(x, shape, strides)

    def unwindows(self, g: Any, shape: Shape, dim: int, size: int, step: int) -> Any:
        """Zeros of ``shape`` with every window of ``g`` added in its place: the transpose of ``windows``."""
        if not shape:
            return self.xp.array(g[0]) if size else self.xp.zeros((), g.dtype)
        out = self.xp.zeros(shape, g.dtype)
        last = g.shape[dim] * step - step + 1
        for k in range(size):  # windows overlap, but their k-th places do not
            out[(slice(None),) * dim + (slice(k, k + last, step),)] += g[..., k]
        return out

    # The memory as one line. ``strides`` and ``start`` count elements, and say where the elements of ``x`` lie

    def storage(self, x: Any) -> tuple[int, int]:
        """Where in its memory ``x`` begins and how long that memory is, in elements of ``x``."""
        owner = _owner(x)
        low, high = np.lib.array_utils.byte_bounds(owner)
        return (x.__array_interface__["data"][0] - low) // x.itemsize, (high - low) // x.itemsize

    def _window(self, x: Any, size: Shape, stride: Shape, offset: int) -> Any:
        """A view of the memory of ``x``, ``offset`` elements from where that memory begins."""
        owner = _owner(x)
        line = owner.transpose(sorted(range(owner.ndim), key=lambda i: -owner.strides[i])).reshape(-1).view(np.uint8)
        return np.ndarray(size, x.dtype, line, offset * x.itemsize, tuple(s * x.itemsize for s in stride))

    def as_strided(self, x: Any, size: Shape, stride: Shape, offset: int, strides: Shape, start: int) -> Any:
        """A view of the memory of ``x`` by steps in it; of an ``x`` that lies otherwise than said, see ``restride``."""
        begins, length = self.storage(x)
        have = tuple(s // x.itemsize for s in x.strides)
        if begins == start and have == strides and _reach(size, stride, offset) <= length:
            return self._window(x, size, stride, offset)
        return self.restride(x, size, stride, offset, strides, start)

    def restride(self, x: Any, size: Shape, stride: Shape, offset: int, strides: Shape, start: int) -> Any:
        """What ``as_strided`` reads where memory holds ``x`` and zeros; the transpose of ``unstrided``."""
        line = self.xp.zeros(max(_reach(size, stride, offset), _reach(x.shape, strides, start), 1), x.dtype)
        places = self._places(x.shape, strides, start)
        if x.dtype.kind in "fcV" and overlaps(x.shape, strides):
            self._add_at(line, places, x / self._sharing(line.size, places, x.dtype))
        else:
            line[places] = x
        return line[self._places(size, stride, offset)]

    def unstrided(
        self, g: Any, shape: Shape, size: Shape, stride: Shape, offset: int, strides: Shape, start: int
    ) -> Any:
        """``g`` added up where ``as_strided`` read it, seen as ``x`` was; elements in one place share evenly."""
        line = self.xp.zeros(max(_reach(size, stride, offset), _reach(shape, strides, start), 1), g.dtype)
        self._add_at(line, self._places(size, stride, offset), g)
        places = self._places(shape, strides, start)
        out = line[places]
        return out / self._sharing(line.size, places, g.dtype) if overlaps(shape, strides) else out

    def _sharing(self, length: int, places: Any, dtype: Any) -> Any:
        """How many elements lie at the place of each."""
        count = self.xp.zeros(length, dtype)
        self._add_at(count, places, self.xp.full(places.shape, 1, dtype))
        return count[places]

    def _places(self, shape: Shape, strides: Shape, start: int) -> Any:
        """The place in memory of each element."""
        places = self.xp.full((1,) * len(shape), start, np.int64)
        for axis, (n, s) in enumerate(zip(shape, strides, strict=True)):
            places = places + (self.xp.arange(n) * s).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        return places

    # Order

    def scatter_amax(self, x: Any, index: Any, value: Any, dim: int) -> Any:
        """The larger of ``x`` and all that ``value`` has for its place, which ``gather`` would read by ``index``."""
        return self._extreme(self.xp.maximum, x, index, value, dim)

    def scatter_amin(self, x: Any, index: Any, value: Any, dim: int) -> Any:
        """The smaller of ``x`` and all that ``value`` has for its place, which ``gather`` would read by ``index``."""
        return self._extreme(self.xp.minimum, x, index, value, dim)

    def _extreme(self, ufunc: Any, x: Any, index: Any, value: Any, dim: int) -> Any:
        out = self.xp.array(x)
        self._extreme_at(ufunc, out, _along(self.xp, index, dim), value)
        return out

    def _extreme_at(self, ufunc: Any, target: Any, index: Any, value: Any) -> None:
        ufunc.at(target, index, value)

    def searchsorted(self, line: Any, values: Any, right: bool) -> Any:
        """Before which place of the ascending ``line`` (or of its row of the same leading axes) each value belongs."""
        side = "right" if right else "left"
        if line.ndim == 1:
            found = self.xp.searchsorted(line, values.reshape(-1), side)
            return found.reshape(values.shape).astype(np.int64, copy=False)
        rows, wanted = line.reshape((-1, line.shape[-1])), values.reshape((-1, values.shape[-1]))
        found = [self.xp.searchsorted(rows[i], wanted[i], side) for i in range(rows.shape[0])]
        return self.xp.stack(found, 0).reshape(values.shape).astype(np.int64, copy=False)


def _owner(x: Any) -> Any:
    """The array that owns the memory of ``x``; a view by stride keeps it one object further."""
    while True:
        base = x.base if isinstance(x.base, np.ndarray) else getattr(x.base, "base", None)
        if not isinstance(base, np.ndarray):
            return x
        x = base


def _reach(shape: Shape, strides: Shape, start: int) -> int:
    """How long the memory must be; 0 where there are no elements."""
    if 0 in shape:
        return 0
    return start + 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))


def overlaps(shape: Shape, strides: Shape) -> bool:
    """Whether several elements may lie in one place."""
    if math.prod(shape) <= 1:
        return False
    reach = 0
    for s, n in sorted((s, n) for s, n in zip(strides, shape, strict=True) if n > 1):
        if s <= reach:
            return True
        reach += (n - 1) * s
    return False
