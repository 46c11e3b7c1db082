"""Tensors among Python's and NumPy's own: numbers, arrays, copies, pickles, DLPack."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...backends import default_device, device_of, dtypes
from ..rule import P
from ..tensor import Tensor, wrap
from . import move, pieces, shape

__all__ = ["METHODS", "from_dlpack", "to_dlpack"]

CPU, CUDA = 1, 2  # device types of DLPack


# Numbers


def _one(self: Tensor) -> Any:
    if self._array.size != 1:
        raise ValueError(f"only a tensor of one element is a Python number; this one has shape {list(self.shape)}")
    return move.item(self)


def _real(self: Tensor) -> Any:
    value = _one(self)
    if isinstance(value, complex):
        if value.imag:
            raise RuntimeError(f"the complex number {value} is no real one; use .real or abs()")
        return value.real
    return value


def _bool(self: Tensor) -> bool:
    if self._array.size != 1:
        raise RuntimeError(f"bool of a tensor of shape {list(self.shape)} is ambiguous; use .any() or .all()")
    return bool(move.item(self))


def _index(self: Tensor) -> int:
    if self._array.size != 1 or self._array.dtype.kind not in "iub":
        raise TypeError(f"an index must be an integer tensor of one element, not {self.dtype} of {list(self.shape)}")
    return int(move.item(self))


def _format(self: Tensor, spec: str) -> str:
    return (
        format(move.item(self), spec)
        if not self._array.ndim and type(self) is Tensor
        else object.__format__(self, spec)
    )


# Sequences


def _len(self: Tensor) -> int:
    if not self.ndim:
        raise TypeError("len() of a 0-d tensor")
    return int(self._array.shape[0])


def _iter(self: Tensor) -> Iterator[Tensor]:
    if not self.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(pieces.unbind(self, 0))


def _reversed(self: Tensor) -> Tensor:
    return shape.flip(self, 0) if self.ndim else self


def _contains(self: Tensor, element: Any) -> bool:
    if not isinstance(element, (Tensor, bool, int, float, complex, np.number)):
        raise RuntimeError(f"'in' a tensor asks for a tensor or a number, not {type(element).__name__}")
    return bool(move.item(P.any(P.eq(self, element), None, False)))


def or_not_implemented(operation: Callable[..., Any]) -> Callable[[Tensor, Any], Any]:
    """An operator that leaves foreign types to Python: ``x == None`` is False, ``x @ array`` is NumPy's."""

    def operator(self: Tensor, other: Any) -> Any:
        try:
            return operation(self, other)
        except TypeError:
            return NotImplemented

    operator.__name__ = operation.__name__
    return operator


def _invert(self: Tensor) -> Tensor:
    if self._array.dtype.kind not in "biu":
        raise TypeError(f"~: only integer and bool tensors can be inverted, got {self.dtype.name}")
    return P.bitwise_not(self)


# NumPy


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    array = move.numpy(self)
    if copy is False and dtype is not None and array.dtype != np.dtype(dtype):
        raise ValueError(f"__array__: copy=False, but {self.dtype.name} must be converted to {np.dtype(dtype)}")
    return np.array(array, dtype, copy=copy) if copy else array if dtype is None else array.astype(dtype, copy=False)


def _array_wrap(self: Tensor, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Tensor:
    """What a NumPy function of tensors answers: a tensor (of uint8 where NumPy says bool, as in PyTorch)."""
    array = np.asarray(array)
    made = wrap(array.astype(np.uint8) if array.dtype.kind == "b" else array, device_of("cpu"))
    dtypes.of(array.dtype)
    return made


# Copies


def rebuild(cls: type[Tensor], array: np.ndarray, device: str, requires_grad: bool, state: dict[str, Any]) -> Tensor:
    """A tensor from what its pickle holds."""
    made: Tensor = object.__new__(cls)
    where = device_of(device)
    made._array, made._device = where.backend.from_host(array), where
    made._cell, made._view, made._node = [0], None, None
    made.__dict__.update(state)
    return made.requires_grad_() if requires_grad else made


def _state(self: Tensor) -> dict[str, Any]:
    return {name: value for name, value in self.__dict__.items() if name != "_kept_grad"}


def _reduce(self: Tensor, protocol: Any) -> tuple[Any, ...]:
    if not self.is_leaf:
        warnings.warn("pickle: the tensor is saved without the history that computed it", UserWarning, stacklevel=2)
    array = self._device.backend.to_host(self._array)
    return rebuild, (type(self), array, str(self._device), self.requires_grad, _state(self))


def _copy(self: Tensor) -> Tensor:
    made: Tensor = object.__new__(type(self))
    made._array, made._device, made._cell = self._array, self._device, self._cell
    made._view, made._node = None, None
    made.__dict__.update(_state(self))
    return made.requires_grad_() if self.requires_grad else made


def _copied_memory(x: Tensor, memo: dict[Any, Any]) -> tuple[Any, list[int]]:
    """A copy of the array and its version counter: views of one memory are views of one copy, as in PyTorch."""
    storage = x.untyped_storage()
    owner, item = storage._owner, x._array.itemsize
    if not x._array.size or owner.nbytes % item or not (owner.flags.c_contiguous or owner.flags.f_contiguous):
        return x._device.backend.copy(x._array), [0]
    key = ("memory", x._device, storage.data_ptr())
    if key not in memo:
        memo[key] = storage.clone(), storage  # the old one is kept, so that its address stays its own
    copied = memo[key][0]
    elements = copied._bytes().view(x._array.dtype)[(x.data_ptr() - storage.data_ptr()) // item :]
    strided = x._device.backend.xp.lib.stride_tricks.as_strided
    return strided(elements, x._array.shape, x._array.strides), copied._cell


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    node = self._current()
    if node is not None and node.edges is not None:
        raise RuntimeError("deepcopy: only leaves can be deep-copied; this tensor was computed; use clone()")
    made: Tensor = object.__new__(type(self))
    made._array, made._cell = _copied_memory(self, memo)
    made._device, made._view, made._node = self._device, None, None
    made.__dict__.update(self.__dict__)
    if node is not None:
        made.requires_grad_()
        made.grad = None if node.grad is None else move.clone(node.grad).detach()
    return made


def _as_subclass(self: Tensor, cls: type[Tensor]) -> Tensor:
    """The same memory and history as an instance of a subclass of Tensor."""
    made: Tensor = object.__new__(cls)
    made._array, made._device, made._cell = self._array, self._device, self._cell
    made._view, made._node = self._view, self._current()
    return made


# DLPack: https://dmlc.github.io/dlpack/latest/python_spec.html


def _dlpack(self: Tensor, **kwargs: Any) -> Any:
    """A capsule over the tensor's memory; ``stream``, ``max_version``, ``dl_device`` and ``copy`` as DLPack says.

    Raises:
        BufferError: the tensor requires grad, or the other library cannot take it.
    """
    if self.requires_grad:
        raise BufferError("__dlpack__: this tensor requires grad, which does not travel; export .detach()")
    if self._device.type == "cpu":
        stream = kwargs.pop("stream", None)
        if stream not in (None, -1):
            raise BufferError(f"__dlpack__: a CPU tensor has no stream, got {stream}")
    return self._array.__dlpack__(**kwargs)


def _dlpack_device(self: Tensor) -> tuple[int, int]:
    """DLPack's number of the device type, and which device."""
    if self._device.type in ("cpu", "cuda"):
        return (CPU, 0) if self._device.type == "cpu" else (CUDA, self._device.index or 0)
    found: tuple[int, int] = self._array.__dlpack_device__()
    return found


def _cuda_array_interface(self: Tensor) -> dict[str, Any]:
    """The memory of a tensor on a card, for Numba and other libraries; a CPU tensor has no such attribute.

    Indices out of range that the card has not told yet stay untold: the other library reads what is there.

    Raises:
        AttributeError: the tensor is on the CPU. RuntimeError: it requires grad.
    """
    if self._device.type == "cpu":
        raise AttributeError("__cuda_array_interface__: this tensor is on the CPU; move it with .to('cuda')")
    if self.requires_grad:
        raise RuntimeError("__cuda_array_interface__: this tensor requires grad, which does not travel; use .detach()")
    found: dict[str, Any] = self._array.__cuda_array_interface__
    return found


class _Capsule:
    """A capsule of the old protocol, as an object of the new one."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU, 0


class _Memory:
    """The memory of an array that says it is read-only only because its protocol was too old to say otherwise."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.__array_interface__ = array.__array_interface__ | {"data": (array.ctypes.data, False)}


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule over the tensor's memory, to be taken by one other library once."""
    return tensor.__dlpack__()


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of another library's array.

    Args:
        ext_tensor: an object with ``__dlpack__``, or a DLPack capsule of CPU memory.
        device: where the result shall be.
        copy: True copies always, False never.

    Raises:
        BufferError, TypeError: the memory cannot be shared, or is of a type that tensors do not have, or the tensor
            requires grad.
        RuntimeError: the capsule was taken before.
    """
    if isinstance(ext_tensor, Tensor):
        if ext_tensor.requires_grad:
            raise BufferError("from_dlpack: this tensor requires grad, which does not travel; pass a detach() of it")
        made = ext_tensor.detach()
    elif not hasattr(ext_tensor, "__dlpack__"):
        made = _from_cpu(_Capsule(ext_tensor))
    elif ext_tensor.__dlpack_device__()[0] == CPU:
        made = _from_cpu(ext_tensor)
    else:
        kind = default_device().type if default_device().type != "cpu" else "cuda"
        where = device_of(f"{kind}:{ext_tensor.__dlpack_device__()[1]}")
        made = wrap(where.backend.xp.from_dlpack(ext_tensor), where)
    if device is not None and device_of(device) is not made._device:
        if copy is False:
            raise BufferError(f"from_dlpack: copy=False, but the memory is on {made.device}, not on {device}")
        return made.to(device)
    return P.copy(made) if copy else made


def _from_cpu(source: Any) -> Tensor:
    try:
        array = source if isinstance(source, np.ndarray) else np.from_dlpack(source)
    except ValueError as error:
        if "PyCapsule" not in str(error):
            raise
        raise RuntimeError(
            "from_dlpack: needs an object with __dlpack__, or a DLPack capsule that nobody has taken; export it anew"
        ) from error
    dtypes.of(array.dtype)
    if min(array.strides, default=0) < 0:
        raise BufferError("from_dlpack: the array has negative strides; pass a copy of it")
    if not array.flags.writeable and not isinstance(source, np.ndarray):
        array = np.asarray(_Memory(array))
    return wrap(array, device_of("cpu"))


METHODS: dict[str, Any] = {
    "__bool__": _bool, "__len__": _len, "__iter__": _iter, "__reversed__": _reversed, "__contains__": _contains,
    "__float__": lambda self: float(_real(self)), "__int__": lambda self: int(_real(self)),
    "__complex__": lambda self: complex(_one(self)), "__index__": _index, "__format__": _format,
    "__pos__": lambda self: self, "__invert__": _invert,
    "__eq__": or_not_implemented(P.eq), "__ne__": or_not_implemented(P.ne),
    "__lt__": or_not_implemented(P.lt), "__le__": or_not_implemented(P.le),
    "__gt__": or_not_implemented(P.gt), "__ge__": or_not_implemented(P.ge),
    "__array__": _array, "__array_wrap__": _array_wrap, "__reduce_ex__": _reduce, "__copy__": _copy,
    "__deepcopy__": _deepcopy, "as_subclass": _as_subclass, "__dlpack__": _dlpack,
    "__dlpack_device__": _dlpack_device, "__cuda_array_interface__": property(_cuda_array_interface),
}  # fmt: skip
