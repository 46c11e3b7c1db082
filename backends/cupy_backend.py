"""The CuPy backend: the shared table over ``cupy``, with CUDA kernels where fusing pays, on NVIDIA GPUs."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import ml_dtypes
import numpy as np

from .array import ArrayBackend
from .cupy_cards import PeakCounter, card_class
from .cupy_copies import HostCopies
from .cupy_draws import CardDraws
from .cupy_kernels import (
    AdaptiveUpdateKernels,
    CupyBuilder,
    DrawKernels,
    DropoutKernels,
    ElementwiseKernels,
    Faults,
    Kernels,
    LinearKernels,
    LossKernels,
    MatmulKernels,
    SoftmaxKernels,
    UpdateKernels,
)
from .cupy_memory import MemoryMixin
from .device import device
from .random import CounterGenerator, Generator

__all__ = ["CupyBackend", "why_not"]


def why_not() -> str | None:
    """Why this backend cannot run here, or None when it can."""
    if find_spec("cupy") is None:
        return 'the package cupy is not installed; pip install "tapegrad[cuda13]" or "tapegrad[cuda12]"'
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        return f"cupy cannot be imported: {str(error).strip().splitlines()[0]}"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"no usable NVIDIA GPU: {error}"
    if not count:
        return "no NVIDIA GPU"
    try:
        cupy.cuda.nvrtc.getVersion()
        cupy.cuda.cublas  # noqa: B018 - looking it up loads it
    except (ImportError, RuntimeError) as error:
        text = str(error).strip().splitlines()[0]
        return f'a CUDA library is missing: {text}; pip install "cupy-cuda13x[ctk]" or "cupy-cuda12x[ctk]"'
    return None


class CupyBackend(
    HostCopies, Faults, ElementwiseKernels, SoftmaxKernels, LossKernels, LinearKernels, MatmulKernels, UpdateKernels,
    AdaptiveUpdateKernels, DropoutKernels, DrawKernels, MemoryMixin, ArrayBackend,
):  # fmt: skip
    """CuPy on CUDA devices.

    Where CuPy differs from NumPy, and stays different here: an index out of range is not told at once, but at the next
    copy to the host or ``synchronize`` (see ``cupy_kernels/faults.py``); and additions to one place by several indices
    (``unindex``, ``ungather``, ``untake``) come in no fixed order, so that their last digits may differ from run to
    run.

    Args:
        xp: the array module; cupy for None.
        builder: makes the kernels; with CuPy for None.
    """

    name = "cupy"
    device_type = "cuda"

    def __init__(self, xp: Any = None, builder: Any = None) -> None:
        self.xp = importlib.import_module("cupy") if xp is None else xp
        self.ndarray = self.xp.ndarray
        self.k = Kernels(builder or CupyBuilder(self.xp))
        self._builder = builder
        self._tables: dict[Any, tuple[Any, Any]] = {}
        self._cards: dict[int, CupyBackend] = {}
        self.generator = CounterGenerator()
        self._watched: set[int] = set()
        self._flying: deque[tuple[Any, ...]] = deque()
        super().__init__()
        types = (np.float32, np.float64, np.float16, ml_dtypes.bfloat16)
        self.scalars = {np.dtype(t): _Typed(np.dtype(t).type, self) for t in types}

    # Cards

    def on(self, where: device) -> ArrayBackend:
        """The backend for one card: its kernels run with that card current.

        Raises:
            RuntimeError: there is no such card.
        """
        count = self.xp.cuda.runtime.getDeviceCount()
        index = self.current_index() if where.index is None else where.index
        if index >= count:
            raise RuntimeError(f"device '{where}': there {'is 1 card' if count == 1 else f'are {count} cards'}")
        if index not in self._cards:
            made = card_class(type(self), self.xp, index, count > 1)(self.xp, self._builder)
            made.k = self.k
            made.generator.device = where
            self._cards[index] = made
        return self._cards[index]

    def current_index(self) -> int:
        """The number of the current card."""
        return int(self.xp.cuda.runtime.getDevice())

    def normal(self, out: Any) -> Any:
        return out if type(out) is self.ndarray else self.xp.asarray(out)

    def compact(self, x: Any) -> Any:
        """``x`` in one piece, with nothing left to be written to it: ready to be read by another card."""
        x = self.xp.ascontiguousarray(x)
        self.xp.cuda.runtime.deviceSynchronize()
        return x

    def synchronize(self) -> None:
        """Wait until all work handed to the card is done.

        Raises:
            IndexError: an operation met an index or a class number out of range since the last look.
        """
        self.xp.cuda.runtime.deviceSynchronize()
        self._flying.clear()
        self.check_faults(None)

    def constant(self, number: Any) -> Any:
        """A NumPy scalar as an array on the card that any stream may read from now on."""
        made = self.xp.full((), number, number.dtype)
        self.xp.cuda.runtime.deviceSynchronize()
        return made

    # Memory

    def record_stream(self, x: Any, stream: Any) -> None:
        """See ``Tensor.record_stream``."""
        from .cuda.streams import keep_for

        keep_for(x, stream)

    def reset_peak(self, index: int) -> None:
        """Begin to count the most bytes that arrays hold at once on a card."""
        PeakCounter.of(self.xp).reset(index)

    def peak(self, index: int) -> int:
        """The most bytes held at once since ``reset_peak``; before it, what the pool has taken, which is no less."""
        return PeakCounter.of(self.xp).peak(index)

    def filled(self, shape: tuple[int, ...], value: Any, dtype: np.dtype) -> Any:
        return super().filled(shape, value if value is None or type(value) is int else dtype.type(value), dtype)

    # Random numbers

    def draws(self, generator: Any) -> Any:
        return (
            super().draws(generator)
            if isinstance(generator, Generator)
            else CardDraws(self, generator or self.generator)
        )

    def perform(self, work: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Run ``work`` as the kernels run: with the card current, telling in full what memory there is."""
        return work(*args, **options)

    # Where CuPy differs

    def watching_solvers(self) -> Any:
        """CuPy's solvers leave a failure unsaid, and wrong numbers behind, unless they are told to look and wait."""
        return importlib.import_module("cupyx").errstate(linalg="raise")

    def _add_at(self, target: Any, index: Any, value: Any) -> None:
        """CuPy adds at indices in float16, float32, float64 and in integers of 32 and 64 bits; others go by a copy."""
        kind, size = target.dtype.kind, target.dtype.itemsize
        if kind == "f" or (kind in "iu" and size >= 4):
            self.xp.add.at(target, index, value)
            return
        if kind == "c":
            self._add_at(target.real, index, value.real)
            self._add_at(target.imag, index, value.imag)
            return
        wide = target.astype(np.float32 if kind == "V" else np.int32)
        self.xp.add.at(wide, index, value.astype(wide.dtype))
        target[...] = wide.astype(target.dtype)

    def argmax(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        return super().argmax(_comparable(x), dim, keepdim)

    def argmin(self, x: Any, dim: int | None, keepdim: bool) -> Any:
        return super().argmin(_comparable(x), dim, keepdim)

    def argsort(self, x: Any, dim: int, descending: bool, stable: bool) -> Any:
        return super().argsort(_comparable(x), dim, descending, stable)

    def any(self, x: Any, dims: Any, keepdim: bool) -> Any:
        return super().any(_comparable(x), dims, keepdim)

    def all(self, x: Any, dims: Any, keepdim: bool) -> Any:
        return super().all(_comparable(x), dims, keepdim)

    def count_nonzero(self, x: Any, dims: Any) -> Any:
        return super().count_nonzero(_comparable(x), dims)

    def logical_not(self, x: Any) -> Any:
        return self.xp.logical_not(_logical(x))

    def logical_and(self, a: Any, b: Any) -> Any:
        return self.xp.logical_and(_logical(a), _logical(b))

    def logical_or(self, a: Any, b: Any) -> Any:
        return self.xp.logical_or(_logical(a), _logical(b))

    def logical_xor(self, a: Any, b: Any) -> Any:
        return self.xp.logical_xor(_logical(a), _logical(b))

    def sign(self, x: Any) -> Any:
        return super().sign(_comparable(x)).astype(x.dtype, copy=False)

    def largest_of_windows(self, x: Any, places: Any) -> Any:
        return super().largest_of_windows(_comparable(x), places)

    def cummax(self, x: Any, dim: int) -> Any:
        return super().cummax(_comparable(x), dim)

    def cummin(self, x: Any, dim: int) -> Any:
        return super().cummin(_comparable(x), dim)

    def xlogy(self, a: Any, b: Any) -> Any:
        narrow = [x.dtype for x in (a, b) if hasattr(x, "dtype") and x.dtype.kind == "V"]
        out = super().xlogy(_comparable(a), _comparable(b))
        return out.astype(narrow[0]) if narrow else out

    # About it

    def versions(self) -> dict[str, str]:
        runtime = self.xp.cuda.runtime
        return super().versions() | {
            "CUDA runtime": _version(runtime.runtimeGetVersion()), "CUDA driver": _version(runtime.driverGetVersion()),
        }  # fmt: skip

    def settings(self) -> dict[str, str]:
        runtime = self.xp.cuda.runtime
        cards = {}
        for i in range(runtime.getDeviceCount()):
            found = runtime.getDeviceProperties(i)
            size = f"{found['totalGlobalMem'] / 2**30:.0f} GiB"
            cards[f"card {i}"] = (
                f"{found['name'].decode()}, {size}, compute capability {found['major']}.{found['minor']}"
            )
        return cards


class _Typed(dict):  # type: ignore[type-arg]
    """Python numbers as NumPy scalars of one type: a kernel takes them as arguments, without an array on the card.

    Plain Python numbers would not do: two of them meet in some formulas, and CuPy would make float64 of them. The one
    is an array all the same, since every backward begins with it.
    """

    def __init__(self, kind: type, backend: CupyBackend) -> None:
        self._kind, self._backend = kind, backend

    def __missing__(self, number: float) -> Any:
        if number != 1:
            return self._kind(number)
        made = self[number] = self._backend.constant(self._kind(number))
        return made


def _comparable(x: Any) -> Any:
    """bfloat16, for which CuPy lacks some operations, as float32; anything else as it is."""
    return x.astype(np.float32) if hasattr(x, "dtype") and x.dtype.kind == "V" else x


def _logical(x: Any) -> Any:
    """What is true of each element, where CuPy has no logical operation of the type; anything else as it is."""
    return x != 0 if hasattr(x, "dtype") and x.dtype.kind in "cV" else x


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
