"""Optimizer updates: one call moves every parameter of a group, in place.

Each takes lists of arrays, one entry a parameter. The arithmetic follows PyTorch's order of operations.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["UpdateMixin"]


class UpdateMixin:
    """Multi-tensor updates over ``self.xp``."""

    xp: Any
    view_as_real: Any  # of ShapeMixin

    def _parts(self, *rows: list[Any]) -> list[list[Any]]:
        """The lists with complex arrays seen as pairs of real numbers, over the same memory: so they are optimised."""
        return [[self.view_as_real(a) if a.dtype.kind == "c" else a for a in row] for row in rows]

    def sgd_update(
        self, params: list[Any], grads: list[Any], moments: list[Any], lr: float, momentum: float, dampening: float,
        decay: float, nesterov: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """``moments`` holds the velocity of each parameter, or nothing where momentum is 0."""
        params, grads, moments = self._parts(params, grads, moments)
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            if maximize:
                g = -g
            if decay:
                g = g + p * decay
            if momentum:
                v = moments[i]
                v *= momentum
                v += g * (1 - dampening)
                g = g + v * momentum if nesterov else v
            p -= g * lr

    def clip_norm(self, grads: list[Any], bound: float, order: float) -> Any:
        """Scale arrays of one type so that their norm as one vector is at most ``bound``; returns what it was."""
        parts = [self._norm(g.reshape(-1), order) for g in grads]
        total = self._norm(self.xp.stack(parts), order)
        factor = self.xp.minimum(bound / (total + 1e-6), 1.0).astype(total.dtype)
        for g in grads:
            g *= factor
        return total

    def _norm(self, x: Any, order: float) -> Any:
        xp, size = self.xp, self.xp.abs(x)
        if math.isinf(order):
            return size.max() if order > 0 else size.min()
        if order == 2:
            return xp.sqrt(xp.square(size).sum())
        return size.sum() if order == 1 else (size**order).sum() ** (1 / order)

    def rmsprop_update(
        self, params: list[Any], grads: list[Any], squares: list[Any], moments: list[Any], means: list[Any],
        lr: float, alpha: float, eps: float, decay: float, momentum: float, centered: bool, maximize: bool,
    ) -> None:  # fmt: skip
        """``moments`` and ``means`` are empty where momentum is 0 and where the variance is not centred."""
        params, grads, squares, moments, means = self._parts(params, grads, squares, moments, means)
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            if maximize:
                g = -g
            if decay:
                g = g + p * decay
            s = squares[i]
            s *= alpha
            s += g * g * (1 - alpha)
            if centered:
                m = means[i]
                m += (g - m) * (1 - alpha)
                scale = self.xp.sqrt(s - m * m)
            else:
                scale = self.xp.sqrt(s)
            step = g / (scale + eps)
            if momentum:
                v = moments[i]
                v *= momentum
                v += step
                step = v
            p -= step * lr

    def adam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], peaks: list[Any],
        steps: list[int], lr: float, beta1: float, beta2: float, eps: float, decay: float, decoupled: bool,
        maximize: bool,
    ) -> None:  # fmt: skip
        """Adam (Kingma and Ba, 2015), AdamW where ``decoupled``, AMSGrad where ``peaks`` is not empty."""
        params, grads, firsts, seconds, peaks = self._parts(params, grads, firsts, seconds, peaks)
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            m, v, n = firsts[i], seconds[i], steps[i]
            if maximize:
                g = -g
            if decay and decoupled:
                p *= 1 - lr * decay
            elif decay:
                g = g + p * decay
            m += (g - m) * (1 - beta1)
            v *= beta2
            v += g * g * (1 - beta2)
            if peaks:
                self.xp.maximum(peaks[i], v, out=peaks[i])
                v = peaks[i]
            scale = self.xp.sqrt(v) / (1 - beta2**n) ** 0.5 + eps
            p -= m / scale * (lr / (1 - beta1**n))
