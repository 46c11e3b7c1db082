"""The NumPy backend: the shared table as it stands. The reference that the others are held against."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from . import lapack
from .array import ArrayBackend
from .array.base import Scalars

__all__ = ["NumpyBackend"]

SMALL = 1 << 12
PIECE = 1 << 15

IN_PLACE = {"add_": np.add, "sub_": np.subtract, "mul_": np.multiply, "div_": np.true_divide}

_erf = np.frompyfunc(math.erf, 1, 1)


class NumpyBackend(ArrayBackend):
    """NumPy on the CPU."""

    name = "numpy"

    def __init__(self) -> None:
        super().__init__()
        floats = map(np.dtype, (np.float32, np.float64, np.float16, ml_dtypes.bfloat16))
        self.scalars = {dtype: Scalars(dtype) for dtype in floats}

    def erf(self, x: Any) -> Any:
        # NumPy has no erf; the C library's, one element at a time, is right to the last digit.
        return np.asarray(_erf(x), dtype=x.dtype)

    def inverse(self, x: Any) -> Any:
        made = lapack.inverse(x) if x.shape[-1] >= lapack.LEAST else None
        return super().inverse(x) if made is None else made

    def in_place(self, name: str, target: Any, values: tuple[Any, ...]) -> bool:
        run = IN_PLACE.get(name)
        if run is None:
            return self._written(name, target, values)
        if len(values) == 1:
            run(target, values[0], target)
            return True
        if name not in ("add_", "sub_") or not isinstance(values[0], np.ndarray):
            return False
        factor = target.dtype.type(values[1])
        if target.size <= PIECE:
            run(target, values[0] * factor, target)
            return True
        value = values[0].reshape(-1)
        line = target.reshape(-1)
        for i in range(0, line.size, PIECE):  # the product stays in the processor's cache
            run(line[i : i + PIECE], value[i : i + PIECE] * factor, line[i : i + PIECE])
        return True

    def _written(self, name: str, target: Any, values: tuple[Any, ...]) -> bool:
        if name == "clamp_":
            if len(values) != 2 or not values[0] <= values[1]:
                return False
            target.clip(*values, out=target)
            return True
        if name == "follow_":
            value, keep, share = values
            target *= keep
            target += value * share
            return True
        if name == "masked_fill_":
            np.copyto(target, values[1], where=values[0])
            return True
        if name == "index_fill_":
            dim, index, number = values
            if index.min() < -target.shape[dim] or index.max() >= target.shape[dim]:
                return False
            target[(slice(None),) * dim + (index,)] = number
            return True
        return False  # of a scatter

    # What NumPy's own functions spend Python on, told to its C directly.

    def expand(self, x: Any, shape: tuple[int, ...]) -> Any:
        lead = len(shape) - x.ndim
        if lead < 0 or 0 in shape or not x.flags.c_contiguous:
            return super().expand(x, shape)
        strides = [0] * lead
        for have, wanted, stride in zip(x.shape, shape[lead:], x.strides, strict=True):
            if have != wanted and have != 1:
                return super().expand(x, shape)  # which raises
            strides.append(stride if have == wanted else 0)
        return np.ndarray(shape, x.dtype, x, 0, strides)

    def stack(self, arrays: list[Any], dim: int) -> Any:
        shape = arrays[0].shape
        for a in arrays:
            if a.shape != shape:
                raise ValueError("all arrays must have the same shape")
        grown = (*shape[:dim], 1, *shape[dim:])
        return np.concatenate([a.reshape(grown) for a in arrays], dim)

    def argmax(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        return x.argmax(dim, keepdims=keepdim)

    def argmin(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        return x.argmin(dim, keepdims=keepdim)

    def amax(self, x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
        return self.xp.maximum.reduce(x, dims, None, None, keepdim)

    def amin(self, x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
        return self.xp.minimum.reduce(x, dims, None, None, keepdim)

    def amax_vjp(self, g: Any, x: Any, x_dtype: Any, out: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
        if not keepdim and dims is not None:
            kept = [1 if i in dims else n for i, n in enumerate(x.shape)]
            out, g = out.reshape(kept), g.reshape(kept)
        hit = np.equal(x, out)
        if dims is None and out != out:  # over all elements, which is `max`, NaN share the cotangent too
            hit = np.not_equal(x, x)
        count = self.xp.add.reduce(hit, dims, np.float32 if x_dtype.itemsize < 4 else x_dtype, None, True)
        return hit.astype(x_dtype) / count.astype(x_dtype, copy=False) * g

    def amin_vjp(self, g: Any, x: Any, x_dtype: Any, out: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
        return self.amax_vjp(g, x, x_dtype, out, dims, keepdim)

    def clamp(self, x: Any, low: float | None, high: float | None) -> Any:
        if x.dtype.char not in "fd" or x.size > SMALL:  # a large array is read once rather than twice
            return super().clamp(x, low, high)
        known = self.scalars[x.dtype]
        if low is not None:
            x = np.maximum(x, known[low])
        return x if high is None else np.minimum(x, known[high])

    def clamp_vjp(self, g: Any, x: Any, low: float | None, high: float | None) -> Any:
        if low is None:
            inside = x <= high
        else:
            inside = x >= low
            if high is not None:
                inside &= x <= high
        return np.where(inside, g, g.dtype.type(0))

    def floor_divide(self, a: Any, b: Any) -> Any:
        _refuse_zero(b)
        return np.floor_divide(a, b)

    def remainder(self, a: Any, b: Any) -> Any:
        _refuse_zero(b)
        return np.remainder(a, b)

    def fmod(self, a: Any, b: Any) -> Any:
        _refuse_zero(b)
        return np.fmod(a, b)

    def settings(self) -> dict[str, str]:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"matrix products": f"{blas.get('name')} {blas.get('version')}"}


def _refuse_zero(divisor: Any) -> None:
    """Integers have no quotient by zero; NumPy would answer 0, with a warning."""
    if isinstance(divisor, np.ndarray) and divisor.dtype.kind in "iu" and not divisor.all():
        raise ValueError("integers cannot be divided by zero; convert with .float() for inf and nan")
