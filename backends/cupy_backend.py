"""The CuPy backend: the shared table over ``cupy``, on NVIDIA GPUs."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

import numpy as np

from .array import ArrayBackend
from .device import device

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
    return None if count else "no NVIDIA GPU"


class CupyBackend(ArrayBackend):
    """CuPy on CUDA devices."""

    name = "cupy"
    device_type = "cuda"

    def __init__(self) -> None:
        self.xp = importlib.import_module("cupy")
        self.ndarray = self.xp.ndarray
        self._erf = importlib.import_module("cupyx.scipy.special").erf
        super().__init__()
        self.scalars = {np.dtype(t): _Plain() for t in (np.float32, np.float64)}

    def on(self, where: device) -> ArrayBackend:
        """The backend for one card: its kernels run with that card current."""
        if where.index is not None and where.index >= self.xp.cuda.runtime.getDeviceCount():
            raise RuntimeError(f"device '{where}': there are {self.xp.cuda.runtime.getDeviceCount()} CUDA devices")
        return self

    def current_index(self) -> int:
        """The number of the current card."""
        return int(self.xp.cuda.runtime.getDevice())

    def erf(self, x: Any) -> Any:
        return self._erf(x)

    def from_host(self, array: np.ndarray) -> Any:
        return self.xp.asarray(array)

    def to_host(self, array: Any) -> np.ndarray:
        return self.xp.asnumpy(array)

    def _add_at(self, target: Any, index: Any, value: Any) -> None:
        self.xp.add.at(target, index, value)

    def synchronize(self) -> None:
        self.xp.cuda.runtime.deviceSynchronize()


class _Plain(dict):  # type: ignore[type-arg]
    """Python numbers as they are: a kernel takes them as arguments, without an array on the device."""

    def __missing__(self, number: float) -> float:
        return number
