"""Shapes and indices: views, joins, gathers and scatters."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ShapeMixin"]

Shape = tuple[int, ...]


class ShapeMixin:
    """Shape and index primitives over ``self.xp``."""

    xp: Any
    shares: Any  # of ArrayBase

    def reshape(self, x: Any, shape: Shape) -> Any:
        return x.reshape(shape)

    def permute(self, x: Any, order: Shape) -> Any:
        return x.transpose(order)

    def expand(self, x: Any, shape: Shape) -> Any:
        view = self.xp.broadcast_to(x, shape)
        if getattr(x.flags, "writeable", False):  # NumPy's is read-only, also where nothing is repeated
            view.flags.writeable = True
        return view

    def slice(self, x: Any, index: tuple[Any, ...]) -> Any:
        """Basic indexing: integers, slices, None. The trailing ellipsis keeps a full index a 0-d view."""
        return x[(*index, ...)]

    def unslice(self, g: Any, shape: Shape, index: tuple[Any, ...]) -> Any:
        """Zeros of ``shape`` with ``g`` at ``index``: the transpose of ``slice``."""
        out = self.xp.zeros(shape, g.dtype)
        out[(*index, ...)] = g
        return out

    def view_as_real(self, x: Any) -> Any:
        """Complex numbers as pairs of real ones along a new last axis, over the same memory."""
        if x.dtype.kind != "c":  # behind the last number there is nothing
            raise TypeError(f"view_as_real is not defined for {x.dtype}")
        part = self.xp.asarray(x).real
        return self.xp.lib.stride_tricks.as_strided(part, (*x.shape, 2), (*x.strides, part.itemsize))

    def view_as_complex(self, x: Any) -> Any:
        """Pairs along the last axis as complex numbers, over the same memory where the pairs lie together."""
        if x.strides[-1] != x.itemsize:
            x = self.xp.ascontiguousarray(x)
        return x.view(np.result_type(x.dtype, np.complex64))[..., 0]

    def diagonal(self, x: Any, offset: int, dim1: int, dim2: int) -> Any:
        view = x.diagonal(offset, dim1, dim2)
        if getattr(x.flags, "writeable", False):  # NumPy's is read-only
            view.flags.writeable = True
        return view

    def undiagonal(self, g: Any, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
        """Zeros of ``shape`` with ``g`` on a diagonal: the transpose of ``diagonal``."""
        out = self.xp.zeros(shape, g.dtype)
        self.diagonal(out, offset, dim1, dim2)[...] = g
        return out

    def zero_view(self, g: Any, steps: tuple[tuple[str, tuple[Any, ...]], ...]) -> Any:
        """A copy of ``g`` with zeros where the view that ``steps`` take would look."""
        out = self.xp.array(g, order="C")  # a 0-d cotangent may be a scalar, whose copy is none to write to
        self._write(out, 0, steps)
        return out

    def view_scatter(self, base: Any, value: Any, steps: tuple[tuple[str, tuple[Any, ...]], ...]) -> Any:
        """A copy of ``base`` with ``value`` where the view that ``steps`` take looks."""
        out = self.xp.array(base, order="C")
        self._write(out, value, steps)
        return out

    def _write(self, out: Any, value: Any, steps: tuple[tuple[str, tuple[Any, ...]], ...]) -> None:
        """Write ``value`` into the row-by-row array ``out``, where the view that ``steps`` take looks."""
        view = self._walk(out, steps)
        if self.shares(view, out):
            view[...] = value
        else:  # the steps were views of an array laid out otherwise; of this one, some step is a copy
            out.reshape(-1)[self._walk(self.xp.arange(out.size).reshape(out.shape), steps)] = value

    def _walk(self, x: Any, steps: tuple[tuple[str, tuple[Any, ...]], ...]) -> Any:
        for name, attributes in steps:
            x = getattr(self, name)(x, *attributes)
        return x

    def assign(self, target: Any, value: Any) -> None:
        """Write ``value`` into the memory of ``target``."""
        target[...] = value

    def cat(self, arrays: list[Any], dim: int) -> Any:
        return self.xp.concatenate(arrays, dim)

    def stack(self, arrays: list[Any], dim: int) -> Any:
        return self.xp.stack(arrays, dim)

    def flip(self, x: Any, dims: tuple[int, ...]) -> Any:
        return self.xp.flip(x, dims).copy()

    def roll(self, x: Any, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
        return self.xp.roll(x, shifts, dims)

    def tril(self, x: Any, diagonal: int) -> Any:
        return self.xp.tril(x, diagonal)

    def triu(self, x: Any, diagonal: int) -> Any:
        return self.xp.triu(x, diagonal)

    def pad(self, x: Any, widths: tuple[tuple[int, int], ...], value: float) -> Any:
        """Constant padding by ``(before, after)`` elements of each axis."""
        shape = tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))
        out = self.xp.full(shape, value, x.dtype)
        out[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True))] = x
        return out

    def index(self, x: Any, where: list[Any], places: tuple[Any, ...]) -> Any:
        """Advanced indexing: ``places`` is the index with each array replaced by its number in ``where``."""
        return x[_fill(places, where)]

    def unindex(self, g: Any, where: list[Any], places: tuple[Any, ...], shape: Shape) -> Any:
        """Zeros of ``shape`` with ``g`` added at the index: the transpose of ``index``."""
        out = self.xp.zeros(shape, g.dtype)
        self._add_at(out, _fill(places, where), g)
        return out

    def index_put(self, x: Any, value: Any, where: list[Any], places: tuple[Any, ...], accumulate: bool) -> Any:
        """A copy of ``x`` with ``value`` written (or added) at the index."""
        out = self.xp.array(x)
        if accumulate:
            self._add_at(out, _fill(places, where), value)
        else:
            out[_fill(places, where)] = value
        return out

    def _add_at(self, target: Any, index: Any, value: Any) -> None:
        self.xp.add.at(target, index, value)

    def gather(self, x: Any, index: Any, dim: int) -> Any:
        """``out[i][j] = x[i][index[i][j]]`` for dim 1; ``index`` may be smaller than ``x`` off ``dim``."""
        return x[_along(self.xp, index, dim)]

    def scatter_add(self, x: Any, index: Any, value: Any, dim: int) -> Any:
        """A copy of ``x`` with ``value`` added at the places that ``gather`` would read."""
        out = self.xp.array(x)
        self._add_at(out, _along(self.xp, index, dim), value[tuple(slice(n) for n in index.shape)])
        return out

    def scatter(self, x: Any, index: Any, value: Any, dim: int) -> Any:
        """A copy of ``x`` with ``value`` written at the places that ``gather`` would read."""
        out = self.xp.array(x)
        out[_along(self.xp, index, dim)] = value[tuple(slice(n) for n in index.shape)]
        return out

    def ungather(self, g: Any, index: Any, shape: Shape, dim: int) -> Any:
        """Zeros of ``shape`` with ``g`` added at the places that ``gather`` read: its transpose."""
        out = self.xp.zeros(shape, g.dtype)
        self._add_at(out, _along(self.xp, index, dim), g)
        return out

    def take(self, x: Any, rows: Any) -> Any:
        """Rows of ``x`` by number: an embedding look-up."""
        return x[rows]

    def untake(self, g: Any, rows: Any, count: int) -> Any:
        """``count`` rows of zeros with the rows of ``g`` added at ``rows``: the transpose of ``take``."""
        out = self.xp.zeros((count, *g.shape[rows.ndim :]), g.dtype)
        self._add_at(out, rows, g)
        return out

    def nonzero(self, x: Any) -> Any:
        """The places of what is not zero; those along one axis lie side by side in memory."""
        return self.xp.stack(self.xp.nonzero(x)).T if x.ndim else self.xp.zeros((int(bool(x)), 0), np.int64)


def _fill(places: tuple[Any, ...], where: list[Any]) -> tuple[Any, ...]:
    """The index that ``places`` describes, with its arrays put in: an ``int`` in a 1-tuple names one."""
    return tuple([where[p[0]] if type(p) is tuple else p for p in places])


def _along(xp: Any, index: Any, dim: int) -> tuple[Any, ...]:
    """The full advanced index that reads along ``dim`` by ``index`` and straight along the other axes."""
    grid, last = [], index.ndim - 1
    for axis, size in enumerate(index.shape):
        if axis == dim:
            grid.append(index)
        else:
            line = xp.arange(size)
            grid.append(line if axis == last else line.reshape((size,) + (1,) * (last - axis)))
    return tuple(grid)
