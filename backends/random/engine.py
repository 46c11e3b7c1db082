"""The engine: seeds, the state, and the words and uniforms that every distribution is made of."""

from __future__ import annotations

import ctypes
import math
import operator
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray

from .compiled import compiled

__all__ = ["DEFAULT_SEED", "PIECE", "Engine", "Shape", "affine", "cast", "floating", "shape_and_size"]

Shape = int | Sequence[int]
Array = NDArray[Any]

# PyTorch's generator state, byte for byte: the layout of a C struct of a 64-bit build. `left` and `next`
# count within the block of 624 words; of the fields for normal numbers only the cached one is in use.
_STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "key", "normal", "normal_is_valid"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", 624), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": 5056,
    }
)
_BLOCK = 624
PIECE = 1 << 15  # so many numbers are made at a time: what they are made of stays in the processor's cache
_LOW53 = np.uint64(2**53 - 1)
_LOW24, _STEP24 = np.int32(2**24 - 1), np.float32(2.0**-24)

# The seed of a ``torch.Generator()`` that was given none.
DEFAULT_SEED = 67280421310721


class Engine:
    """MT19937 seeded and read as PyTorch does it, with the one normal number that PyTorch keeps for later."""

    def __init__(self, seed: int | None = DEFAULT_SEED) -> None:
        self._initial_seed = 0
        self._kept = np.zeros(2)  # the one normal number, and whether there is one
        if seed is None:
            self.seed()
        else:
            self.manual_seed(seed)

    @cached_property
    def _bits(self) -> np.random.MT19937:
        """The stream, made when it is first read: a program that draws nothing never loads numpy.random."""
        bits = np.random.MT19937(0)
        np.random.RandomState(bits).seed(self._initial_seed & 0xFFFFFFFF)
        return bits

    @cached_property
    def _memory(self) -> NDArray[np.uint32]:
        """The memory of the stream, which compiled code reads and moves on: 624 words and how many are used up."""
        place = (ctypes.c_uint32 * (_BLOCK + 1)).from_address(self._bits.ctypes.state_address)
        return np.ctypeslib.as_array(place)

    @property
    def _next_normal(self) -> float | None:
        return float(self._kept[0]) if self._kept[1] else None

    @_next_normal.setter
    def _next_normal(self, value: float | None) -> None:
        self._kept[:] = (0.0, 0.0) if value is None else (value, 1.0)

    def manual_seed(self, seed: int) -> Self:
        """Start the stream of ``seed``; returns the generator itself.

        Args:
            seed: from -2^63 to 2^64 - 1, a negative one counting as ``2^64 + seed``. Its low 32 bits
                choose the stream.

        Raises:
            TypeError: not an integer.
            ValueError: out of range.
        """
        number = operator.index(seed)
        if not -(2**63) <= number < 2**64:
            raise ValueError(f"manual_seed: the seed {number} is not within -2^63 and 2^64 - 1")
        self._initial_seed = number % 2**64
        self.__dict__.pop("_bits", None)
        self.__dict__.pop("_memory", None)
        self._next_normal = None
        return self

    def seed(self) -> int:
        """Start the stream of a seed taken from the operating system; returns that seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._initial_seed

    def initial_seed(self) -> int:
        """The seed that the stream started from, within 0 and 2^64 - 1."""
        return self._initial_seed

    def get_state(self) -> NDArray[np.uint8]:
        """The state as 5,056 bytes, the same bytes as ``torch.Generator.get_state`` gives."""
        mt = self._bits.state["state"]
        key, used = mt["key"], int(mt["pos"])
        state = np.zeros((), _STATE)
        # A fresh stream and one whose block is used up both draw a block next; only a fresh key begins
        # with the seed, and PyTorch writes it as zero words used.
        fresh = used == _BLOCK and int(key[0]) == self._initial_seed & 0xFFFFFFFF
        state["seed"], state["key"], state["seeded"] = self._initial_seed, key, 1
        state["next"] = 0 if fresh else used
        state["left"] = 1 if fresh else _BLOCK + 1 - used
        if self._next_normal is not None:
            state["normal"], state["normal_is_valid"] = self._next_normal, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state: NDArray[np.uint8]) -> None:
        """Go on from a state that ``get_state``, here or in PyTorch, has given.

        Raises:
            TypeError: not an array of uint8.
            RuntimeError: not 5,056 bytes, or not a state.
        """
        data = np.asarray(state)
        if data.dtype != np.uint8:
            raise TypeError(f"set_state: the state must be a uint8 array, got {data.dtype}")
        if data.size != _STATE.itemsize:
            raise RuntimeError(f"set_state: a state has {_STATE.itemsize} bytes, got shape {data.shape}")
        record = np.frombuffer(data.tobytes(), _STATE)[0]
        left, used = int(record["left"]), int(record["next"])
        if not (record["seeded"] and 0 < left <= _BLOCK and used <= _BLOCK):
            raise RuntimeError("set_state: the bytes are not a generator's state")
        pos = _BLOCK if left == 1 else used
        self._bits.state = {
            "bit_generator": "MT19937",
            "state": {"key": record["key"].astype(np.uint32), "pos": pos},
        }
        self._initial_seed = int(record["seed"])
        self._next_normal = float(record["normal"]) if record["normal_is_valid"] else None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (0,), Engine.get_state(self)

    def __setstate__(self, state: NDArray[np.uint8]) -> None:
        self.set_state(state)

    def seed64(self) -> int:
        """One number within 0 and 2^63 - 1: the seed that a data loader draws for each pass."""
        return int(self._words64(1)[0]) % 2**63

    def _words(self, n: int) -> NDArray[np.uint64]:
        return self._bits.random_raw(n)

    def _words64(self, n: int) -> NDArray[np.uint64]:
        """n words of 64 bits, each of two 32-bit words, the high one first."""
        words = self._words(2 * n)
        return (words[::2] << np.uint64(32)) | words[1::2]

    def _unit(self, n: int, dtype: DTypeLike) -> Array:
        """n uniforms in [0, 1): 53 bits for float64, 24 bits of one word for float32."""
        kernels = compiled(n)
        if kernels is not None:
            out = np.empty(n, dtype)
            run = kernels.unit64 if out.itemsize == 8 else kernels.unit32
            run(self._memory, 0.0, 1.0, 1.0, out)
            return out
        if n <= PIECE:
            return self._few_units(n, dtype)
        out = np.empty(n, dtype)
        for i in range(0, n, PIECE):
            out[i : i + PIECE] = self._few_units(min(PIECE, n - i), dtype)
        return out

    def _few_units(self, n: int, dtype: DTypeLike) -> Array:
        if dtype == np.float64:
            bits = self._words64(n)
            bits &= _LOW53
            return bits.view(np.int64) * 2.0**-53
        low = self._words(n).astype(np.int32)  # signed, since processors convert no others fast
        low &= _LOW24
        out = low.astype(np.float32)
        out *= _STEP24
        return out


def shape_and_size(shape: Shape) -> tuple[tuple[int, ...], int]:
    """The shape as a tuple, and its number of elements."""
    if type(shape) is tuple:
        found = shape
    else:
        several = isinstance(shape, (tuple, list, Sequence))
        found = tuple(map(operator.index, shape)) if several else (operator.index(shape),)  # type: ignore[arg-type]
    if found and min(found) < 0:
        raise RuntimeError(f"shape: no dimension may be negative, got {found}")
    return found, math.prod(found)


def floating(name: str, dtype: DTypeLike) -> np.dtype[Any]:
    """The dtype, refused unless real and floating."""
    found = np.dtype(dtype)
    if found.kind != "f" and found != ml_dtypes.bfloat16:
        raise RuntimeError(f"{name}: the dtype must be a real floating type, got {found}")
    return found


def cast(values: Array, dtype: DTypeLike) -> Array:
    """``values`` as ``dtype``, rounded to float32 on the way to a 16-bit type, as in PyTorch."""
    wanted = np.dtype(dtype)
    if values.dtype == wanted:
        return values
    if wanted.itemsize == 2 and wanted.kind not in "iu":
        values = values.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        return values.astype(wanted, copy=False)


def affine(x: Array, scale: float, shift: float) -> Array:
    """``x * scale + shift``; float32 is rounded once, as by the fused multiply-add of PyTorch's kernels."""
    if x.dtype != np.float32:
        return x * scale + shift
    narrow = np.float32(scale)
    if shift == 0:
        return x * narrow
    return (x.astype(np.float64) * float(narrow) + float(np.float32(shift))).astype(np.float32)
