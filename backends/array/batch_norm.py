"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .narrow import NARROW

__all__ = ["BatchNormMixin"]


class BatchNormMixin:
    """Normalisation of channels over ``self.xp``; images are (N, C, ...)."""

    xp: Any

    def batch_moments(self, x: Any) -> Any:
        """(2, C): the mean and the variance (over the count) of every channel; of small types in float32."""
        axes = (0, *range(2, x.ndim))
        wide = _wide(x)
        mean = wide.mean(axis=axes, keepdims=True)
        centred = wide - mean
        return self.xp.stack([mean.reshape(-1), (centred * centred).mean(axis=axes)])

    def batch_norm(self, x: Any, moments: Any, weight: Any, bias: Any, of_batch: bool, eps: float) -> Any:
        """x less the mean and over the deviation of its channel, times weight, plus bias (each (C,) or None).

        ``of_batch`` says that the moments (2, C) are those of x; it counts for the derivative. Without moments x is
        taken as it is.
        """
        shape = (-1, *(1,) * (x.ndim - 2))
        if moments is None:
            out = x if weight is None else x * weight.reshape(shape)
            return out + (x.dtype.type(0) if bias is None else bias.reshape(shape))
        scale = 1 / self.xp.sqrt(moments[1] + moments.dtype.type(eps))
        scale = scale if weight is None else scale * weight.astype(moments.dtype, copy=False)
        out = (x - moments[0].reshape(shape)) * scale.reshape(shape)
        out = out if bias is None else out + bias.reshape(shape)
        return out.astype(x.dtype, copy=False)

    def batch_norm_vjp(
        self, g: Any, x: Any, moments: Any, weight: Any, of_batch: bool, eps: float, need: tuple[bool, ...]
    ) -> tuple[Any, ...]:
        """The cotangents of x, moments, weight and bias; those that ``need`` does not ask for are None."""
        axes, shape = (0, *range(2, x.ndim)), (-1, *(1,) * (x.ndim - 2))
        if moments is None:
            moments, eps = self.xp.stack([self.xp.zeros(x.shape[1], x.dtype), self.xp.ones(x.shape[1], x.dtype)]), 0.0
        inverse = 1 / self.xp.sqrt(moments[1] + moments.dtype.type(eps))
        given, normal = _wide(g), (_wide(x) - moments[0].reshape(shape)) * inverse.reshape(shape)
        of_bias, of_weight = given.sum(axis=axes), (given * normal).sum(axis=axes)
        scale = inverse if weight is None else inverse * _wide(weight)
        of_moments = None
        if need[1]:
            of_moments = self.xp.stack([-of_bias * scale, of_weight * scale * inverse * -0.5]) * (not of_batch)
        if of_batch and need[0]:
            count = x.size // x.shape[1]
            given = given - (of_bias / count).reshape(shape) - normal * (of_weight / count).reshape(shape)
        slope = given * scale.reshape(shape) if need[0] else None
        found = (slope, of_moments, of_weight if need[2] else None, of_bias if need[3] else None)
        kinds = (x.dtype, moments.dtype, x.dtype, x.dtype)
        return tuple([c if c is None else c.astype(k, copy=False) for c, k in zip(found, kinds, strict=True)])


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.char in NARROW else x
