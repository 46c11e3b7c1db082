"""Convolutions of sequences and images on the Numba backend."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .array.convolve import ConvolveMixin
from .memory import ready as ready_memory
from .numba_elementwise import LARGE, Kernels
from .numba_kernels.threads import split

__all__ = ["NumbaConvolve"]

Ints = tuple[int, ...]
Pairs = tuple[Ints, ...]

empty, zeros = np.empty, np.zeros
kernels = Kernels("numba_kernels.convolve")
tiles = Kernels("numba_kernels.tiles")

HEAVY = 1 << 25  # products from which on several threads share the images
TOGETHER = 1 << 11  # places that the images laid out together have, about
CACHED = 1 << 17  # numbers that stay in the cache
SLACK = 256  # places that a tile may read or write beyond the last one


class Plan(NamedTuple):
    """How one convolution runs; ``numba_kernels.convolve`` says what the arrays hold."""

    spread: Any
    offsets: Any
    picked: Any  # the weight of each tap, in the first row
    step: int  # from there to the next row
    parts: Any
    apart: Ints  # places of the result that one part leaves between its own
    rows: int  # of a group, filled up to whole tiles
    shape: Ints  # of the result
    lines: int  # numbers to lay out
    sums: int
    images: int
    grain: int  # images that are worth a thread


class NumbaConvolve(ConvolveMixin):
    """Convolutions over one and two dimensions by tiles; others as NumPy's."""

    def conv(self, x: Any, w: Any, b: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
        if not _fit(x, w):
            return super().conv(x, w, b, stride, padding, dilation, groups)
        plan = _forward(x.shape, w.shape, stride, padding, dilation, groups)
        return _run(plan, x, w, b, groups)

    def conv_back(self, g: Any, w: Any, size: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
        if not _fit(g, w):
            return super().conv_back(g, w, size, stride, padding, dilation, groups)
        return _run(_backward(g.shape, w.shape, size, stride, padding, dilation, groups), g, w, None, groups)

    def conv_weight(
        self, x: Any, g: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int
    ) -> Any:
        filters = g.shape[1]
        shape = (filters, x.shape[1] // groups, *kernel)
        if not _fit(x, g) or 0 in shape:
            return super().conv_weight(x, g, kernel, stride, padding, dilation, groups)
        plan = _forward(x.shape, shape, stride, padding, dilation, groups)
        images, given = _image(x), _image(g)
        rows, taps = filters // groups, len(plan.picked)
        filled = -(-taps // tiles.COLUMNS) * tiles.COLUMNS
        offsets = np.zeros(filled, np.int64)
        offsets[:taps] = plan.offsets
        pitch = int(plan.spread[0] * plan.spread[5] * plan.spread[6]) + SLACK
        laid = np.array([plan.spread[0], 1, 1, 0, 0, plan.spread[5], plan.spread[6], 1, 1, pitch], np.int64)
        sums: dict[int, Any] = {}

        def run(i: int, j: int) -> None:
            sums[i] = out = zeros((groups, plan.rows, filled), x.dtype)
            kernels.correlate(
                images, given, offsets, plan.spread, laid, groups, i, j, zeros(plan.lines, x.dtype),
                zeros(plan.rows * pitch, x.dtype), out,
            )  # fmt: skip

        split(run, plan.images, plan.grain)
        out = sum([sums[i] for i in sorted(sums)])[:, :rows, :taps].reshape(shape)
        if not np.isfinite(out).all():  # places between the images count here, times zero
            return super().conv_weight(x, g, kernel, stride, padding, dilation, groups)
        return out


def _fit(x: Any, w: Any) -> bool:
    return x.ndim < 5 and x.dtype.char in "fd" and w.dtype == x.dtype and x.size > 0 and w.size > 0


def _image(x: Any) -> Any:
    """Sequences as images of one row; contiguous."""
    x = x if x.flags.carray else np.array(x, order="C")
    return x if x.ndim == 4 else x.reshape(x.shape[0], x.shape[1], 1, x.shape[2])


def _run(plan: Plan, x: Any, w: Any, b: Any, groups: int) -> Any:
    out = empty(plan.shape, x.dtype)
    if not out.size:
        return out
    if x.size >= LARGE or out.size >= LARGE:
        ready_memory()
    images, target = _image(x), _image(out)
    rows, kind = target.shape[1] // groups, x.dtype
    packed = empty(plan.rows * len(plan.picked) * groups, kind)
    w = w if w.flags.carray else np.array(w, order="C")
    kernels.pack(w.reshape(-1), plan.picked, plan.step, groups, rows, packed)
    bias = zeros(plan.rows * groups, kind)
    if b is not None:
        bias.reshape(groups, plan.rows)[:, :rows] = b.reshape(groups, rows)

    def run(i: int, j: int) -> None:
        kernels.convolve(
            images, packed, bias, plan.offsets, plan.parts, plan.spread, *plan.apart, groups, i, j,
            zeros(plan.lines, kind), empty(plan.sums, kind), target,
        )  # fmt: skip

    split(run, plan.images, plan.grain)
    return out


# Plans


def _two(numbers: Any, filled: Any) -> Any:
    """Of one dimension, those of two."""
    return tuple(numbers) if len(numbers) == 2 else (filled, *numbers)


def _grid(heights: Any, widths: Any) -> Any:
    return [(a, b) for a in heights for b in widths]


@lru_cache(maxsize=256)
def _forward(shape: Ints, weight: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Plan:
    """The plan of the convolution of ``shape`` with ``weight``."""
    stride, padding, dilation = _two(stride, 1), _two(padding, (0, 0)), _two(dilation, 1)
    kernel, size = _two(weight[2:], 1), _two(shape[2:], 1)
    count = [(n + sum(p) - (k - 1) * d - 1) // s + 1 for n, p, k, d, s in zip(size, padding, kernel, dilation, stride)]
    # A tap reads at (place + e) * stride + r
    reach = [[divmod(i * d, s) for i in range(k)] for k, d, s in zip(kernel, dilation, stride)]
    rest = [max(r for _, r in line) + 1 for line in reach]
    lines = [max(e for e, _ in line) + q for line, q in zip(reach, count)]
    together = _together(shape[0], lines, weight[1] * prod(rest))
    plane = lines[0] * lines[1] * together
    pitch = plane * prod(rest)
    spread = [together, *stride, padding[0][0], padding[1][0], *lines, *rest, pitch]
    taps = [(a * rest[1] + b) * plane + e * lines[1] + f for (e, a), (f, b) in _grid(*reach)]
    offsets = [c * pitch + t for c in range(weight[1]) for t in taps]
    parts = [[0, len(offsets), 0, count[0], 0, count[1], 0, 0]]
    out = (shape[0], weight[0], *count[2 - len(shape[2:]) :])
    picked, rows = range(len(offsets)), weight[0] // groups
    return _plan(spread, offsets, picked, len(offsets), parts, (1, 1), rows, out, weight[1])


@lru_cache(maxsize=256)
def _backward(shape: Ints, weight: Ints, size: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Plan:
    """The plan of the transpose, from ``shape`` to images of ``size``: a part for each remainder by the stride."""
    stride, padding, dilation = _two(stride, 1), _two(padding, (0, 0)), _two(dilation, 1)
    kernel, sizes = _two(weight[2:], 1), _two(size, 1)
    filters = weight[0] // groups
    # Place i of the result is m * stride + r - padding, and takes place m - e of what is given from each tap (e, r)
    reach = [[divmod(i * d, s) for i in range(k)] for k, d, s in zip(kernel, dilation, stride)]
    above = [max(e for e, _ in line) for line in reach]
    ranges = [
        [(-((r - p[0]) // s), (n - 1 + p[0] - r) // s + 1) for r in range(s)] for n, p, s in zip(sizes, padding, stride)
    ]
    lines = [max(high for _, high in line) + e for line, e in zip(ranges, above)]
    together = _together(shape[0], lines, filters)
    pitch = lines[0] * lines[1] * together
    spread = [together, 1, 1, *above, *lines, 1, 1, pitch]
    offsets: list[int] = []
    picked: list[int] = []
    parts = []
    for a, b in _grid(range(stride[0]), range(stride[1])):
        taps = [
            (i * kernel[1] + j, (above[0] - e) * lines[1] + above[1] - f)
            for i, (e, r) in enumerate(reach[0]) if r == a for j, (f, s) in enumerate(reach[1]) if s == b
        ]  # fmt: skip
        parts.append([
            len(offsets), filters * len(taps), *ranges[0][a], *ranges[1][b], a - padding[0][0], b - padding[1][0],
        ])  # fmt: skip
        offsets += [o * pitch + at for o in range(filters) for _, at in taps]
        picked += [o * prod(weight[1:]) + k for o in range(filters) for k, _ in taps]
    out = (shape[0], weight[1] * groups, *size)
    return _plan(spread, offsets, picked, prod(kernel), parts, stride, weight[1], out, filters)


def _together(images: int, lines: Any, channels: int) -> int:
    """How many images are laid out together: more than one where they are small."""
    plane = max(prod(lines), 1)
    return max(min(images, TOGETHER // plane, CACHED // (plane * channels)), 1)


def _plan(
    spread: Any, offsets: Any, picked: Any, step: int, parts: Any, apart: Ints, rows: int, shape: Ints, channels: int
) -> Plan:
    spread, filled = np.array(spread, np.int64), -(-rows // tiles.ROWS) * tiles.ROWS
    together, plane = int(spread[0]), int(spread[5] * spread[6])
    work = filled * len(offsets) * max(plane, 1)
    grain = -(-max(HEAVY // (4 * max(work, 1)), 1) // together) * together
    return Plan(
        spread, np.array(offsets, np.int64), np.array(picked, np.int64), step, np.array(parts, np.int64), apart,
        filled, shape, channels * int(spread[9]) + SLACK, filled * (together * plane + SLACK), shape[0], grain,
    )  # fmt: skip
