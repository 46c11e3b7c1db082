"""Images looked at through a grid of places.

The formulas are written against a namespace ``F`` of primitives, as rules are: a backend computes with them, and a
backward that is itself recorded puts them onto the tape.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .narrow import in_float32

__all__ = ["GridMixin", "grid_slopes"]

# Of one dimension: where to look, how much that counts (None: fully), and the slope of that
Tap = tuple[Any, Any, Any]


class GridMixin:
    """Sampling by a grid over ``self.xp``."""

    @in_float32
    def grid_sample(self, x: Any, grid: Any, mode: str, padding: str, corners: bool) -> Any:
        """x (N, C, *size) where grid (N, *count, dimensions) says, from -1 to 1, the last dimension first."""
        total: Any = None
        flat, axes = _flat(self, x), _axes(self, grid, x.shape[2:], mode, padding, corners)
        for corner in product(*axes):
            part = _looked_up(self, flat, _index(self, corner, x.shape[2:]))
            weight = _product(self, [w for _, w, _ in corner])
            part = part if weight is None else part * weight[:, None]
            total = part if total is None else total + part
        return total.reshape(*x.shape[:2], *grid.shape[1:-1])


def grid_slopes(
    F: Any, g: Any, x: Any, grid: Any, mode: str, padding: str, corners: bool, need: tuple[bool, ...]
) -> tuple[Any, Any]:
    """The cotangents of x and grid."""
    batch, channels, *size = x.shape
    count, n = prod(grid.shape[1:-1]), len(size)
    rows = F.reshape(g, (batch, channels, count))
    axes = _axes(F, grid, size, mode, padding, corners)
    flat = _flat(F, x) if need[1] else None
    of_image = None
    of_grid: list[Any] = [None] * n
    for corner in product(*axes):
        index = _index(F, corner, size)
        weights = [w for _, w, _ in corner]
        if need[0]:
            weight = _product(F, weights)
            part = rows if weight is None else F.mul(rows, F.reshape(weight, (batch, 1, count)))
            whole = F.reshape(index, (batch, 1, count))
            part = F.ungather(part, F.expand(whole, (batch, channels, count)), (batch, channels, prod(size) + 1), 2)
            of_image = part if of_image is None else F.add(of_image, part)
        if need[1] and mode != "nearest":
            along = F.sum(F.mul(rows, _looked_up(F, flat, index)), (1,), False)
            for i in range(n):
                slope = _product(F, [*weights[:i], corner[i][2], *weights[i + 1 :]])
                part = F.mul(along, slope)
                of_grid[i] = part if of_grid[i] is None else F.add(of_grid[i], part)
    if need[0]:
        of_image = F.slice(of_image, (slice(None), slice(None), slice(0, prod(size))))
        of_image = F.reshape(of_image, tuple(x.shape))
    if not need[1]:
        return of_image, None
    if mode == "nearest":
        return of_image, F.zeros_like(grid)
    shape = tuple(grid.shape[:-1])
    return of_image, F.stack([F.reshape(s, shape) for s in reversed(of_grid)], n + 1)


def _flat(F: Any, x: Any) -> Any:
    """(N, C, places), and behind them a 0 for what lies outside."""
    flat = F.reshape(x, (x.shape[0], x.shape[1], prod(x.shape[2:])))
    return F.pad(flat, ((0, 0), (0, 0), (0, 1)), 0.0)


def _looked_up(F: Any, flat: Any, index: Any) -> Any:
    batch, channels, _ = flat.shape
    count = index.shape[1]
    return F.gather(flat, F.expand(F.reshape(index, (batch, 1, count)), (batch, channels, count)), 2)


def _product(F: Any, factors: Sequence[Any]) -> Any:
    """The product of those that are not None; None if there are none."""
    made = None
    for f in factors:
        if f is not None:
            made = f if made is None else F.mul(made, f)
    return made


def _index(F: Any, corner: Sequence[Tap], size: Sequence[int]) -> Any:
    """The numbers of the places at whole coordinates (N, L) per dimension; outside the last one."""
    inside = index = None
    for (x, _, _), n in zip(corner, size, strict=True):
        here = F.logical_and(F.ge(x, 0), F.le(x, n - 1))
        whole = F.cast(F.where(here, x, F.zeros_like(x)), np.dtype(np.int64))
        inside = here if inside is None else F.logical_and(inside, here)
        index = whole if index is None else F.add(F.mul(index, n), whole)
    beyond = F.add(F.mul(index, 0), prod(size))
    return F.where(inside, index, beyond)


def _axes(F: Any, grid: Any, size: Sequence[int], mode: str, padding: str, corners: bool) -> list[list[Tap]]:
    n, shape = len(size), (grid.shape[0], prod(grid.shape[1:-1]))
    axes = []
    for i, have in enumerate(size):
        x = F.reshape(F.slice(grid, (*(slice(None),) * (n + 1), n - 1 - i)), shape)
        x = F.add(x, 1.0)
        x = F.mul(x, (have - 1) / 2) if corners else F.div(F.sub(F.mul(x, float(have)), 1.0), 2.0)
        axes.append(_axis(F, x, (have - 1) / 2 if corners else have / 2, have, mode, padding, corners))
    return axes


def _axis(F: Any, x: Any, scale: float, size: int, mode: str, padding: str, corners: bool) -> list[Tap]:
    if mode == "nearest":
        return [(F.round(_placed(F, x, size, padding, corners)[0]), None, None)]
    if mode == "bilinear":
        x, slope = _placed(F, x, size, padding, corners)
        slope = F.mul(slope, scale)
        low = F.floor(x)
        part = F.sub(x, low)
        return [(low, F.sub(1.0, part), F.neg(slope)), (F.add(low, 1.0), part, slope)]
    low = F.floor(x)
    part = F.sub(x, low)
    places = [_placed(F, F.add(low, k - 1.0), size, padding, corners)[0] for k in range(4)]
    slopes = [F.mul(s, scale) for s in _cubic_slopes(F, part)]
    return list(zip(places, _cubic(F, part), slopes, strict=True))


def _placed(F: Any, x: Any, size: int, padding: str, corners: bool) -> tuple[Any, Any]:
    """Where to look instead where that lies outside, and the slope of that."""
    one = F.add(F.zeros_like(x), 1.0)
    if padding == "zeros":
        return x, one
    slope = one
    if padding == "reflection":
        x, slope = _reflected(F, x, size, corners)
    high = float(size - 1)
    inside = F.logical_and(F.gt(x, 0), F.lt(x, high))
    top = F.mul(one, high)
    clipped = F.where(F.gt(x, 0), F.where(F.lt(x, high), x, top), F.zeros_like(x))
    return clipped, F.where(inside, slope, F.zeros_like(x))


def _reflected(F: Any, x: Any, size: int, corners: bool) -> tuple[Any, Any]:
    """``x`` mirrored at the edges: at the middle of the outer places, or at their outer ends."""
    low, span = (0.0, float(size - 1)) if corners else (-0.5, float(size))
    if span <= 0:
        return F.mul(x, 0.0), F.zeros_like(x)
    way = F.sub(x, low)
    far = F.abs(way)
    turns = F.floor(F.div(far, span))
    rest = F.sub(far, F.mul(turns, span))
    odd = F.ne(F.sub(turns, F.mul(F.floor(F.div(turns, 2.0)), 2.0)), 0)
    sign = F.sign(way)
    return F.add(F.where(odd, F.sub(span, rest), rest), low), F.where(odd, F.neg(sign), sign)


# Cubic convolution with a = -0.75 (Keys, 1981): of the two nearest places and of the next ones, by powers of how far
# they are
_A = -0.75
_INNER = (1.0, 0.0, -_A - 3, _A + 2)
_OUTER = (-4 * _A, 8 * _A, -5 * _A, _A)


def _cubic(F: Any, t: Any) -> list[Any]:
    """The weights of the four nearest places, ``t`` behind the second."""
    far = (F.add(t, 1.0), t, F.sub(1.0, t), F.sub(2.0, t))
    return [_polynomial(F, d, c) for d, c in zip(far, (_OUTER, _INNER, _INNER, _OUTER), strict=True)]


def _cubic_slopes(F: Any, t: Any) -> list[Any]:
    """How these weights change with ``t``."""
    far = (F.add(t, 1.0), t, F.sub(1.0, t), F.sub(2.0, t))
    found = []
    for d, c, sign in zip(far, (_OUTER, _INNER, _INNER, _OUTER), (1.0, 1.0, -1.0, -1.0), strict=True):
        found.append(_polynomial(F, d, [sign * k * v for k, v in enumerate(c)][1:]))
    return found


def _polynomial(F: Any, x: Any, coefficients: Sequence[float]) -> Any:
    total = F.add(F.mul(x, coefficients[-1]), coefficients[-2])
    for c in reversed(coefficients[:-2]):
        total = F.add(F.mul(total, x), c)
    return total
