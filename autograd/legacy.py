"""PyTorch's constructors of old: ``Tensor(3, 4)``, ``FloatTensor([1, 2])``, ``Variable``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backends import device_of, dtypes
from . import record
from .ops.create import from_data
from .promote import get_default_dtype
from .tensor import Size, Tensor, wrap

__all__ = ["CUDA_TYPES", "TYPES", "TensorType", "Variable"]


def fill(name: str, args: tuple[Any, ...], dtype: dtypes.dtype | None, device: Any) -> Tensor:
    """What a constructor of old makes of its arguments: sizes, or data.

    Raises:
        TypeError: neither sizes nor a sequence of numbers, or a tensor of another type.
    """
    where = device_of(device)
    kind = (dtype or get_default_dtype()).numpy
    if len(args) == 1 and isinstance(args[0], Tensor):
        given = args[0]
        if dtype is not None and given.dtype is not dtype:
            raise TypeError(f"{name}: expected a tensor of {dtype}, got {given.dtype}; convert it with .to()")
        made = wrap(given._array, given._device)
        made._cell = given._cell
        return made
    if len(args) == 1 and isinstance(args[0], (Sequence, np.ndarray)) and not isinstance(args[0], (Size, str, bytes)):
        return wrap(where.backend.from_host(np.array(from_data(args[0], exact=True), kind, order="C")), where)
    sizes = args[0] if len(args) == 1 and isinstance(args[0], Size) else args or (0,)
    if not all(hasattr(n, "__index__") for n in sizes):
        raise TypeError(f"{name}: takes sizes or one sequence of numbers, not {', '.join(map(repr, args))}")
    return wrap(where.backend.from_host(np.zeros(sizes, kind)), where)


record.GLOBALS["legacy"] = fill


class TensorType(type):
    """The class of ``FloatTensor`` and its kin: a call makes a tensor, and tensors of the type are instances."""

    dtype: dtypes.dtype
    place: str

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        where = "cuda" if device is None and cls.place == "cuda" else device
        return fill(cls.__name__, args, cls.dtype, where)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and instance.device.type == cls.place

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__name__}'>"


def _make(name: str, dtype: dtypes.dtype, place: str = "cpu") -> TensorType:
    where = "the CPU" if place == "cpu" else "a card"
    text = f"Tensors of {dtype.name} on {where}: ``{name}(2, 3)`` of sizes, ``{name}([1, 2])`` of data."
    made = TensorType(name, (), {"__doc__": text})
    made.__module__ = "tapegrad" if place == "cpu" else f"tapegrad.{place}"
    made.dtype, made.place = dtype, place
    return made


TYPES = {
    f"{word}Tensor": _make(f"{word}Tensor", dtype)
    for word, dtype in dtypes.TENSOR_TYPES.items() if not dtype.is_complex
}  # fmt: skip
CUDA_TYPES = {name: _make(name, made.dtype, "cuda") for name, made in TYPES.items()}


class _VariableType(type):
    def __call__(cls, data: Any, requires_grad: bool | None = None, volatile: bool | None = None) -> Tensor:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable: data must be a Tensor, not {type(data).__name__}")
        made = wrap(data._array, data._device)
        made._cell = data._cell
        return made.requires_grad_() if requires_grad else made

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableType):
    """PyTorch's wrapper of old: ``Variable(x, requires_grad=True)`` is a leaf over x's memory; every tensor is one."""
