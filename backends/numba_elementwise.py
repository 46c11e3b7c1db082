"""Element-wise operations and the softmax family of the Numba backend.

The kernels serve float32 and float64: the element-wise ones any layout, the others contiguous arrays. Everything else
takes NumPy's way. A kernel is compiled, or loaded from the cache, at its first call. Large arrays are shared out among
the threads of :mod:`.numba_kernels.threads`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from math import inf
from typing import Any

import numpy as np

from .array.loss import LossMixin
from .array.math import MathMixin
from .array.reduce import ReduceMixin
from .memory import ready as ready_memory

__all__ = ["SLOPES", "NumbaElementwise"]

Need = tuple[bool, ...]

FLOATS = "fd"  # the type characters of float32 and float64
NOTHING = {kind: np.empty(0, kind) for kind in FLOATS}
# From so many elements on the work is shared, in pieces of at least so many.
HEAVY, GRAIN = 1 << 18, 1 << 14
# From so many on the memory of results is worth keeping.
LARGE = 1 << 14


class Kernels:
    """The kernels of a module, imported when the first is asked for."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # something looks the object over: no reason to import Numba
            raise AttributeError(name)
        kernel = getattr(import_module("." + self._module, __package__), name)
        setattr(self, name, kernel)
        return kernel


elements = Kernels("numba_kernels.ufuncs")
rows = Kernels("numba_kernels.rows")
filling = Kernels("numba_kernels.filling")
loops = Kernels("numba_kernels.ufunc")
parts = Kernels("numba_kernels.parts")


def share(kernel: Any, arrays: tuple[Any, ...], constants: tuple[Any, ...] = (), into: Any = None) -> Any:
    """The ufunc ``kernel`` of large arrays and 0-d constants.

    From `HEAVY` elements on it runs on several threads, where the arrays match and are contiguous. The result is
    left in ``into`` if that is given: one of the arrays.
    """
    x = arrays[0]
    ready_memory()
    if x.size < HEAVY or not all([_alike(a, x) for a in arrays]):
        return kernel(*arrays, *constants, out=into)
    out = np.empty(x.shape, x.dtype) if into is None else into
    if not loops.over_threads(kernel, (*arrays, *constants), out, GRAIN):
        kernel(*arrays, *constants, out=out)
    return out


def _alike(a: Any, x: Any) -> bool:
    """Whether ``a`` is contiguous and aligned, and of the shape and type of ``x``."""
    flags = a.flags
    return flags.c_contiguous and flags.aligned and (a is x or (a.shape == x.shape and a.dtype == x.dtype))


def widened(kernel: Any, g: Any, *operands: Any) -> Any:
    """A derivative that NumPy's table lacks, for a smaller type than float32: computed there and rounded once."""
    wide = [a.astype(np.float32, casting="safe") for a in (g, *operands)]
    return np.asarray(kernel(*wide)).astype(g.dtype)


def ready(x: Any) -> bool:
    """Whether ``x`` is what the kernels on rows take: float32 or float64, contiguous, aligned and writable."""
    return x.flags.carray and x.dtype.char in FLOATS


def over_rows(name: str, arrays: tuple[Any, ...], dim: int) -> Any:
    """The result of the kernel ``name`` on the rows of alike arrays, or None if it cannot serve them."""
    x = arrays[0]
    shape, dtype = x.shape, x.dtype
    if dim != len(shape) - 1 or not x.size or not ready(x):
        return None
    for a in arrays[1:]:
        if a.shape != shape or a.dtype != dtype or not a.flags.carray:
            return None
    out = np.empty(shape, dtype)
    given = *arrays, out
    if x.size < HEAVY or not _rows_shared(name, given):
        getattr(rows, name)(*(given if len(shape) == 2 else [a.reshape(-1, shape[-1]) for a in given]))
    return out


def _rows_shared(name: str, given: tuple[Any, ...]) -> bool:
    """Whether several threads did it."""
    x = given[0]
    columns = x.shape[-1]
    return parts.over_threads(f"rows_{name}_{x.dtype.name}", x.size // columns, columns, given, GRAIN)


def result(kernel: str, missing: Callable[..., Any]) -> Any:
    """A method that computes an element-wise primitive ``(self, x, *attributes)``.

    Args:
        kernel: the name of the ufunc.
        missing: what to call for types that the ufunc does not know; it says so by a TypeError, so that no type is
            asked for beforehand.
    """
    made = vars(elements)

    def method(self: Any, x: Any, *attributes: Any) -> Any:
        try:
            if x.size < LARGE and not attributes:
                return made[kernel](x)
            run, constants = getattr(elements, kernel), ()
            if attributes:
                known = self.scalars[x.dtype]
                constants = tuple([known[v] for v in attributes])
            if x.size < LARGE:
                return run(x, *constants)
            return share(run, (x,), constants)
        except KeyError:
            if kernel not in made and x.dtype.char in FLOATS:
                getattr(elements, kernel)  # makes it
                return method(self, x, *attributes)
        except TypeError:
            pass
        return missing(self, x, *attributes)

    return method


def slope(kernel: str, missing: Callable[..., Any] | None = None) -> Any:
    """As `result`, of a derivative ``(self, g, x, *attributes)``; computed in float32 where nothing else is given."""
    made = vars(elements)

    def method(self: Any, g: Any, x: Any, *attributes: Any) -> Any:
        try:
            if x.size < LARGE and not attributes:
                return made[kernel](g, x)
            run, constants = getattr(elements, kernel), ()
            if attributes:
                known = self.scalars[x.dtype]
                constants = tuple([known[v] for v in attributes])
            if x.size < LARGE:
                return run(g, x, *constants)
            return share(run, (g, x), constants)
        except KeyError:
            if kernel not in made and x.dtype.char in FLOATS:
                getattr(elements, kernel)
                return method(self, g, x, *attributes)
        except TypeError:
            pass
        if missing is not None:
            return missing(self, g, x, *attributes)
        return widened(getattr(elements, kernel), g, x, *[np.array(v, np.float32) for v in attributes])

    method.kernel = kernel  # type: ignore[attr-defined]
    return method


def slope_over(kernel: str, otherwise: Callable[..., Any]) -> Any:
    """As `slope`, leaving the result in the memory of ``g`` where it has its shape and type."""

    def method(self: Any, g: Any, x: Any, *attributes: Any) -> Any:
        if g.dtype.char not in FLOATS or g.dtype != x.dtype or g.shape != x.shape:
            return otherwise(self, g, x, *attributes)
        constants = tuple([self.scalars[x.dtype][v] for v in attributes])
        return share(getattr(elements, kernel), (g, x), constants, g)

    return method


def plain(ufunc: Any) -> Callable[..., Any]:
    """A ufunc of NumPy as a method."""
    return lambda self, *operands: ufunc(*operands)


TURNED = 1 << 12  # a transposed copy of so many elements is worth a kernel

_clamp, _clamp_vjp = result("clamp", MathMixin.clamp), slope("clamp_vjp")


class NumbaElementwise(MathMixin, ReduceMixin, LossMixin):
    """The methods of the table that have kernels; see the module."""

    scalars: dict[Any, Any]

    exp, expm1 = result("exp", plain(np.exp)), result("expm1", plain(np.expm1))
    log, log1p = result("log", plain(np.log)), result("log1p", plain(np.log1p))
    tanh = result("tanh", plain(np.tanh))
    erf = result("erf", lambda self, x: super().erf(x))
    sign = result("sign", MathMixin.sign)
    tanh_vjp = slope("tanh_vjp", MathMixin.tanh_vjp)
    square_vjp = slope("square_vjp", lambda self, g, x: g * (x + x))

    relu, relu_vjp = result("relu", MathMixin.relu), slope("relu_vjp", MathMixin.relu_vjp)
    sigmoid = result("sigmoid", MathMixin.sigmoid)
    sigmoid_vjp = slope("sigmoid_vjp", MathMixin.sigmoid_vjp)
    gelu, gelu_vjp = result("gelu", MathMixin.gelu), slope("gelu_vjp")
    gelu_tanh, gelu_tanh_vjp = result("gelu_tanh", MathMixin.gelu_tanh), slope("gelu_tanh_vjp")
    silu, silu_vjp = result("silu", MathMixin.silu), slope("silu_vjp")
    softplus, softplus_vjp = result("softplus", MathMixin.softplus), slope("softplus_vjp")
    mish, mish_vjp = result("mish", MathMixin.mish), slope("mish_vjp")
    logsigmoid, logsigmoid_vjp = result("logsigmoid", MathMixin.logsigmoid), slope("logsigmoid_vjp")
    elu, elu_vjp = result("elu", MathMixin.elu), slope("elu_vjp")
    leaky_relu, leaky_relu_vjp = result("leaky_relu", MathMixin.leaky_relu), slope("leaky_relu_vjp")
    hardtanh, hardtanh_vjp = result("clamp", MathMixin.hardtanh), slope("hardtanh_vjp")
    hardsigmoid, hardsigmoid_vjp = result("hardsigmoid", MathMixin.hardsigmoid), slope("hardsigmoid_vjp")
    hardswish, hardswish_vjp = result("hardswish", MathMixin.hardswish), slope("hardswish_vjp")
    threshold, threshold_vjp = result("threshold", MathMixin.threshold), slope("threshold_vjp")
    hardshrink, hardshrink_vjp = result("hardshrink", MathMixin.hardshrink), slope("hardshrink_vjp")
    softshrink, softshrink_vjp = result("softshrink", MathMixin.softshrink), slope("hardshrink_vjp")

    def clamp(self, x: Any, low: float | None, high: float | None) -> Any:
        given = low, high
        low, high = -inf if low is None else low, inf if high is None else high
        if x.dtype.char not in FLOATS or not low == low or not high == high:
            return super().clamp(x, given[0], given[1])
        return _clamp(self, x, low, high)

    def clamp_vjp(self, g: Any, x: Any, low: float | None, high: float | None) -> Any:
        return _clamp_vjp(self, g, x, -inf if low is None else low, inf if high is None else high)

    def copy(self, x: Any) -> Any:
        flags = x.flags
        if x.ndim != 2 or x.size < TURNED or flags.c_contiguous or x.dtype.char not in FLOATS:
            return super().copy(x)
        if not (flags.f_contiguous and flags.behaved):
            return super().copy(x)
        if x.size >= LARGE:
            ready_memory()
        out = np.empty(x.shape, x.dtype)
        filling.transposed(x.T, out)
        return out

    # Losses, element by element

    def huber(self, x: Any, target: Any, delta: float) -> Any:
        try:
            delta_ = self.scalars[x.dtype][delta]
            if x.size < LARGE:
                return elements.huber(x, target, delta_)
            return share(elements.huber, (x, target), (delta_,))
        except (KeyError, TypeError):
            return super().huber(x, target, delta)

    def huber_vjp(self, g: Any, x: Any, target: Any, delta: float, need: Need) -> tuple[Any, ...]:
        try:
            delta_ = self.scalars[x.dtype][delta]
            if g.size < LARGE:
                slope = elements.huber_vjp(g, x, target, delta_)
            else:
                slope = share(elements.huber_vjp, (g, x, target), (delta_,))
        except (KeyError, TypeError):
            slope = widened(elements.huber_vjp, g, x, target, np.array(delta, np.float32))
        return slope if need[0] else None, -slope if need[1] else None

    def bce(self, x: Any, target: Any) -> Any:
        try:
            return elements.bce(x, target) if x.size < LARGE else share(elements.bce, (x, target))
        except TypeError:
            return super().bce(x, target)

    def bce_vjp(self, g: Any, x: Any, target: Any, need: Need) -> tuple[Any, ...]:
        slope = self._slope("bce_vjp", g, x, target) if need[0] else None
        return slope, g * (np.log1p(-x) - np.log(x)) if need[1] else None

    def bce_logits(self, x: Any, target: Any) -> Any:
        try:
            return elements.bce_logits(x, target) if x.size < LARGE else share(elements.bce_logits, (x, target))
        except TypeError:
            return super().bce_logits(x, target)

    def bce_logits_vjp(self, g: Any, x: Any, target: Any, need: Need) -> tuple[Any, ...]:
        slope = self._slope("bce_logits_vjp", g, x, target) if need[0] else None
        return slope, -(g * x) if need[1] else None

    def _slope(self, name: str, g: Any, x: Any, target: Any) -> Any:
        kernel = getattr(elements, name)
        try:
            return kernel(g, x, target) if g.size < LARGE else share(kernel, (g, x, target))
        except TypeError:
            return widened(kernel, g, x, target)

    # The softmax family

    def softmax(self, x: Any, dim: int) -> Any:
        out = over_rows("softmax", (x,), dim)
        return super().softmax(x, dim) if out is None else out

    def softmax_vjp(self, g: Any, out: Any, dim: int) -> Any:
        slope = over_rows("softmax_vjp", (g, out), dim)
        return super().softmax_vjp(g, out, dim) if slope is None else slope

    def log_softmax(self, x: Any, dim: int) -> Any:
        out = over_rows("log_softmax", (x,), dim)
        return super().log_softmax(x, dim) if out is None else out

    def log_softmax_vjp(self, g: Any, out: Any, dim: int) -> Any:
        slope = over_rows("log_softmax_vjp", (g, out), dim)
        return super().log_softmax_vjp(g, out, dim) if slope is None else slope


SLOPES = {
    name.removesuffix("_vjp"): slope_over(method.kernel, method)
    for name, method in vars(NumbaElementwise).items()
    if hasattr(method, "kernel")
}
"""By primitive, the derivatives that can leave their result in the cotangent's memory."""
