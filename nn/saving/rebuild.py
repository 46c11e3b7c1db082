"""The functions that a file names to make tensors again. Every argument comes from the file and is checked."""

from __future__ import annotations

from typing import Any

from ...autograd import Tensor
from ...autograd.ops.memory import TypedStorage, UntypedStorage
from ...autograd.rule import P
from ...autograd.tensor import wrap
from ...backends import dtypes
from ..parameter import Parameter

__all__ = [
    "from_type",
    "parameter",
    "parameter_with_state",
    "set_attributes",
    "tensor",
    "tensor_of_old",
    "tensor_of_type",
]


def tensor(
    storage: TypedStorage, storage_offset: int, size: Any, stride: Any, requires_grad: bool = False, hooks: Any = None,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor over a part of a memory, by sizes and strides in elements.

    Raises:
        RuntimeError: the part reaches beyond the memory.
    """
    if not isinstance(storage, TypedStorage):
        raise RuntimeError(f"load: a tensor of {type(storage).__name__} in place of a memory")
    made = _over(storage.untyped(), storage.dtype, storage_offset, tuple(size), tuple(stride))
    for what, change in (("conj", P.conj), ("neg", P.neg)):
        if metadata and metadata.get(what):
            made = change(made)
    return made.requires_grad_() if requires_grad else made


def tensor_of_type(
    storage: Any, storage_offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any, dtype: Any,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor over a part of a memory that does not say its element type."""
    untyped = storage.untyped() if isinstance(storage, TypedStorage) else storage
    if not isinstance(untyped, UntypedStorage) or not isinstance(dtype, dtypes.dtype):
        raise RuntimeError(f"load: a tensor of {type(storage).__name__} and {dtype!r} in place of a memory and a dtype")
    typed = TypedStorage(untyped, dtype)
    return tensor(typed, storage_offset, size, stride, requires_grad, hooks, metadata)


def tensor_of_old(storage: TypedStorage, storage_offset: int, size: Any, stride: Any) -> Tensor:
    """A tensor as files of the first versions describe it."""
    return tensor(storage, storage_offset, size, stride)


def _over(storage: UntypedStorage, dtype: dtypes.dtype, offset: int, size: Any, stride: Any) -> Tensor:
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or not all(type(n) is int and n >= 0 for n in numbers):
        raise RuntimeError(f"load: no tensor begins at {offset} with size {list(size)} and stride {list(stride)}")
    elements = storage._bytes()[: storage.nbytes() // dtype.itemsize * dtype.itemsize].view(dtype.numpy)
    if 0 in size:
        return wrap(elements[:0].reshape(size), storage.device)
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if last >= elements.shape[0]:
        raise RuntimeError(
            f"load: a tensor of size {list(size)} and stride {list(stride)} from element {offset} on does not fit into "
            f"its memory of {elements.shape[0]}; the file was changed"
        )
    strided = storage.device.backend.xp.lib.stride_tricks.as_strided
    array = strided(elements[offset:], size, tuple(s * dtype.itemsize for s in stride))
    made = wrap(array, storage.device)
    made._cell = storage._cell
    return made


def parameter(data: Tensor, requires_grad: bool, hooks: Any = None) -> Parameter:
    """A parameter over the memory of a tensor."""
    return Parameter(data, bool(requires_grad))


def parameter_with_state(data: Tensor, requires_grad: bool, hooks: Any, state: Any) -> Any:
    """A parameter with attributes of its own."""
    return set_attributes(parameter(data, requires_grad), state)


def from_type(make: Any, kind: Any, args: Any, state: Any) -> Tensor:
    """A tensor of a subclass, or one with attributes of its own."""
    if make not in (tensor, tensor_of_type, tensor_of_old, parameter):
        raise RuntimeError(f"load: {make!r} makes no tensors")
    made = make(*args)
    if type(made) is not kind:
        if not (isinstance(kind, type) and issubclass(kind, Tensor)):
            raise RuntimeError(f"load: {kind!r} is no class of tensors")
        grad, made = made.requires_grad, made.detach().as_subclass(kind)
        if grad:
            made.requires_grad_()
    return set_attributes(made, state)


def set_attributes(obj: Any, state: Any) -> Any:
    """Set attributes of an object from a dictionary; none may hide what its class defines.

    Raises:
        RuntimeError: not a dictionary of such names.
    """
    if isinstance(state, tuple) and len(state) == 2 and not state[1]:
        state = state[0] or {}
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise RuntimeError(f"load: the attributes of a {type(obj).__name__} must be a dictionary by name")
    hidden = [name for name in state if hasattr(type(obj), name)]
    if hidden:
        raise RuntimeError(f"load: the file would replace {type(obj).__name__}.{hidden[0]}; it was changed")
    vars(obj).update(state)
    return obj
