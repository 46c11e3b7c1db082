"""Page-locked ("pinned") host memory, from and to which a card copies while the program goes on."""

from __future__ import annotations

from typing import Any

from ...backends import BackendError, cuda, device_of
from ..grad_mode import is_grad_enabled
from ..tensor import Tensor, wrap
from ..writes import overwrite, write
from . import move

__all__ = ["copy_", "is_pinned", "pin_memory"]


def pin_memory(x: Tensor, device: Any = None) -> Tensor:
    """A copy in pinned memory, without history; the tensor itself where it is pinned already.

    Args:
        x: on the CPU.
        device: for which device; the current CUDA device for None.

    Raises:
        RuntimeError: the tensor is not on the CPU, or there is no accelerator.
    """
    if x._device.type != "cpu":
        raise RuntimeError(f"pin_memory: only tensors on the CPU can be pinned, this one is on {x._device}")
    try:
        backend = device_of("cuda" if device is None else device).backend
    except BackendError as error:
        raise RuntimeError(f"pin_memory: there is no accelerator: {error}") from None
    return x if backend.is_pinned(x._array) else wrap(backend.pinned(x._array), x._device)


def is_pinned(x: Tensor, device: Any = None) -> bool:
    """Whether the tensor lies in pinned memory; False where CUDA is not in use."""
    if x._device.type != "cpu" or (device is None and not cuda.is_initialized()):
        return False
    return bool(device_of("cuda" if device is None else device).backend.is_pinned(x._array))


def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Take over the elements of ``src``, converted and broadcast; ``non_blocking`` as in ``to``."""
    if non_blocking and isinstance(src, Tensor) and src._device is not self._device:
        if self._device.type != "cpu":
            src = move.to(src, self._device, non_blocking=True)
        elif _as_it_is(self, src) and src._device.backend.is_pinned(self._array):
            src._device.backend.fetch(src._array, self._array)
            self._cell[0] += 1
            return self
    return write("copy_", self, overwrite, src)


def _as_it_is(target: Tensor, src: Tensor) -> bool:
    """Whether the bytes of ``src`` can be written into ``target`` as they are, and nothing is to be recorded."""
    a, b = target._array, src._array
    fits = a.shape == b.shape and a.dtype == b.dtype and a.flags.c_contiguous and a.flags.writeable
    return fits and not (is_grad_enabled() and (target.requires_grad or src.requires_grad))
