"""The Numba backend: NumPy's table, with compiled kernels in the places where they pay.

Kernels run on contiguous float32 and float64 arrays; everything else takes NumPy's way. Numba itself is imported at
the first call of a kernel.
"""

from __future__ import annotations

from math import copysign, inf, nan, prod
from typing import Any

import numpy as np

from .memory import ready as ready_memory
from .numba_elementwise import GRAIN, LARGE, NumbaElementwise
from .numba_kernels.threads import split
from .numba_normalize import NumbaNormalize
from .numba_places import NumbaPlaces
from .numba_select import NumbaSelect
from .numpy_backend import NumpyBackend

__all__ = ["NumbaBackend"]

dot, empty = np.dot, np.empty
BOOL = np.dtype(bool)
SHARED = 1 << 18  # from so many parameters on their update is shared among threads
FLOATS = "fd"  # the type characters of float32 and float64
NOTHING = {kind: empty(0, kind) for kind in FLOATS}


class _Kernels:
    """The compiled kernels by name; the first name that is asked for imports them all."""

    def __getattr__(self, name: str) -> Any:
        from .numba_kernels.cache import compiling

        with compiling():
            from .numba_kernels import linear, loss, update
        for module in (linear, loss, update):
            vars(self).update({key: getattr(module, key) for key in module.__all__})
        return object.__getattribute__(self, name)


K: Any = _Kernels()


class NumbaBackend(NumbaElementwise, NumbaNormalize, NumbaPlaces, NumbaSelect, NumpyBackend):
    """Numba on the CPU."""

    name = "numba"

    def versions(self) -> dict[str, str]:
        from importlib.metadata import version

        return super().versions() | {"numba": version("numba"), "llvmlite": version("llvmlite")}

    def settings(self) -> dict[str, str]:
        from .numba_kernels.cache import folder
        from .numba_kernels.threads import get_num_threads

        return super().settings() | {"threads": str(get_num_threads()), "cache folder": str(folder())}

    # Matrix products: for matrices np.dot reaches BLAS in half the time that np.matmul takes.

    def matmul(self, a: Any, b: Any) -> Any:
        if a.dtype is BOOL:
            raise TypeError("matmul is not defined for bool")
        if a.size >= LARGE:
            ready_memory()
        if a.ndim == 2 == b.ndim:
            return dot(a, b)
        return super().matmul(a, b) if a.dtype.char == "E" else np.matmul(a, b)  # bfloat16 would come out as float32

    def linear(self, x: Any, w: Any, b: Any, act: str | None) -> Any:
        if w.dtype.char not in FLOATS or b is None or x.ndim < 2:
            return super().linear(x, w, b, act)
        if x.size >= LARGE:
            ready_memory()
        if x.ndim == 2:
            out = dot(x, w.T)
            K.ACTIVATE[act](out, b)
            return out
        lead = x.shape[:-1]
        out = dot(x.reshape(prod(lead), x.shape[-1]), w.T)
        K.ACTIVATE[act](out, b)
        return out.reshape(*lead, w.shape[0])

    def linear_vjp(self, g: Any, x: Any, w: Any, out: Any, act: str | None, need: tuple[bool, ...]) -> tuple[Any, ...]:
        if w.dtype.char not in FLOATS:
            return super().linear_vjp(g, x, w, out, act, need)
        shape = None
        if g.ndim != 2:
            shape, features = x.shape, w.shape[0]
            rows = prod(shape[:-1])
            g, x, out = g.reshape(rows, features), x.reshape(rows, w.shape[1]), out.reshape(rows, features)
        sums = None
        if act is not None:
            before, sums = empty(out.shape, out.dtype), empty(out.shape[1], out.dtype)
            K.BACK[act](g if g.flags.c_contiguous else np.ascontiguousarray(g), out, before, sums)
            g = before
        elif need[2]:
            sums = empty(g.shape[1], g.dtype)
            K.column_sums(g if g.flags.c_contiguous else np.ascontiguousarray(g), sums)
        gx = dot(g, w) if need[0] else None
        return (
            gx if shape is None or gx is None else gx.reshape(shape),
            dot(g.T, x) if need[1] else None,
            sums if need[2] else None,
        )

    # Losses

    def within_unit(self, x: Any) -> bool:
        if x.dtype.char not in FLOATS or not x.flags.c_contiguous:
            return super().within_unit(x)
        return bool(K.within_unit(x))

    def mse(self, x: Any, y: Any) -> Any:
        if x.dtype.char not in FLOATS or not (x.flags.c_contiguous and y.flags.c_contiguous) or not x.size:
            return super().mse(x, y)
        return np.array(K.mse(x, y) / x.size, x.dtype)

    def mse_vjp(self, g: Any, x: Any, y: Any, need: tuple[bool, ...]) -> tuple[Any, ...]:
        if x.dtype.char not in FLOATS or not (x.flags.c_contiguous and y.flags.c_contiguous) or not x.size:
            return super().mse_vjp(g, x, y, need)
        slope = empty(x.shape, x.dtype)
        K.mse_back(x, y, float(g) * 2.0 / x.size, slope)
        return slope if need[0] else None, -slope if need[1] else None

    def nll(self, x: Any, target: Any, weight: Any, ignore: int, reduction: str) -> tuple[Any, Any]:
        if x.dtype.char not in FLOATS or reduction == "none":
            return super().nll(x, target, weight, ignore, reduction)
        total, mass, bad = K.nll(x, target, NOTHING[x.dtype.char] if weight is None else weight, ignore)
        if bad >= 0:
            raise IndexError(f"target {target[bad]} in row {bad} is out of bounds for {x.shape[1]} classes")
        if reduction == "mean":
            total = total / mass if mass else total * inf if total else nan
        return np.array(total, x.dtype), mass

    def nll_vjp(
        self, g: Any, x: Any, target: Any, weight: Any, ignore: int, reduction: str, res: Any, x_dtype: Any
    ) -> Any:
        if x.dtype.char not in FLOATS or reduction == "none":
            return super().nll_vjp(g, x, target, weight, ignore, reduction, res, x_dtype)
        slope, scale = empty(x.shape, x.dtype), float(g)
        if reduction == "mean":
            scale = scale / res if res else copysign(inf, scale)
        K.nll_back(target, NOTHING[x.dtype.char] if weight is None else weight, ignore, scale, slope)
        return slope

    def softmax_xent(self, x: Any, target: Any, ignore: int) -> tuple[Any, Any]:
        if x.dtype.char not in FLOATS or not x.flags.c_contiguous or 0 in x.shape:
            return super().softmax_xent(x, target, ignore)
        weights = empty(x.shape, x.dtype)
        total, count, bad = K.xent(x, target, ignore, weights)
        if bad >= 0:
            raise IndexError(f"target {target[bad]} in row {bad} is out of bounds for {x.shape[1]} classes")
        return np.array(total / count if count else np.nan, x.dtype), (weights, count)

    def softmax_xent_vjp(self, g: Any, x: Any, target: Any, ignore: int, res: Any, x_dtype: Any) -> Any:
        if type(res) is not tuple:
            return super().softmax_xent_vjp(g, x, target, ignore, res, x_dtype)
        weights, count = res
        slope = empty(weights.shape, weights.dtype)
        K.xent_back(weights, target, ignore, float(g) / count if count else np.nan, slope)
        return slope

    # Optimizers

    def sgd_update(
        self, params: list[Any], grads: list[Any], moments: list[Any], lr: float, momentum: float, dampening: float,
        decay: float, nesterov: bool, maximize: bool,
    ) -> None:  # fmt: skip
        if not _ready(params, grads, moments):
            super().sgd_update(params, grads, moments, lr, momentum, dampening, decay, nesterov, maximize)
            return
        sign = -1.0 if maximize else 1.0
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            if momentum:
                numbers = lr, float(momentum), float(dampening), float(decay), bool(nesterov), sign
                _pass(K.sgd_momentum, (p, g, moments[i]), *numbers)
            else:
                _pass(K.sgd, (p, g), lr, float(decay), sign)

    def adam_update(
        self, params: list[Any], grads: list[Any], firsts: list[Any], seconds: list[Any], peaks: list[Any],
        steps: list[int], lr: float, beta1: float, beta2: float, eps: float, decay: float, decoupled: bool,
        maximize: bool,
    ) -> None:  # fmt: skip
        if not _ready(params, grads, firsts, seconds, peaks):
            super().adam_update(
                params, grads, firsts, seconds, peaks, steps, lr, beta1, beta2, eps, decay, decoupled, maximize
            )
            return
        last = None
        for i, (p, g, m, v, n) in enumerate(zip(params, grads, firsts, seconds, steps, strict=True)):
            if n != last:  # parameters that started together share one set of numbers
                last = n
                numbers = np.array((
                    1 - lr * decay if decoupled else 1.0, 0.0 if decoupled else decay, lr / (1 - beta1**n),
                    (1 - beta2**n) ** -0.5, 1 - beta1, beta2, 1 - beta2, eps, -1.0 if maximize else 1.0,
                ), p.dtype)  # fmt: skip
            if peaks:
                _pass(K.amsgrad, (p, g, m, v, peaks[i]), numbers)
            else:
                _pass(K.adam, (p, g, m, v), numbers)

    def rmsprop_update(
        self, params: list[Any], grads: list[Any], squares: list[Any], moments: list[Any], means: list[Any],
        lr: float, alpha: float, eps: float, decay: float, momentum: float, centered: bool, maximize: bool,
    ) -> None:  # fmt: skip
        if not _ready(params, grads, squares, moments, means):
            super().rmsprop_update(
                params, grads, squares, moments, means, lr, alpha, eps, decay, momentum, centered, maximize
            )
            return
        none = NOTHING[params[0].dtype.char]
        way = -1.0 if maximize else 1.0
        numbers = np.array((decay, lr, alpha, 1 - alpha, eps, momentum, way), params[0].dtype)
        for i, (p, g, s) in enumerate(zip(params, grads, squares, strict=True)):
            moment, mean = moments[i] if momentum else none, means[i] if centered else none
            _pass(K.rmsprop, (p, g, s, moment, mean), numbers)

    def clip_norm(self, grads: list[Any], bound: float, order: float) -> Any:
        if order != 2 or not _ready(grads):
            return super().clip_norm(grads, bound, order)
        total = grads[0].dtype.type(sum([K.squares(g) for g in grads]) ** 0.5)
        factor = bound / (float(total) + 1e-6)
        if not factor >= 1:  # nan goes on
            for g in grads:
                K.scale(g, factor)
        return np.array(total)


def _pass(kernel: Any, arrays: tuple[Any, ...], *numbers: Any) -> None:
    """One pass over arrays of one size (or empty ones); over large ones by several threads."""
    size = arrays[0].size
    if size < SHARED:
        kernel(*arrays, *numbers)
        return
    flat = [a.reshape(-1) for a in arrays]
    split(lambda i, j: kernel(*[a[i:j] for a in flat], *numbers), size, GRAIN)


def _ready(params: list[Any], *others: list[Any]) -> bool:
    """Whether the kernels can take these arrays: contiguous float32 or float64."""
    if params[0].dtype.char not in FLOATS:
        return False
    for several in (params, *others):
        for a in several:
            if not a.flags.c_contiguous:
                return False
    return True
