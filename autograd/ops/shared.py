"""Memory that several processes see: ``share_memory_``."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from ..tensor import Tensor
from . import move

__all__ = ["is_shared", "share_memory_"]

# id of the array that owns the memory -> what tells another process where it is. An entry goes with its array.
_blocks: dict[int, Any] = {}


def is_shared(self: Tensor) -> bool:
    """Whether processes that are started from now on see what is written to the tensor; on a card always."""
    return self._device.type == "cuda" or id(_owner(self._array)) in _blocks


def share_memory_(self: Tensor) -> Tensor:
    """Move the tensor into memory that processes started later see too, by whatever start method, and return it.

    What is written in place in one process is seen in all; nobody waits for another's write. Tensors that look at the
    old memory (a ``detach()`` made before) keep it. On a card nothing happens.

    Raises:
        RuntimeError: the tensor is a view; share what it is a view of.
    """
    if is_shared(self):
        return self
    if self._view is not None:
        raise RuntimeError("share_memory_: the tensor is a view of another; share that one, or a clone() of this")
    array = self._array
    order = sorted(range(array.ndim), key=lambda d: -array.strides[d])  # keeps channels_last
    flat = _allocated(array.nbytes)[: array.nbytes].view(array.dtype)
    shared = flat.reshape([array.shape[d] for d in order]).transpose(np.argsort(order))
    shared[...] = array
    self._array = shared
    return self


def _owner(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _allocated(size: int) -> Any:
    """An array of bytes in shared memory; from now on tensors of such memory go to other processes without a copy."""
    from multiprocessing.heap import BufferWrapper  # most programs start no process
    from multiprocessing.reduction import ForkingPickler

    kinds = [Tensor]
    for kind in kinds:  # which grows
        kinds += kind.__subclasses__()
        ForkingPickler.register(kind, _reduced)
    return _opened(BufferWrapper(max(size, 1)))


def _opened(block: Any) -> Any:
    memory = np.frombuffer(block.create_memoryview(), np.uint8)
    _blocks[id(memory)] = block
    weakref.finalize(memory, _blocks.pop, id(memory), None)
    return memory


def _reduced(x: Tensor) -> tuple[Any, ...]:
    """How a tensor goes to another process: by the place of its memory where that is shared, else by its numbers."""
    array = x._array
    owner = _owner(array)
    block = _blocks.get(id(owner)) if isinstance(array, np.ndarray) else None
    if block is None:
        return x.__reduce_ex__(2)
    held = array.shape, array.strides, array.dtype, move.address(array) - move.address(owner)
    return _attached, (type(x), block, held, x.requires_grad, {k: v for k, v in vars(x).items() if k != "_kept_grad"})


def _attached(kind: type[Tensor], block: Any, held: tuple[Any, ...], grad: bool, state: dict[str, Any]) -> Tensor:
    from .interop import rebuild

    shape, strides, dtype, place = held
    array: Any = np.ndarray(shape, dtype, _opened(block), place, strides)
    return rebuild(kind, array, "cpu", grad, state)
