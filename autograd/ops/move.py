"""Type, device and memory: casts, copies, and the way out to Python and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends import device_of, dtypes
from ...backends.device import device as Device
from ..layouts import contiguous_format
from ..promote import warn_of_lost_part
from ..rule import P
from ..tensor import Tensor, wrap
from .memory_order import is_in_order, order_of, relaid

__all__ = ["clone", "cpu", "cuda", "detach", "item", "numpy", "to", "tolist", "type_"]


def to(x: Tensor, *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False, copy: bool = False,
       memory_format: Any = None) -> Tensor:  # fmt: skip
    """The tensor on another device or with another element type; itself where nothing changes.

    Args:
        args: a device, a dtype, both, or a tensor to be like.
        device: where to.
        dtype: which type.
        non_blocking: go on before a copy between host and card is done: to the card from pinned memory, which must not
            be written meanwhile; to the host into pinned memory, which must not be read before the card's work is
            waited for (``tapegrad.cuda.synchronize()``). Other copies wait.
        copy: copy even where nothing changes.
        memory_format: the order of the result in memory; None keeps that of ``input``.
    """
    flags = [a for a in args if isinstance(a, bool)]  # by position: non_blocking, copy
    non_blocking, copy = (*flags, *(non_blocking, copy)[len(flags) :])
    for a in args:
        if isinstance(a, Tensor):
            device, dtype = a.device, a.dtype
        elif isinstance(a, (str, Device)) and (isinstance(a, Device) or a.partition(":")[0] not in dtypes._by_name):
            device = a
        elif isinstance(a, int) and not isinstance(a, bool):
            device = f"cuda:{a}"
        elif a is not None and not isinstance(a, bool):
            dtype = a
    out = x
    if dtype is not None:
        wanted = dtypes.to_numpy(dtype)
        if wanted != out._array.dtype:
            warn_of_lost_part(out._array.dtype, wanted)
            out = P.cast(out, wanted)
    if device is not None:
        where = device_of(device)
        if where != out._device:
            out = P.transfer(out, out._device, where, non_blocking)
    if out is x:
        order = None if memory_format is None else order_of("to", x, memory_format)
        rows = memory_format is contiguous_format and not x._array.flags.c_contiguous
        moved = rows or (order is not None and not is_in_order(x._array, order))
        return clone(x, memory_format=memory_format) if copy or moved else x
    return out if memory_format is None else relaid(out, _other_order("to", x, out, memory_format))


def type_(x: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, or the tensor in another type: a dtype or a name such as "torch.LongTensor"."""
    if dtype is None:
        word = next(word for word, of in dtypes.TENSOR_TYPES.items() if of is x.dtype)
        return f"tapegrad.{'' if x._device.type == 'cpu' else x._device.type + '.'}{word}Tensor"
    if isinstance(dtype, str) and dtype.endswith("Tensor"):
        found, device = dtypes.of_tensor_type(dtype)
        return to(x, dtype=found, device=device)
    if isinstance(dtype, type) and hasattr(dtype, "dtype"):
        return to(x, dtype=dtype.dtype, device="cpu")
    return to(x, dtype=dtype)


def cpu(x: Tensor) -> Tensor:
    """The tensor on the CPU."""
    return to(x, device="cpu")


def cuda(x: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """The tensor on a CUDA device; ``non_blocking`` as in ``to``."""
    where = "cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device
    return to(x, device=where, non_blocking=non_blocking)


def detach(input: Tensor) -> Tensor:
    """The same memory without history; writes to it are still counted."""
    made = wrap(input._array, input._device)
    made._cell = input._cell
    return made


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy in memory of its own, with history."""
    made = P.copy(input)
    if memory_format is None and input._array.flags.c_contiguous:
        return made
    return relaid(made, order_of("clone", input, memory_format))


def _other_order(name: str, x: Tensor, made: Tensor, wanted: Any) -> tuple[int, ...] | None:
    """The order to move ``made``, a copy of ``x`` in the order of ``x``, to."""
    order = order_of(name, x, wanted)
    if order is None and not made._array.flags.c_contiguous:
        return tuple(range(made._array.ndim))
    return order


def numpy(x: Tensor, *, force: bool = False) -> np.ndarray:
    """The CPU memory of the tensor as a NumPy array, shared.

    Args:
        force: detach and copy to the CPU first where needed.

    Raises:
        RuntimeError: the tensor requires grad. TypeError: it is not on the CPU.
    """
    if not force:
        if x._current() is not None:
            raise RuntimeError("numpy: this tensor requires grad; use .detach().numpy()")
        if x._device.type != "cpu":
            raise TypeError(f"numpy: this tensor is on {x._device}; use .cpu().numpy()")
    return x._device.backend.to_host(x._array)


def storage_offset(x: Tensor) -> int:
    """How many elements lie in memory before the first one of this tensor."""
    return int((address(x._array) - address(owner_of(x._array))) // x._array.itemsize)


def owner_of(array: Any) -> Any:
    """The array that owns the memory of ``array``; a view by strides keeps it one object further."""
    owner = array
    while True:
        base = getattr(owner, "base", None)
        base = base if isinstance(base, type(array)) else getattr(base, "base", None)
        if not isinstance(base, type(array)):
            return owner
        owner = base


def address(array: Any) -> int:
    """Where an array's first element lies, in the memory of its device."""
    return int(array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr)


def item(x: Tensor) -> Any:
    """The only element as a Python number.

    Raises:
        RuntimeError: not exactly one element.
    """
    if x._array.size != 1:
        raise RuntimeError(
            f"item: a tensor of {x._array.size} elements is not one number; its shape is {list(x.shape)}"
        )
    array = x._device.backend.to_host(x._array)
    return float(array) if array.dtype.kind == "V" else array.item()


def tolist(x: Tensor) -> Any:
    """The elements as nested lists of Python numbers."""
    array = x._device.backend.to_host(x._array)
    return (array.astype(np.float32) if array.dtype.kind == "V" else array).tolist()
