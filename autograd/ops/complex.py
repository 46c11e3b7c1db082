"""Complex numbers: their parts, sizes and angles, and how they are made."""

from __future__ import annotations

import math
from typing import Any

from ...backends import dtypes
from ..rule import P
from ..tensor import Tensor
from ..views import own
from .args import check_tensor, refuse_kinds
from .pieces import stack
from .shape import transpose

__all__ = [
    "adjoint", "angle", "complex", "conj", "conj_physical", "imag", "is_conj", "is_neg", "isreal", "polar", "real",
    "resolve_conj", "resolve_neg", "view_as_complex", "view_as_real",
]  # fmt: skip


def _is_complex(x: Tensor) -> bool:
    return x._array.dtype.kind == "c"


def real(input: Tensor) -> Tensor:
    """The real parts, a view; a real tensor itself."""
    check_tensor("real", "input", input)
    return view_as_real(input)[..., 0] if _is_complex(input) else input


def imag(input: Tensor) -> Tensor:
    """The imaginary parts, a view.

    Raises:
        RuntimeError: a real tensor.
    """
    check_tensor("imag", "input", input)
    if not _is_complex(input):
        raise RuntimeError(f"imag: only complex tensors have imaginary parts, this one is {input.dtype.name}")
    return view_as_real(input)[..., 1]


def conj(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor itself. Computed at once, where PyTorch marks a view to do it later."""
    check_tensor("conj", "input", input)
    return P.conj(input) if _is_complex(input) else input


def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate in new memory; a real tensor itself."""
    return conj(input)


def adjoint(input: Tensor) -> Tensor:
    """The conjugate of the matrices in the last two dimensions, transposed.

    Raises:
        RuntimeError: fewer than two dimensions.
    """
    check_tensor("adjoint", "input", input)
    if input.ndim < 2 and input.ndim:
        raise RuntimeError(f"adjoint: needs matrices, got shape {list(input.shape)}")
    return conj(transpose(input, -2, -1)) if input.ndim else conj(input)


def view_as_real(input: Tensor) -> Tensor:
    """A complex tensor as pairs of real numbers along a new last dimension, over the same memory.

    Raises:
        RuntimeError: a real tensor.
    """
    check_tensor("view_as_real", "input", input)
    if not _is_complex(input):
        raise RuntimeError(f"view_as_real: needs a complex tensor, this one is {input.dtype.name}")
    return P.view_as_real(input)


def view_as_complex(input: Tensor) -> Tensor:
    """Pairs of float32 or float64 along the last dimension as complex numbers, over the same memory.

    Raises:
        RuntimeError: another type, a last dimension that is not 2, or pairs that do not lie together.
    """
    check_tensor("view_as_complex", "input", input)
    array = input._array
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"view_as_complex: needs float32 or float64, got {input.dtype.name}")
    if not array.ndim or array.shape[-1] != 2:
        raise RuntimeError(f"view_as_complex: the last dimension must have size 2, got {list(array.shape)}")
    strides = [s // array.itemsize for s in array.strides]
    if strides[-1] != 1 or any(s % 2 for s in strides[:-1]):
        raise RuntimeError(f"view_as_complex: pairs must lie together, the strides are {strides}; call .contiguous()")
    return P.view_as_complex(input)


def complex(real: Tensor, imag: Tensor) -> Tensor:
    """The complex numbers ``real + i imag``.

    Raises:
        RuntimeError: types that differ or are not float32 or float64.
    """
    check_tensor("complex", "real", real)
    check_tensor("complex", "imag", imag)
    for part in (real, imag):
        if part.dtype not in (dtypes.float32, dtypes.float64) or part.dtype is not real.dtype:
            raise RuntimeError(f"complex: needs two float32 or two float64 tensors, got {real.dtype} and {imag.dtype}")
    if real._array.shape != imag._array.shape:
        shape = P.add(real.detach(), imag.detach())._array.shape
        real, imag = P.expand(real, shape), P.expand(imag, shape)
    return own(P.view_as_complex(stack((real, imag), -1)))


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """The complex numbers of these sizes and angles (in radians)."""
    check_tensor("polar", "abs", abs)
    check_tensor("polar", "angle", angle)
    refuse_kinds("polar", abs, "biu")
    refuse_kinds("polar", angle, "biu")
    return complex(P.mul(abs, P.cos(angle)), P.mul(abs, P.sin(angle)))


def angle(input: Tensor) -> Tensor:
    """The angle of each number in radians; of a real one 0, pi where it is negative, nan where it is nan."""
    check_tensor("angle", "input", input)
    if not _is_complex(input):
        x = input if input.dtype.is_floating_point else P.add(P.cast(input, dtypes.int64.numpy), 0.0)
        return P.where(P.isnan(x), x, P.where(P.lt(x, 0), math.pi, P.zeros_like(x)))
    at_zero = P.eq(input, 0)
    safe = P.where(at_zero, P.add(P.zeros_like(input), 1), input)
    return P.atan2(imag(safe), real(safe))


def isreal(input: Tensor) -> Tensor:
    """Where the imaginary part is zero, element by element."""
    check_tensor("isreal", "input", input)
    return P.eq(imag(input), 0) if _is_complex(input) else P.eq(P.zeros_like(input), 0)


def is_conj(input: Tensor) -> bool:
    """Whether the tensor is a conjugate yet to be computed: never, ``conj`` computes at once."""
    return False


def is_neg(input: Tensor) -> bool:
    """Whether the tensor is a negative yet to be computed: never."""
    return False


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugates are computed at once."""
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negatives are computed at once."""
    return input


def _assign(part: Any) -> Any:
    def setter(self: Tensor, value: Any) -> None:
        part(self).copy_(value)

    return property(part, setter, doc=part.__doc__)


def _hermitian(self: Tensor) -> Tensor:
    """The adjoint of a matrix."""
    if self.ndim not in (0, 2):
        raise RuntimeError(f"H: needs a matrix, got shape {list(self.shape)}; .mH is for stacks of matrices")
    return adjoint(self)


PROPERTIES = {"real": _assign(real), "imag": _assign(imag), "H": property(_hermitian), "mH": property(adjoint)}
