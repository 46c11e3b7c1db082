"""Real numbers: uniform, normal and what is made of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray

from .box_muller import BLOCK, transform
from .compiled import compiled
from .engine import Engine, Shape, affine, cast, floating, shape_and_size

__all__ = ["ContinuousDraws"]

Array = NDArray[Any]

FEW = 16  # so many normals are made faster one after another
LOW53, STEP53 = 2**53 - 1, 2.0**-53

WIDE = (np.dtype(np.float32), np.dtype(np.float64))


@cache
def _largest(dtype: np.dtype[Any]) -> float:
    return float(ml_dtypes.finfo(dtype).max)


class ContinuousDraws(Engine):
    """Draws of real numbers."""

    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Uniform numbers in [low, high), as ``Tensor.uniform_``.

        Args:
            shape: of the result.
            low: the lower bound, included.
            high: the upper bound, excluded.
            dtype: floating, or complex (both parts are drawn). With a ``low`` other than zero, float64
                can differ from PyTorch's fused multiply-add in the last bit.

        Raises:
            RuntimeError: the bounds are in the wrong order or too far apart for the dtype, or the dtype
                is neither floating nor complex.
        """
        if np.dtype(dtype).kind == "c":
            return self._complex(lambda dims, kind: self.uniform(dims, low, high, kind), shape, dtype)
        wanted = floating("uniform", dtype)
        largest = _largest(wanted)
        if not (abs(low) <= largest and abs(high) <= largest and 0 <= high - low <= largest):
            raise RuntimeError(f"uniform: [{low}, {high}) is not a range that {wanted} can hold")
        dims, n = shape_and_size(shape)
        wide = WIDE[wanted.char == "d"]
        bottom, top = wide.type(low), wide.type(high)
        kernels = compiled(n) if wanted == wide else None
        if kernels is not None:
            made = np.empty(dims, wide)
            run = kernels.unit64 if wide.itemsize == 8 else kernels.unit32
            run(self._memory, bottom, top - bottom, top, made.reshape(-1))
            return made
        if low == 0 and high == 1 and wanted == wide:
            return self._unit(n, wide).reshape(dims)
        out = cast(affine(self._unit(n, wide), float(top - bottom), float(bottom)), wanted)
        # Rounding can reach the bound that is excluded; PyTorch then takes the other one.
        first, excluded = cast(np.array([low, high]), wanted)
        np.copyto(out, first, where=out == excluded)
        return out.reshape(dims)

    def normal(
        self,
        shape: Shape,
        mean: float = 0.0,
        std: float = 1.0,
        dtype: DTypeLike = np.float32,
        *,
        contiguous: bool = True,
    ) -> Array:
        """Normal numbers, as ``Tensor.normal_``.

        Args:
            shape: of the result.
            mean: the mean.
            std: the standard deviation; of a complex number, whose parts then have ``std / sqrt(2)`` each.
            dtype: floating, or complex.
            contiguous: False draws what PyTorch draws into a tensor that is not contiguous.

        Raises:
            RuntimeError: ``std`` is negative or NaN, or the dtype is neither floating nor complex.
        """
        if not std >= 0:
            raise RuntimeError(f"normal: std must be at least 0, got {std}")
        if np.dtype(dtype).kind == "c":
            part = std / math.sqrt(2.0)
            return self._complex(
                lambda dims, kind: self.normal(dims, mean, part, kind, contiguous=contiguous), shape, dtype
            )
        wanted = floating("normal", dtype)
        dims, n = shape_and_size(shape)
        few = n < FEW
        kernels = compiled(n) if (few or contiguous) and wanted.char in ("fd" if few else "f") else None
        if kernels is not None:
            made = np.empty(dims, wanted)
            if few:
                kernels.normal_pairs(self._memory, self._kept, mean, std, made.reshape(-1))
            else:
                kernels.normal_blocks(self._memory, mean, std, made.reshape(-1))
            return made
        if n >= BLOCK and contiguous:  # below, and in tensors with gaps, PyTorch makes them one after another
            out = self._normal_blocks(n, mean, std, wanted)
        else:
            out = cast(affine(self._normal_pairs(n), std, mean), wanted)
        return out.reshape(dims)

    def normal_tensors(self, mean: Array | float, std: Array | float) -> Array:
        """Normal numbers with a mean and a standard deviation each, as ``torch.normal`` of tensors.

        Args:
            mean: an array, or a number where ``std`` is an array.
            std: an array that broadcasts with ``mean``, or a number.

        Returns:
            The broadcast shape, in the dtype of ``mean``, or of ``std`` where ``mean`` is a number.

        Raises:
            RuntimeError: an element of ``std`` is negative, or the dtype is not floating.
        """
        if np.any(np.asarray(std) < 0):
            raise RuntimeError("normal: every element of std must be at least 0")
        first = mean if isinstance(mean, np.ndarray) else np.asarray(std)
        dims = np.broadcast_shapes(np.shape(mean), np.shape(std))
        if isinstance(std, np.ndarray):
            scaled = cast(np.asarray(self.normal(dims, 0.0, 1.0, first.dtype) * std), first.dtype)
        else:
            scaled = self.normal(dims, 0.0, std, first.dtype)
        return cast(np.asarray(scaled + mean), first.dtype)

    def exponential(self, shape: Shape, lambd: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Exponential numbers of rate ``lambd``, as ``Tensor.exponential_``: ``-log1p(-u) / lambd``.

        Raises:
            RuntimeError: ``lambd`` is not positive, or the dtype is not floating.
        """
        wanted = floating("exponential", dtype)
        if not lambd > 0:
            raise RuntimeError(f"exponential: lambd must be positive, got {lambd}")
        dims, n = shape_and_size(shape)
        return cast(-1.0 / lambd * np.log1p(-self._unit(n, np.float64)), wanted).reshape(dims)

    def log_normal(self, shape: Shape, mean: float = 1.0, std: float = 2.0, dtype: DTypeLike = np.float32) -> Array:
        """The exponential of normal numbers, as ``Tensor.log_normal_``.

        Raises:
            RuntimeError: ``std`` is not positive, or the dtype is not floating.
        """
        wanted = floating("log_normal", dtype)
        if not std > 0:
            raise RuntimeError(f"log_normal: std must be positive, got {std}")
        dims, n = shape_and_size(shape)
        return cast(np.exp(affine(self._normal_pairs(n), std, mean)), wanted).reshape(dims)

    def cauchy(self, shape: Shape, median: float = 0.0, sigma: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Cauchy numbers, as ``Tensor.cauchy_``: ``median + sigma * tan(pi * (u - 1/2))``.

        Raises:
            RuntimeError: ``sigma`` is not positive, or the dtype is not floating.
        """
        wanted = floating("cauchy", dtype)
        if not sigma > 0:
            raise RuntimeError(f"cauchy: sigma must be positive, got {sigma}")
        dims, n = shape_and_size(shape)
        angle = math.pi * (self._unit(n, np.float64) - 0.5)
        return cast(median + sigma * np.tan(angle), wanted).reshape(dims)

    def truncated_normal(
        self,
        shape: Shape,
        mean: float = 0.0,
        std: float = 1.0,
        a: float = -2.0,
        b: float = 2.0,
        dtype: DTypeLike = np.float32,
    ) -> Array:
        """Normal numbers within [a, b], by rejection, as ``nn.init.trunc_normal_`` of PyTorch 2.13.

        Normal numbers are drawn anew where they fall outside; where more than 70 % would, uniform ones
        are accepted in proportion to the density.

        Args:
            shape: of the result.
            mean: the mean before truncation.
            std: the standard deviation before truncation.
            a: the least value.
            b: the greatest value.
            dtype: floating.

        Raises:
            RuntimeError: ``std`` is not positive, ``a`` is greater than ``b``, or the dtype is not floating.
        """
        wanted = floating("truncated_normal", dtype)
        if not (std > 0 and a <= b):
            raise RuntimeError(f"truncated_normal: needs std > 0 and a <= b, got {std=}, {a=}, {b=}")
        if mean < a - 2 * std or mean > b + 2 * std:
            warnings.warn(
                f"truncated_normal: the mean {mean} is more than two std from [{a}, {b}]; "
                "the distribution may be incorrect",
                stacklevel=2,
            )
        low, high = ((1.0 + math.erf((edge - mean) / std / math.sqrt(2.0))) / 2.0 for edge in (a, b))
        if high - low > 0.3:
            return self._redrawn(shape, mean, std, a, b, wanted)
        return self._accepted(shape, mean, std, a, b, wanted)

    def _redrawn(self, shape: Shape, mean: float, std: float, a: float, b: float, dtype: np.dtype[Any]) -> Array:
        least, greatest = dtype.type(a), dtype.type(b)
        out = self.normal(shape, mean, std, dtype)
        outside = (out < least) | (out > greatest)
        while outside.any():
            out = np.where(outside, self.normal(shape, mean, std, dtype), out)
            outside = (out < least) | (out > greatest)
        return out

    def _accepted(self, shape: Shape, mean: float, std: float, a: float, b: float, dtype: np.dtype[Any]) -> Array:
        log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
        wide = np.dtype(np.float64 if dtype == np.float64 else np.float32)
        # PyTorch rounds every step to the dtype, and what it subtracts too.
        middle, peak = cast(np.array([mean, log_peak]), dtype).astype(wide)
        steps = (
            lambda x: x - middle, lambda x: x / std, np.square, lambda x: x * -0.5, lambda x: x - peak,
        )  # fmt: skip
        out = np.zeros(shape_and_size(shape)[0], dtype)
        pending = np.ones(out.shape, np.bool_)
        while True:
            candidates = self.uniform(shape, a, b, dtype)
            out = np.where(pending, candidates, out)
            for step in steps:
                candidates = np.asarray(step(candidates.astype(wide, copy=False))).astype(dtype, copy=False)
            level = self.uniform(shape, dtype=dtype).astype(wide, copy=False)
            with np.errstate(divide="ignore"):
                pending = pending & (np.asarray(np.log(level)).astype(dtype) > candidates)
            if not pending.any():
                return out

    def _normal_pairs(self, n: int) -> Array:
        """n standard normals in float64 by Box and Muller, beginning with the one kept from last time."""
        kernels = compiled(n) if n < FEW else None
        if kernels is not None:
            out = np.empty(n)
            kernels.normal_pairs(self._memory, self._kept, 0.0, 1.0, out)
            return out
        kept = [] if self._next_normal is None else [self._next_normal]
        pairs = (n - len(kept) + 1) // 2
        if n < FEW:
            return self._few_normals(n, kept, self._words(4 * pairs).tolist())
        u = self._unit(2 * pairs, np.float64).reshape(pairs, 2)
        radius, angle = np.sqrt(-2.0 * np.log1p(-u[:, 1])), 2.0 * math.pi * u[:, 0]
        both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        found = np.concatenate([kept, both.reshape(-1)])
        self._next_normal = float(found[n]) if found.size > n else None
        return found[:n]

    def _few_normals(self, n: int, found: list[float], words: list[int]) -> Array:
        """``_normal_pairs`` one after another: faster than arrays as long as there are few."""
        for i in range(0, len(words), 4):
            turn = ((words[i] << 32 | words[i + 1]) & LOW53) * STEP53
            length = ((words[i + 2] << 32 | words[i + 3]) & LOW53) * STEP53
            radius, angle = math.sqrt(-2.0 * math.log1p(-length)), 2.0 * math.pi * turn
            found += radius * math.cos(angle), radius * math.sin(angle)
        self._next_normal = found.pop() if len(found) > n else None
        return np.array(found)

    def _normal_blocks(self, n: int, mean: float, std: float, dtype: np.dtype[Any]) -> Array:
        """n normals, sixteen at a time; the last sixteen are drawn anew where 16 does not divide n."""
        if dtype == np.float64:
            return self._some_blocks(n, mean, std, np.float64)
        if dtype == np.float32 or n % BLOCK == 0:
            return cast(self._some_blocks(n, mean, std, np.float32), dtype)
        out = np.empty(n, np.float32)  # of 16 bits the ragged rest is not drawn at first
        out[: n - n % BLOCK] = self._some_blocks(n - n % BLOCK, mean, std, np.float32)
        out[-BLOCK:] = self._some_blocks(BLOCK, mean, std, np.float32)
        return cast(out, dtype)

    def _some_blocks(self, n: int, mean: float, std: float, dtype: DTypeLike) -> Array:
        kernels = compiled(n) if dtype is np.float32 else None
        if kernels is not None:
            out = np.empty(n, np.float32)
            kernels.normal_blocks(self._memory, mean, std, out)
            return out
        out, full = self._unit(n, dtype), n - n % BLOCK
        transform(out[:full], mean, std)
        if full != n:
            out[-BLOCK:] = transform(self._unit(BLOCK, dtype), mean, std)
        return out

    @staticmethod
    def _complex(draw: Callable[[Shape, DTypeLike], Array], shape: Shape, dtype: DTypeLike) -> Array:
        dims, _ = shape_and_size(shape)
        wanted = np.dtype(dtype)
        parts = draw((*dims, 2), np.float32 if wanted == np.complex64 else np.float64)
        return parts.reshape(-1).view(wanted).reshape(dims)
