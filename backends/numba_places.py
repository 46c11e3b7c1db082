"""Indexing on the Numba backend: NumPy reads by many indices at once slowly, and adds at them more slowly still."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .array.loss import LossMixin
from .array.shape import ShapeMixin
from .memory import ready as ready_memory
from .numba_elementwise import LARGE, Kernels, ready

__all__ = ["NumbaPlaces", "scattered"]

Shape = tuple[int, ...]

places = Kernels("numba_kernels.places")
INT64 = np.dtype(np.int64)
FEW = 256  # places of which NumPy has read as many when the kernel would begin


class NumbaPlaces(ShapeMixin, LossMixin):
    """Primitives of indices that are int64, on contiguous float32 and float64 arrays."""

    def out_of_range(self, target: Any, classes: int, ignore: int) -> Any:
        if target.dtype != INT64 or not target.flags.carray:
            return super().out_of_range(target, classes, ignore)
        return np.bool_(places.outside(target.reshape(-1), classes, ignore))

    def gather(self, x: Any, index: Any, dim: int) -> Any:
        if not _alike(x, index, dim) or not ready(x):
            return super().gather(x, index, dim)
        _remember(index)
        out = np.empty(index.shape, x.dtype)
        _checked(_run("gather", dim, x, index, out), "gather", index, x.shape[dim])
        return out

    def ungather(self, g: Any, index: Any, shape: Shape, dim: int) -> Any:
        if not (g.flags.carray and g.dtype.char in "fd") or not _fits(shape, index, dim):
            return super().ungather(g, index, shape, dim)
        _remember(g)
        out = np.zeros(shape, g.dtype)
        _checked(_run("add", dim, out, index, g), "gather", index, shape[dim])
        return out

    def scatter(self, x: Any, index: Any, value: Any, dim: int) -> Any:
        out = self._along("put", "scatter", x, index, value, dim)
        return super().scatter(x, index, value, dim) if out is None else out

    def scatter_add(self, x: Any, index: Any, value: Any, dim: int) -> Any:
        out = self._along("add", "scatter_add", x, index, value, dim)
        return super().scatter_add(x, index, value, dim) if out is None else out

    def _along(self, kernel: str, name: str, x: Any, index: Any, value: Any, dim: int) -> Any:
        """A copy of ``x`` with ``value`` at its places; None if the kernels cannot serve these arrays."""
        if not _alike(x, index, dim) or x.dtype.char not in "fd" or value.dtype != x.dtype:
            return None
        _remember(x)
        value = value[tuple([slice(n) for n in index.shape])]
        out, value = np.array(x, order="C"), np.ascontiguousarray(value)
        if not value.flags.writeable:
            value = value.copy()
        _checked(_run(kernel, dim, out, index, value), name, index, x.shape[dim])
        return out

    def index(self, x: Any, where: list[Any], places_: tuple[Any, ...]) -> Any:
        few = not where or where[0].size <= FEW
        plan = None if few or not ready(x) else _plan(where, places_, x.shape)
        if plan is None:
            return super().index(x, where, places_)
        _remember(x)
        rows, shape, lines = plan
        out = np.empty(shape, x.dtype)
        fit = places.take_rows(x.reshape(lines), rows, _third(out, lines, rows))
        return out if fit else super().index(x, where, places_)  # which tells what is out of range

    def unindex(self, g: Any, where: list[Any], places_: tuple[Any, ...], shape: Shape) -> Any:
        plan = _plan(where, places_, shape) if g.flags.carray and g.dtype.char in "fd" else None
        if plan is None:
            return super().unindex(g, where, places_, shape)
        return _added(g, plan[0], shape, plan[2])

    def take(self, x: Any, rows: Any) -> Any:
        return self.index(x, [rows], ((0,),))

    def untake(self, g: Any, rows: Any, count: int) -> Any:
        return self.unindex(g, [rows], ((0,),), (count, *g.shape[rows.ndim :]))


def scattered(target: Any, dim: int, index: Any, value: Any) -> bool:
    """Write at places along ``dim`` in the memory of ``target``; False, and nothing written, where that cannot be."""
    if not _fits(target.shape, index, dim) or not (target.flags.carray and index.flags.carray):
        return False
    if places.outside(index.reshape(-1), target.shape[dim], 0):
        return False
    if not isinstance(value, np.ndarray):
        value = np.full(index.shape, value, target.dtype)
    _run("put", dim, target, index, value)
    return True


def _remember(x: Any) -> None:
    if x.size >= LARGE:
        ready_memory()


def _alike(x: Any, index: Any, dim: int) -> bool:
    return _fits(x.shape, index, dim)


def _fits(shape: Shape, index: Any, dim: int) -> bool:
    """Whether an index reads whole lines of ``shape`` along ``dim``."""
    given = index.shape
    if index.dtype != INT64 or 0 in given or len(given) != len(shape) or 0 in shape:
        return False
    return given == shape or bool(given[:dim] == shape[:dim] and given[dim + 1 :] == shape[dim + 1 :])


KERNELS = {"gather": ("gather", "gather_last"), "add": ("add_along", "add_last"), "put": ("put_along", "put_last")}


def _run(name: str, dim: int, *arrays: Any) -> Any:
    """Whether every index was within bounds for the kernel ``name`` on lines along ``dim``."""
    if dim == arrays[0].ndim - 1:
        return getattr(places, KERNELS[name][1])(*[_matrix(a) for a in arrays])
    return getattr(places, KERNELS[name][0])(*[_lines(a, dim) for a in arrays])


def _matrix(x: Any) -> Any:
    """``x`` with all dimensions but the last as one."""
    if not x.flags.carray:  # an index that is expanded
        x = np.array(x, order="C")
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _lines(x: Any, dim: int) -> Any:
    """``x`` with all dimensions before ``dim`` as one, and all behind."""
    if not x.flags.carray:
        x = np.array(x, order="C")
    return x.reshape(prod(x.shape[:dim]), x.shape[dim], prod(x.shape[dim + 1 :]))


def _checked(fit: bool, name: str, index: Any, size: int) -> None:
    if not fit:
        wrong = index[(index < -size) | (index >= size)].flat[0]
        raise IndexError(f"{name}: index {wrong} is out of bounds for {size} places")


def _plan(where: list[Any], places_: tuple[Any, ...], shape: Shape) -> tuple[Any, Shape, Shape] | None:
    """How to read ``shape`` at indices in dimensions that lie together, with all of the others.

    Returns:
        The number of each place among those dimensions, the shape of what is read, and ``shape`` in three dimensions:
        those before, those that are indexed, those behind. None where the kernels cannot serve the index.
    """
    first = 0
    while first < len(places_) and type(places_[first]) is slice and places_[first] == slice(None):
        first += 1
    last = first + len(where)
    if not where or places_[first:last] != tuple([(k,) for k in range(len(where))]) or 0 in shape:
        return None
    if [p for p in places_[last:] if type(p) is not slice or p != slice(None)]:
        return None
    for i in where:
        if i.dtype != INT64 or not i.size:
            return None
    line = where[0] if len(where) == 1 else _numbered(where, shape[first:last])
    if line is None:
        return None
    made = (*shape[:first], *line.shape, *shape[last:])
    lines = prod(shape[:first]), prod(shape[first:last]), prod(shape[last:])
    return (line if line.ndim == 1 and line.flags.carray else np.array(line, order="C").reshape(-1)), made, lines


def _numbered(where: list[Any], shape: Shape) -> Any:
    """The number, among the elements of ``shape``, of each place that the indices name; None where they do not fit."""
    line: Any = None
    for i, n in zip(where, shape, strict=True):
        low, high = int(i.min()), int(i.max())
        if low < -n or high >= n:
            return None
        at = i if low >= 0 else np.where(i < 0, i + n, i)
        try:
            line = at if line is None else line * n + at
        except ValueError:
            return None
    return line


def _third(x: Any, lines: Shape, rows: Any) -> Any:
    return x.reshape(lines[0], rows.size, lines[2])


def _added(g: Any, rows: Any, shape: Shape, lines: Shape) -> Any:
    """Zeros of ``shape`` with ``g`` added."""
    _remember(g)
    out = np.zeros(shape, g.dtype)
    _checked(places.add_rows(out.reshape(lines), rows, _third(g, lines, rows)), "index", rows, lines[1])
    return out
