"""Inputs of samples: fixed numbers in every shape and memory layout that a kernel may meet."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

__all__ = [
    "BIG", "FAR", "I3", "J3", "LARGE", "ODD", "SPECIAL", "array", "backwards", "bools", "flags", "frozen", "inf", "ints", "large", "nan",
    "real", "scalar", "strided",
]  # fmt: skip

nan, inf = math.nan, math.inf
# Past every threshold at which a backend may turn to a parallel kernel, and no multiple of a vector's width.
LARGE = 140_003


def real(*shape: int, low: float = -2.0, high: float = 2.0, salt: int = 0) -> np.ndarray:
    """Fixed irregular numbers, no two of them nearly equal and none within a hundredth of an integer."""
    rng = np.random.default_rng([len(shape), *shape, salt])
    count = math.prod(shape)
    values = low + (high - low) * (rng.permutation(count) + 0.2 + 0.6 * rng.random(count)) / max(count, 1)
    near = np.abs(values - np.rint(values)) < 0.01
    return np.where(near, values + 0.02, values).reshape(shape)


def strided(x: np.ndarray) -> np.ndarray:
    """The same numbers with gaps between them and the axes stored in reverse order."""
    memory = np.zeros(tuple(2 * n for n in reversed(x.shape)), x.dtype)
    view = memory.T[...][tuple(slice(0, 2 * n, 2) for n in x.shape)] if x.ndim else memory[...]
    view[...] = x
    return view


def backwards(x: np.ndarray) -> np.ndarray:
    """The same numbers, stored from the last to the first."""
    return np.asarray(np.flip(np.flip(x).copy()))


def frozen(x: np.ndarray) -> np.ndarray:
    """The same numbers in read-only memory."""
    x = x.copy()
    x.flags.writeable = False
    return x


def array(*values: Any) -> np.ndarray:
    return np.array(values, np.float64)


def scalar(value: float) -> np.ndarray:
    return np.array(value, np.float64)


def ints(*values: Any) -> np.ndarray:
    return np.array(values, np.int64)


def bools(*values: Any) -> np.ndarray:
    return np.array(values, bool)


@functools.cache
def large(low: float, high: float, salt: int = 0) -> np.ndarray:
    values = np.random.default_rng([LARGE, salt]).random(LARGE)
    return low + (high - low) * values


def flags(*shape: int) -> np.ndarray:
    return real(*shape) > 0.5


SPECIAL = array(nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 3e-39, 88.9, -88.9, 104.0, -104.0, 1e4, -1e4, 3e38)
BIG = np.random.default_rng(5).random((300, 467)) - 0.25
ODD = array([nan, 1.0, 2.0], [inf, -inf, 1.0], [inf, 1.0, 2.0], [-inf, 1.0, 0.5], [1.0, 2.0, nan])
FAR = array([1000.0, 1001.0, -1000.0], [-1e4, 0.0, 1e4])
I3, J3 = ints(-5, 0, 7), ints(2, 3, -4)
