"""The Numba backend: NumPy's table, with compiled kernels in the places where they pay.

Kernels run on contiguous float32 and float64 arrays; everything else takes NumPy's way. Numba itself is imported at
the first call of a kernel.
"""

from __future__ import annotations

from math import copysign, inf, nan, prod
from typing import Any, ClassVar

import numpy as np

from .array.linear import check_bias
from .memory import ready as ready_memory
from .numba_batch_norm import NumbaBatchNorm
from .numba_convolve import NumbaConvolve
from .numba_elementwise import FLOATS, LARGE, NOTHING, SLOPES, NumbaElementwise, elements, filling
from .numba_grid import NumbaGrid
from .numba_normalize import NumbaNormalize
from .numba_places import NumbaPlaces, scattered
from .numba_products import FEW, dot, matmul
from .numba_recurrent import NumbaRecurrent
from .numba_reduce import NumbaReduce
from .numba_resample import NumbaResample
from .numba_select import NumbaSelect
from .numba_update import NumbaUpdate
from .numpy_backend import PIECE, NumpyBackend

__all__ = ["NumbaBackend"]

empty = np.empty
BOOL = np.dtype(bool)


class _Kernels:
    """The compiled kernels by name; the first name that is asked for imports them all."""

    def __getattr__(self, name: str) -> Any:
        from .numba_kernels.cache import compiling

        with compiling():
            from .numba_kernels import linear, loss
        for module in (linear, loss):
            vars(self).update({key: getattr(module, key) for key in module.__all__})
        return object.__getattribute__(self, name)


K: Any = _Kernels()


class _Small(dict[Any, Any]):
    """By activation and type the kernels of whole layers of small networks, each compiled when it is asked for."""

    def __init__(self, way: str) -> None:
        self._way = way

    def __missing__(self, key: tuple[str | None, str]) -> Any:
        from .numba_kernels import small

        self[key] = made = getattr(small, f"{self._way}_{key[0] or 'plain'}_{np.dtype(key[1]).name}")
        return made


FORWARD, BACK = _Small("forward"), _Small("back")
SMALL = 1 << 22  # bytes of the input times features


def _linear_vjp_over(self: Any, g: Any, x: Any, w: Any, out: Any, act: str | None, need: tuple[bool, ...]) -> Any:
    """``linear_vjp`` with its step before the activation in the memory of ``g``."""
    return self.linear_vjp(g, x, w, out, act, need, own=True)


def _small_linear_vjp(
    g: Any, x: Any, w: Any, out: Any, act: str | None, need: tuple[bool, ...]
) -> tuple[Any, ...] | None:  # fmt: skip
    """``linear_vjp`` by one kernel; None where it cannot use the arrays."""
    dtype = w.dtype
    kind = dtype.char
    nothing = NOTHING[kind]
    gx = empty(x.shape, dtype) if need[0] else nothing
    gw = empty(w.shape, dtype) if need[1] else nothing
    gb = nothing if act is None and not need[2] else empty(len(w), dtype)
    arrays = [g, x, w, out, gx, gw, gb]
    if not BACK[act, kind](id(arrays), nothing):
        return None
    return gx if need[0] else None, gw if need[1] else None, gb if need[2] else None


class NumbaBackend(
    NumbaBatchNorm, NumbaConvolve, NumbaElementwise, NumbaGrid, NumbaNormalize, NumbaPlaces, NumbaRecurrent,
    NumbaReduce, NumbaResample, NumbaSelect, NumbaUpdate, NumpyBackend,
):  # fmt: skip
    """Numba on the CPU."""

    name = "numba"
    overwriting: ClassVar[dict[str, Any]] = {**SLOPES, "linear": _linear_vjp_over}

    def versions(self) -> dict[str, str]:
        from importlib.metadata import version

        return super().versions() | {"numba": version("numba"), "llvmlite": version("llvmlite")}

    def settings(self) -> dict[str, str]:
        from .numba_kernels.cache import folder
        from .numba_kernels.threads import get_num_threads

        return super().settings() | {"threads": str(get_num_threads()), "cache folder": str(folder())}

    def spaced(self, first: Any, last: Any, count: int, dtype: np.dtype) -> Any:
        if dtype.char not in FLOATS or count < 2:
            return super().spaced(first, last, count, dtype)
        out = empty(count, dtype)
        filling.spaced(first, last, dtype.type((last - first) / dtype.type(count - 1)), out)
        return out

    def in_place(self, name: str, target: Any, values: tuple[Any, ...]) -> bool:
        if name == "scatter_":
            return scattered(target, *values)
        if len(values) != 2 or name not in ("add_", "sub_", "clamp_") or target.dtype.char not in FLOATS:
            return super().in_place(name, target, values)
        known = self.scalars[target.dtype]
        if name == "clamp_":
            low, high = values
            if not low <= high or target.size >= LARGE:
                return super().in_place(name, target, values)
            elements.clamp(target, known[low], known[high], target)
            return True
        other, factor = values
        if type(other) is not np.ndarray or target.size > PIECE:
            return super().in_place(name, target, values)
        (np.add if name == "add_" else np.subtract)(target, np.multiply(other, known[factor]), target)
        return True

    # Matrix products: for matrices np.dot reaches BLAS in half the time that np.matmul takes.

    def matmul(self, a: Any, b: Any) -> Any:
        if a.dtype is BOOL:
            raise TypeError("matmul is not defined for bool")
        if a.size >= LARGE:
            ready_memory()
        if a.ndim == 2 == b.ndim:
            return dot(a, b)
        return super().matmul(a, b) if a.dtype.char == "E" else matmul(a, b)  # bfloat16 would come out as float32

    def linear(self, x: Any, w: Any, b: Any, act: str | None) -> Any:
        dtype = w.dtype
        kind = dtype.char
        if kind not in FLOATS or b is None or x.ndim < 2:
            return super().linear(x, w, b, act)
        count = x.size * b.size
        if count >= LARGE and (x.size >= LARGE or count >= LARGE * w.shape[1]):
            ready_memory()
        if x.nbytes * b.size <= SMALL:
            out = empty((len(x), b.size) if x.ndim == 2 else (*x.shape[:-1], b.size), dtype)
            arrays = [x, w, b, out]
            if FORWARD[act, kind](id(arrays), NOTHING[kind]):
                return out
        check_bias(w, b)
        if x.ndim == 2:
            out = (np.dot if len(x) * w.size <= FEW else dot)(x, w.T)
            K.ACTIVATE[act](out, b)
            return out
        lead = x.shape[:-1]
        out = dot(x.reshape(prod(lead), x.shape[-1]), w.T)
        K.ACTIVATE[act](out, b)
        return out.reshape(*lead, w.shape[0])

    def linear_vjp(
        self, g: Any, x: Any, w: Any, out: Any, act: str | None, need: tuple[bool, ...], own: bool = False
    ) -> tuple[Any, ...]:
        """``own``: whether ``g`` may be written to."""
        if w.dtype.char not in FLOATS:
            return super().linear_vjp(g, x, w, out, act, need)
        g = g if g.flags.c_contiguous else np.ascontiguousarray(g)
        if x.nbytes * len(w) <= SMALL:
            cotangents = _small_linear_vjp(g, x, w, out, act, need)
            if cotangents is not None:
                return cotangents
        shape = None
        if g.ndim != 2:
            shape, features = x.shape, w.shape[0]
            rows = prod(shape[:-1])
            g, x, out = g.reshape(rows, features), x.reshape(rows, w.shape[1]), out.reshape(rows, features)
        sums = None
        if act is not None:
            sums = empty(out.shape[1], out.dtype)
            before = g if own else empty(out.shape, out.dtype)
            K.BACK[act](g, out, before, sums)
            g = before
        elif need[2]:
            sums = empty(g.shape[1], g.dtype)
            K.column_sums(g, sums)
        product = np.dot if len(g) * w.size <= FEW else dot
        gx = product(g, w) if need[0] else None
        return (
            gx if shape is None or gx is None else gx.reshape(shape),
            product(g.T, x) if need[1] else None,
            sums if need[2] else None,
        )

    # Losses

    def within_unit(self, x: Any) -> bool:
        if x.dtype.char not in FLOATS or not x.flags.c_contiguous:
            return super().within_unit(x)
        return bool(K.within_unit(x))

    def mse(self, x: Any, y: Any) -> Any:
        if x.dtype.char in FLOATS:
            out = empty((), x.dtype)
            arrays = [x, y, out]
            if K.mse(id(arrays), NOTHING[x.dtype.char]):
                return out
        return super().mse(x, y)

    def mse_vjp(self, g: Any, x: Any, y: Any, need: tuple[bool, ...]) -> tuple[Any, ...]:
        if x.dtype.char in FLOATS:
            slope = empty(x.shape, x.dtype)
            arrays = [x, y, slope, g]
            if K.mse_back(id(arrays), NOTHING[x.dtype.char]):
                return slope if need[0] else None, -slope if need[1] else None
        return super().mse_vjp(g, x, y, need)

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
