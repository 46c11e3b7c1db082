"""The Numba backend's optimizer updates: one call of a compiled kernel moves every parameter of a group."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array.update import UpdateMixin
from .numba_elementwise import GRAIN, NOTHING
from .numba_kernels.threads import split

__all__ = ["NumbaUpdate"]


class _Kernels:
    """The compiled updates by name; the first name that is asked for imports them all."""

    def __getattr__(self, name: str) -> Any:
        from .numba_kernels.cache import compiling

        with compiling():
            from .numba_kernels import update
        vars(self).update({key: getattr(update, key) for key in update.__all__})
        return object.__getattribute__(self, name)


K: Any = _Kernels()


class NumbaUpdate(UpdateMixin):
    """Contiguous float32 and float64 parameters, one type a call; everything else takes the way of NumPy."""

    def sgd_update(
        self, params: list[Any], grads: list[Any], moments: list[Any], lr: float, momentum: float, dampening: float,
        decay: float, nesterov: bool, maximize: bool,
    ) -> None:  # fmt: skip
        sign = -1.0 if maximize else 1.0
        if momentum:
            done = _run(K.sgd_momentum, [params, grads, moments], lr, momentum, dampening, decay, nesterov, sign)
        else:
            done = _run(K.sgd, [params, grads], lr, decay, sign)
        if not done:
            super().sgd_update(params, grads, moments, lr, momentum, dampening, decay, nesterov, maximize)

    def adam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], peaks: list[Any],
        steps: list[int], lr: float, beta1: float, beta2: float, eps: float, decay: float, decoupled: bool,
        maximize: bool,
    ) -> None:  # fmt: skip
        n = steps[0]
        if steps.count(n) != len(steps):  # each call has one number of the step
            for n in dict.fromkeys(steps):
                rows = params, grads, firsts, seconds, peaks
                a, b, c, d, e = ([x for x, k in zip(row, steps, strict=False) if k == n] for row in rows)
                self.adam_update(a, b, c, d, e, [n] * len(a), lr, beta1, beta2, eps, decay, decoupled, maximize)
            return
        numbers = (
            1.0 - lr * decay if decoupled else 1.0, 0.0 if decoupled else decay, lr / (1.0 - beta1**n),
            (1.0 - beta2**n) ** -0.5, 1.0 - beta1, beta2, 1.0 - beta2, eps, -1.0 if maximize else 1.0,
        )  # fmt: skip
        if peaks:
            done = _run(K.amsgrad, [params, grads, firsts, seconds, peaks], *numbers)
        else:
            done = _run(K.adam, [params, grads, firsts, seconds], *numbers)
        if not done:
            super().adam_update(
                params, grads, firsts, seconds, peaks, steps, lr, beta1, beta2, eps, decay, decoupled, maximize
            )

    def rmsprop_update(
        self, params: list[Any], grads: list[Any], squares: list[Any], moments: list[Any], means: list[Any],
        lr: float, alpha: float, eps: float, decay: float, momentum: float, centered: bool, maximize: bool,
    ) -> None:  # fmt: skip
        rows = [params, grads, squares, moments if momentum else params, means if centered else params]
        sign = -1.0 if maximize else 1.0
        if not _run(K.rmsprop, rows, decay, lr, alpha, eps, momentum, sign, bool(momentum), bool(centered)):
            super().rmsprop_update(
                params, grads, squares, moments, means, lr, alpha, eps, decay, momentum, centered, maximize
            )

    def clip_norm(self, grads: list[Any], bound: float, order: float) -> Any:
        like = NOTHING.get(grads[0].dtype.char)
        if order != 2 or like is None:
            return super().clip_norm(grads, bound, order)
        total = K.squares(id(grads), like)
        if total == -1:
            return super().clip_norm(grads, bound, order)
        norm = like.dtype.type(total**0.5)
        factor = bound / (float(norm) + 1e-6)
        if not factor >= 1:  # nan goes on
            K.scale(id(grads), like, factor)
        return np.array(norm)


def _run(kernel: Any, rows: list[list[Any]], *options: float) -> bool:
    """One pass over all arrays, by several threads where they are large; whether the kernel could take them."""
    params = rows[0]
    like = NOTHING.get(params[0].dtype.char)
    if like is None:
        return False
    numbers = [*map(float, options)]  # nothing else, since the kernel looks into them
    total = kernel(id(rows), id(numbers), like, -1, -1)
    if total >= K.SHARED:
        if len({p.ctypes.data for p in params}) == len(params):
            split(lambda i, j: kernel(id(rows), id(numbers), like, i, j), total, GRAIN)
        else:  # the same memory twice is moved twice, in turn
            kernel(id(rows), id(numbers), like, 0, total)
    return bool(total >= 0)
