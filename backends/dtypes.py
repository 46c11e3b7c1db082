"""Element types: PyTorch's names over NumPy's (and ml_dtypes') types."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

__all__ = [
    "DTYPES", "OF_NUMPY", "bfloat16", "bool_", "complex64", "complex128", "dtype", "float16", "float32", "float64",
    "int8", "int16", "int32", "int64", "of", "of_tensor_type", "to_numpy", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip

# Promotion compares categories first: bool < integral < floating < complex.
BOOL, INTEGRAL, FLOATING, COMPLEX = range(4)


class dtype:  # noqa: N801 - PyTorch's name
    """The element type of a tensor, such as ``tapegrad.float32``.

    Attributes:
        name: PyTorch's name of the type.
        numpy: the NumPy dtype of the raw arrays.
        category: 0 bool, 1 integral, 2 floating, 3 complex.
        itemsize: bytes per element.
    """

    __slots__ = ("category", "itemsize", "name", "numpy")

    def __init__(self, name: str, scalar_type: Any, category: int) -> None:
        self.name = name
        self.numpy = np.dtype(scalar_type)
        self.category = category
        self.itemsize = self.numpy.itemsize

    @property
    def is_floating_point(self) -> bool:
        return self.category == FLOATING

    @property
    def is_complex(self) -> bool:
        return self.category == COMPLEX

    @property
    def is_signed(self) -> bool:
        return self.numpy.kind not in "bu"

    def to_complex(self) -> dtype:
        """The complex dtype whose parts are of this type: complex128 of float64, complex64 of the smaller ones."""
        return complex128 if self in (float64, complex128) else complex64

    def to_real(self) -> dtype:
        """The floating dtype of this complex dtype's parts; a real dtype as it is."""
        return {complex64: float32, complex128: float64}.get(self, self)

    def __repr__(self) -> str:
        return f"tapegrad.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (of, (self.name,))


bool_ = dtype("bool", np.bool_, BOOL)
uint8 = dtype("uint8", np.uint8, INTEGRAL)
int8 = dtype("int8", np.int8, INTEGRAL)
int16 = dtype("int16", np.int16, INTEGRAL)
int32 = dtype("int32", np.int32, INTEGRAL)
int64 = dtype("int64", np.int64, INTEGRAL)
uint16 = dtype("uint16", np.uint16, INTEGRAL)
uint32 = dtype("uint32", np.uint32, INTEGRAL)
uint64 = dtype("uint64", np.uint64, INTEGRAL)
float16 = dtype("float16", np.float16, FLOATING)
bfloat16 = dtype("bfloat16", ml_dtypes.bfloat16, FLOATING)
float32 = dtype("float32", np.float32, FLOATING)
float64 = dtype("float64", np.float64, FLOATING)
complex64 = dtype("complex64", np.complex64, COMPLEX)
complex128 = dtype("complex128", np.complex128, COMPLEX)

DTYPES = (
    bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64, complex128,
    uint16, uint32, uint64,
)  # fmt: skip
OF_NUMPY = {d.numpy: d for d in DTYPES}
_by_name = {d.name: d for d in DTYPES} | {
    "float": float32, "double": float64, "half": float16, "long": int64, "int": int32, "short": int16,
    "cfloat": complex64, "cdouble": complex128,
}  # fmt: skip
_by_python = {float: float64, int: int64, bool: bool_, complex: complex128}


def of(value: Any) -> dtype:
    """The dtype that ``value`` names: a dtype, its name, a NumPy dtype, or a Python number type.

    Raises:
        TypeError: no such element type.
    """
    if isinstance(value, dtype):
        return value
    found = _by_name.get(value) if isinstance(value, str) else _by_python.get(value)
    if found is None:
        try:
            found = OF_NUMPY.get(np.dtype(value))
        except TypeError:
            found = None
    if found is None:
        names = ", ".join(d.name for d in DTYPES)
        raise TypeError(f"dtype: {value!r} is not an element type; use one of {names}")
    return found


# PyTorch's names of the tensor types of old, before "Tensor"
TENSOR_TYPES = {
    "Float": float32, "Double": float64, "Half": float16, "BFloat16": bfloat16, "Long": int64, "Int": int32,
    "Short": int16, "Char": int8, "Byte": uint8, "Bool": bool_, "ComplexFloat": complex64,
    "ComplexDouble": complex128, "UInt16": uint16, "UInt32": uint32, "UInt64": uint64,
}  # fmt: skip


def of_tensor_type(name: str) -> tuple[dtype, str]:
    """The dtype and the device type that a name such as ``"torch.cuda.FloatTensor"`` stands for.

    Raises:
        ValueError: no such type.
    """
    *path, last = name.split(".")
    found = TENSOR_TYPES.get(last.removesuffix("Tensor")) if last.endswith("Tensor") else None
    if found is None or path not in (["torch"], ["tapegrad"], ["torch", "cuda"], ["tapegrad", "cuda"]):
        raise ValueError(f"type: invalid type '{name}'; write e.g. 'tapegrad.FloatTensor' or a dtype")
    return found, "cuda" if path[-1] == "cuda" else "cpu"


def to_numpy(value: Any) -> np.dtype:
    """The NumPy dtype behind a dtype, a name or a NumPy type."""
    return of(value).numpy
