"""Making tensors from data: numbers, sequences, arrays, memory."""

from __future__ import annotations

import warnings
from collections import deque
from functools import reduce
from typing import Any

import numpy as np

from ...backends import default_device, device_of, dtypes
from ...backends.memory import explain
from ..grad_mode import INFERRING, inferred
from ..promote import get_default_dtype, join
from ..rule import P
from ..tensor import Tensor, wrap

__all__ = ["as_tensor", "asarray", "from_numpy", "frombuffer", "scalar_tensor", "tensor"]


def finish(array: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """A NumPy array, or one of the device, as a tensor of this type, on this device."""
    where = device_of(device)
    if dtype is not None:
        array = array.astype(dtypes.to_numpy(dtype), copy=False)
    made = wrap(where.backend.from_host(array) if isinstance(array, (np.ndarray, np.generic)) else array, where)
    if INFERRING:
        made = inferred(made)
    return made.requires_grad_() if requires_grad else made


def from_data(data: Any, exact: bool = False) -> np.ndarray:
    """Python numbers, nested sequences, arrays and tensors as one NumPy array of PyTorch's choice of type.

    ``exact`` leaves Python's floats in double precision, where another type is to be made of them.
    """
    if isinstance(data, Tensor):
        return data._device.backend.to_host(data._array)
    if isinstance(data, (np.ndarray, np.generic)) or hasattr(data, "__array_interface__"):
        array = np.asarray(data)
        if min(array.strides, default=0) < 0:
            raise ValueError("tensor: the array has negative strides, as of a[::-1]; pass a copy of it")
        return array
    if not isinstance(data, (bool, int, float, complex, str)) and not hasattr(data, "__len__"):
        raise RuntimeError(f"tensor: cannot make numbers of {type(data).__name__}")
    kinds = _kinds(data) if isinstance(data, NESTED) else set()
    typed = any(isinstance(k, dtypes.dtype) for k in kinds)
    if typed:
        data = _lower(data)
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(f"tensor: the nested sequences have different lengths: {error}") from None
    except MemoryError as error:
        explain("tensor", error)
        raise
    if (array.dtype == np.uint64 and not exact and not typed) or (array.dtype == object and _holds(data, int)):
        raise ValueError(f"tensor: {str(data)[:60]} does not fit into int64")
    if array.dtype.kind not in "biufcV" or array.dtype == object:
        kind = RuntimeError if isinstance(data, (set, dict)) else TypeError
        raise kind(f"tensor: cannot make numbers of {type(data).__name__} {str(data)[:60]!r}")
    if exact:
        return array
    if typed:  # as PyTorch promotes tensors with dimensions, whatever holds them
        return array.astype(reduce(join, [_as_dtype(k) for k in kinds]).numpy)
    if array.size == 0 and array.dtype == np.float64:
        return array.astype(get_default_dtype().numpy)
    if array.dtype.kind == "f":
        return array.astype(get_default_dtype().numpy)
    if array.dtype.kind == "c":
        return array.astype(get_default_dtype().to_complex().numpy)
    return array


def _on_a_card(data: Any) -> bool:
    """Whether data is another library's array on a card."""
    return not isinstance(data, (Tensor, np.ndarray)) and hasattr(data, "__cuda_array_interface__")


def _from_card(data: Any) -> Tensor:
    """A tensor over the memory of another library's array on a card."""
    kind = default_device().type if default_device().type != "cpu" else "cuda"
    array = device_of(kind).backend.xp.asarray(data)
    dtypes.of(array.dtype)
    card = getattr(array, "device", None)  # the memory says on which card it lies
    where = device_of(kind if card is None else f"{kind}:{card.id}")
    return wrap(array, where)


def _holds(data: Any, types: Any) -> bool:
    """Whether the first element of nested sequences is of one of these types."""
    while isinstance(data, NESTED):
        if not data:
            return False
        data = data[0]
    return isinstance(data, types)


def _kinds(data: Any) -> set[Any]:
    """The types in nested sequences: of Python's numbers their class, of tensors and arrays the dtype."""
    if isinstance(data, NESTED):
        types = set(map(type, data))
        return types if types <= PLAIN else set().union(*map(_kinds, data))
    return {dtypes.of(data.dtype)} if isinstance(data, (Tensor, np.ndarray, np.generic)) else {type(data)}


PLAIN = {bool, int, float, complex}
NESTED = (list, tuple, deque)


def _as_dtype(kind: Any) -> dtypes.dtype:
    if kind is float:
        return get_default_dtype()
    return get_default_dtype().to_complex() if kind is complex else dtypes.of(kind)


def _lower(data: Any) -> Any:
    if isinstance(data, Tensor):
        array = from_data(data)
        return array.reshape(()) if array.size == 1 else array  # in a list it counts as a number
    return [_lower(v) for v in data] if isinstance(data, NESTED) else data


def _check_range(data: Any, array: np.ndarray, wanted: np.dtype) -> None:
    """Refuse Python numbers that a type cannot hold; negative ones wrap in uint8, as in PyTorch."""
    if array.dtype.kind == "c" and wanted.kind not in "cb" and isinstance(data, (complex, *NESTED)):
        raise TypeError(f"tensor: complex numbers {str(data)[:60]} do not fit into {dtypes.of(wanted)}; use .real")
    if wanted.kind not in "iu" or array.dtype.kind not in "iuf" or not array.size:
        return
    if isinstance(data, (Tensor, np.ndarray, np.generic)):
        return
    limits = np.iinfo(wanted)
    low = -int(limits.max) if wanted.kind == "u" else limits.min
    if not (array.min() >= low and array.max() <= limits.max):  # nor does NaN fit
        raise RuntimeError(f"tensor: a number of {str(data)[:60]} does not fit into {dtypes.of(wanted)}")


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new tensor with a copy of ``data``.

    Args:
        data: numbers, nested sequences, a NumPy array or a tensor. Python floats become the default dtype,
            Python integers int64; arrays keep their type.
        dtype: the element type; None takes it from the data.
        device: where to put it; None means the default device.
        requires_grad: whether to record what is done with it.
        pin_memory: whether to put a tensor of the CPU into pinned memory (see ``Tensor.pin_memory``).

    Raises:
        ValueError: ragged sequences. TypeError, RuntimeError: not numbers, or numbers that the type cannot hold.

    >>> tensor([1.0, 2.0]).dtype
    tapegrad.float32
    """
    if _on_a_card(data):
        made = P.copy(_from_card(data)).to(device=device, dtype=dtype)
        return made.requires_grad_() if requires_grad else made
    array = from_data(data, exact=dtype is not None)
    wanted = array.dtype if dtype is None else dtypes.to_numpy(dtype)
    dtypes.of(wanted)
    _check_range(data, array, wanted)
    made = finish(np.array(array, dtype=wanted, copy=True, order="C"), None, device, False)
    made = made.pin_memory() if pin_memory else made
    return made.requires_grad_() if requires_grad else made


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, sharing memory (and history) where type and device already fit."""
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype) if dtype is not None or device is not None else data
    if _on_a_card(data):
        return _from_card(data).to(device=device, dtype=dtype)
    array = from_data(data, exact=dtype is not None)
    dtypes.of(array.dtype)
    if dtype is not None:
        _check_range(data, array, dtypes.to_numpy(dtype))
    return finish(array, dtype, device, False)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """Any data as a tensor: shared where it can be, or as ``copy`` says.

    Args:
        obj: a tensor, an array, an object with DLPack or the buffer protocol, numbers or nested sequences.
        dtype: the element type; None keeps that of the data.
        device: where to put it.
        copy: True copies always; False raises where sharing is impossible; None copies where it must.
        requires_grad: True lets the result require grad; a tensor that does keeps its history anyhow.

    Raises:
        ValueError: ``copy=False`` and the data must be converted or copied.
    """
    if isinstance(obj, Tensor):
        made = as_tensor(obj, dtype, device)
        shared = made is obj
    else:
        if isinstance(obj, (bytes, bytearray, memoryview)):
            obj = frombuffer(obj, dtype=dtype or get_default_dtype())
        elif not isinstance(obj, np.ndarray) and hasattr(obj, "__dlpack__"):
            obj = np.from_dlpack(obj)
        made = as_tensor(obj, dtype, device)
        shared = isinstance(obj, Tensor) or (isinstance(obj, np.ndarray) and np.may_share_memory(obj, _host(made)))
    if copy is False and not shared:
        raise ValueError("asarray: copy=False, but the data is no array of this type on this device")
    made = P.copy(made) if copy and shared else made
    return made.requires_grad_() if requires_grad and not made.requires_grad else made


def _host(x: Tensor) -> Any:
    return x._array if x._device.type == "cpu" else np.empty(0)


def from_numpy(array: np.ndarray) -> Tensor:
    """A CPU tensor over the memory of a NumPy array: a change of one is a change of the other.

    Raises:
        TypeError: not an array, or of a type that tensors do not have. ValueError: negative strides.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a numpy.ndarray, not {type(array).__name__}")
    if not array.dtype.isnative:
        raise ValueError(
            f"from_numpy: {array.dtype} has the other byte order; pass a.astype(a.dtype.newbyteorder('='))"
        )
    if array.dtype not in dtypes.OF_NUMPY:
        dtypes.of(array.dtype)
    if not array.flags.c_contiguous and min(array.strides, default=0) < 0:
        raise ValueError("from_numpy: the array has negative strides, as of a[::-1]; pass a copy of it")
    if not array.flags.writeable:
        warnings.warn(
            "from_numpy: the array is read-only, so the tensor cannot be written to; pass a copy of it to write",
            UserWarning, stacklevel=2,
        )  # fmt: skip
    return wrap(array, device_of("cpu"))


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A 1-d CPU tensor over the memory of an object with the buffer protocol.

    Args:
        buffer: bytes, bytearray, memoryview, array.array, mmap …
        dtype: how to read the bytes.
        count: how many elements; -1 for all.
        offset: how many bytes to skip.
        requires_grad: whether to record what is done with it.

    Raises:
        ValueError: the buffer does not hold a whole number of elements, or fewer than ``count``.
    """
    array = np.frombuffer(buffer, dtypes.to_numpy(dtype), count, offset)
    made = wrap(array, device_of("cpu"))
    return made.requires_grad_() if requires_grad else made


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of one number, of the default dtype unless ``dtype`` says another."""
    return tensor(s, dtype=dtype or get_default_dtype(), device=device, requires_grad=requires_grad)
