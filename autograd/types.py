"""Questions about element types: limits, casts, promotion."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from ..backends import dtypes
from .promote import get_default_dtype, join, set_default_dtype
from .tensor import Tensor

__all__ = [
    "can_cast", "finfo", "iinfo", "is_complex", "is_floating_point", "is_nonzero", "is_tensor", "numel",
    "promote_types", "set_default_tensor_type",
]  # fmt: skip


def can_cast(from_: Any, to: Any) -> bool:
    """Whether PyTorch's casting rules let an operation write a result of type ``from_`` into a tensor of type ``to``.

    >>> can_cast("float64", "float32"), can_cast("float32", "int64")
    (True, False)
    """
    return dtypes.of(from_).category <= dtypes.of(to).category


def promote_types(type1: Any, type2: Any) -> dtypes.dtype:
    """The smallest dtype that is neither smaller nor of lower category than both."""
    return join(dtypes.of(type1), dtypes.of(type2))


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the tensor's elements are floating-point numbers (complex ones are not)."""
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether the tensor's elements are complex numbers."""
    return input.dtype.is_complex


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element of a tensor is not zero.

    Raises:
        RuntimeError: not exactly one element.
    """
    return bool(input)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return int(input._array.size)


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype by a tensor type such as ``"torch.DoubleTensor"`` or ``tapegrad.DoubleTensor``."""
    set_default_dtype(dtypes.of_tensor_type(t)[0] if isinstance(t, str) else t.dtype)


class finfo:  # noqa: N801 - PyTorch's name
    """The limits of a floating dtype; of a complex one, those of its parts.

    Attributes:
        bits: the size of a number. eps: the distance from 1 to the next number. min, max: the outermost numbers.
        tiny, smallest_normal: the smallest positive number with all its digits.
        resolution: the approximate decimal resolution. dtype: the name of the type.

    Raises:
        TypeError: not a floating dtype.
    """

    def __init__(self, dtype: Any = None) -> None:
        found = dtypes.of(get_default_dtype() if dtype is None else dtype).to_real()
        if not found.is_floating_point:
            raise TypeError(f"finfo: needs a floating dtype, got {found}; use iinfo")
        limits: Any = ml_dtypes.finfo(found.numpy)
        self.dtype, self.bits = found.name, 8 * found.itemsize
        self.eps, self.min, self.max = float(limits.eps), float(limits.min), float(limits.max)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(f"{float(limits.resolution):.0e}")  # NumPy rounds it to the type itself

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


class iinfo:  # noqa: N801 - PyTorch's name
    """The limits of an integer dtype: ``bits``, ``min``, ``max``, and the name of the type, ``dtype``.

    Raises:
        TypeError: not an integer dtype.
    """

    def __init__(self, dtype: Any) -> None:
        found = dtypes.of(dtype)
        if found.category != dtypes.INTEGRAL:
            raise TypeError(f"iinfo: needs an integer dtype, got {found}; use finfo")
        limits = np.iinfo(found.numpy)
        self.dtype, self.bits, self.min, self.max = found.name, limits.bits, int(limits.min), int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)
