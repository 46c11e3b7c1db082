"""Batch normalisation on the Numba backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array.batch_norm import BatchNormMixin
from .memory import ready as ready_memory
from .numba_elementwise import GRAIN, HEAVY, LARGE, Kernels, ready
from .numba_kernels.threads import split

__all__ = ["NumbaBatchNorm"]

empty = np.empty
kernels = Kernels("numba_kernels.batch_norm")


class NumbaBatchNorm(BatchNormMixin):
    """Batch normalisation by kernels on channels; from `HEAVY` elements on these are shared out among threads."""

    def batch_moments(self, x: Any) -> Any:
        if not ready(x) or not x.size:
            return super().batch_moments(x)
        moments = empty((2, x.shape[1]), x.dtype)
        images = _images(x)
        _share(images, lambda i, j: kernels.moments(images, moments, i, j))
        return moments

    def batch_norm(self, x: Any, moments: Any, weight: Any, bias: Any, of_batch: bool, eps: float) -> Any:
        if not ready(x) or not x.size:
            return super().batch_norm(x, moments, weight, bias, of_batch, eps)
        moments, eps = _known(x, moments, eps)
        if moments.dtype != x.dtype:
            return super().batch_norm(x, moments, weight, bias, of_batch, eps)
        if x.size >= LARGE:
            ready_memory()
        out, images = empty(x.shape, x.dtype), _images(x)
        channels, result, moments = x.shape[1], _images(out), _contiguous(moments)
        w = np.ones(channels, x.dtype) if weight is None else _contiguous(weight)
        b = np.zeros(channels, x.dtype) if bias is None else _contiguous(bias)
        _share(images, lambda i, j: kernels.normalise(images, moments, w, b, eps, result, i, j))
        return out

    def batch_norm_vjp(
        self, g: Any, x: Any, moments: Any, weight: Any, of_batch: bool, eps: float, need: tuple[bool, ...]
    ) -> tuple[Any, ...]:
        moments, eps = _known(x, moments, eps)
        if x.dtype.char not in "fd" or not x.size or moments.dtype != x.dtype or need[1]:
            return super().batch_norm_vjp(g, x, moments, weight, of_batch, eps, need)
        x, g, moments = _contiguous(x), _contiguous(g), _contiguous(moments)
        slope, channels = empty(x.shape, x.dtype), x.shape[1]
        w = np.ones(channels, x.dtype) if weight is None else _contiguous(weight)
        of_weight, of_bias = empty(channels, x.dtype), empty(channels, x.dtype)
        images, given, result = _images(x), _images(g), _images(slope)
        _share(
            images,
            lambda i, j: kernels.back(given, images, moments, w, eps, of_batch, result, of_weight, of_bias, i, j),
        )
        return slope if need[0] else None, None, of_weight if need[2] else None, of_bias if need[3] else None


def _known(x: Any, moments: Any, eps: float) -> tuple[Any, float]:
    """The moments; where there are none, those that leave ``x`` as it is."""
    if moments is not None:
        return moments, eps
    moments = empty((2, x.shape[1]), x.dtype)
    moments[0], moments[1] = 0, 1
    return moments, 0.0


def _contiguous(x: Any) -> Any:
    return x if x.flags.carray else np.array(x, order="C")


def _images(x: Any) -> Any:
    """(N, C, ...) -> (N, C, places)"""
    return x if x.ndim == 3 else x.reshape(x.shape[0], x.shape[1], -1)


def _share(images: Any, run: Any) -> None:
    count, channels, places = images.shape
    if images.size < HEAVY:
        run(0, channels)
    else:
        split(run, channels, max(GRAIN // (count * places), 1))
