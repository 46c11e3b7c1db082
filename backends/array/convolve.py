"""Convolutions, their transposes and the cotangents of their filters, over any number of dimensions."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from .narrow import in_float32

__all__ = ["ConvolveMixin"]

Ints = tuple[int, ...]
Pairs = tuple[Ints, ...]  # of each dimension what is added before and after


class ConvolveMixin:
    """Three sums of the same products over ``self.xp``: of images, filters and what a convolution gives.

    ``y[n, o, q] = sum of x[n, c, q stride + k dilation - padding] w[o, c, k]`` over c and k.
    """

    xp: Any
    pad: Any  # of ShapeMixin

    @in_float32
    def conv(self, x: Any, w: Any, b: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
        """y, plus b (O,) or None; x is (N, C, ...), w (O, C / groups, ...)."""
        view = self._windows(self._padded(x, padding), w.shape[2:], stride, dilation)
        filters, rows = w.shape[0], prod(w.shape[1:])
        batch, count = x.shape[0], view.shape[-len(stride) :]
        columns = view.reshape(groups, rows, batch * prod(count))
        out = self.xp.matmul(w.reshape(groups, filters // groups, rows), columns).reshape(filters, batch, *count)
        if b is not None:
            out = out + b.reshape(filters, *(1,) * (out.ndim - 1))
        return self.xp.ascontiguousarray(out.swapaxes(0, 1))

    @in_float32
    def conv_back(self, g: Any, w: Any, size: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
        """What the sum over y g has for x, images of ``size``; g is (N, O, ...)."""
        filters, channels, *kernel = w.shape
        batch, count = g.shape[0], g.shape[2:]
        rows, columns = channels * prod(kernel), batch * prod(count)
        given = g.swapaxes(0, 1).reshape(groups, filters // groups, columns)
        spread = self.xp.matmul(w.reshape(groups, filters // groups, rows).swapaxes(1, 2), given)
        spread = spread.reshape(groups * channels, *kernel, batch, *count)
        whole = [n + p[0] + p[1] for n, p in zip(size, padding, strict=True)]
        out = self.xp.zeros((batch, groups * channels, *whole), g.dtype)
        target = out.swapaxes(0, 1)
        for place in product(*map(range, kernel)):
            cut = tuple([
                slice(k * d, k * d + (q - 1) * s + 1, s)
                for k, d, q, s in zip(place, dilation, count, stride, strict=True)
            ])  # fmt: skip
            target[(slice(None), slice(None), *cut)] += spread[(slice(None), *place)]
        inner = tuple([slice(p[0], p[0] + n) for p, n in zip(padding, size, strict=True)])
        return self.xp.ascontiguousarray(out[(slice(None), slice(None), *inner)])

    @in_float32
    def conv_weight(
        self, x: Any, g: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int
    ) -> Any:
        """What the sum over y g has for w."""
        view = self._windows(self._padded(x, padding), kernel, stride, dilation)
        filters, channels = g.shape[1], x.shape[1] // groups
        columns = g.shape[0] * prod(g.shape[2:])
        given = g.swapaxes(0, 1).reshape(groups, filters // groups, columns)
        view = view[(..., *[slice(0, n) for n in g.shape[2:]])]  # an image may have room for more windows
        rows = view.reshape(groups, channels * prod(kernel), columns)
        return self.xp.matmul(given, rows.swapaxes(1, 2)).reshape(filters, channels, *kernel)

    def _padded(self, x: Any, padding: Pairs) -> Any:
        return self.pad(x, ((0, 0), (0, 0), *padding), 0.0) if any([any(p) for p in padding]) else x

    def _windows(self, x: Any, kernel: Ints, stride: Ints, dilation: Ints) -> Any:
        """(N, C, *size) -> (C, *kernel, N, *count): a view of every window."""
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        count = [(n - span) // s + 1 for n, span, s in zip(x.shape[2:], spans, stride, strict=True)]
        batch, channel, *steps = x.strides
        apart = [s * d for s, d in zip(steps, dilation, strict=True)]
        onward = [s * t for s, t in zip(steps, stride, strict=True)]
        return self.xp.lib.stride_tricks.as_strided(
            x, (x.shape[1], *kernel, x.shape[0], *count), (channel, *apart, batch, *onward)
        )
