"""What the operations on matrices check of them, and the small steps they share."""

from __future__ import annotations

from typing import Any

from ....backends import LinAlgError, dtypes
from ...promote import constant, describe
from ...rule import P
from ...tensor import Tensor
from ..args import check_tensor, common_shape
from ..complex import adjoint, imag, real

__all__ = [
    "LinAlgError", "adjoint", "all_of", "batch_together", "check_floating", "check_matrix", "check_same",
    "check_square", "eye_like", "is_complex", "last_column", "mirrored", "real_dtype", "refuse_any", "rows", "zeros_of",
]  # fmt: skip


def is_complex(x: Tensor) -> bool:
    """Whether the elements are complex."""
    return x._array.dtype.kind == "c"


def check_floating(name: str, x: Any, argument: str = "A") -> None:
    """Refuse what is not a tensor of float32, float64, complex64 or complex128.

    Raises:
        TypeError: no tensor. RuntimeError: another element type.
    """
    check_tensor(name, argument, x)
    if x._array.dtype.char not in "fdFD":
        raise RuntimeError(
            f"{name}: argument '{argument}' must be float32, float64, complex64 or complex128, got {describe(x)}; "
            "convert with .float()"
        )


def check_matrix(name: str, x: Any, argument: str = "A") -> None:
    """Refuse what is not a floating tensor of at least two dimensions.

    Raises:
        RuntimeError: another element type, or fewer dimensions.
    """
    check_tensor(name, argument, x)
    if x.ndim < 2:
        raise RuntimeError(f"{name}: argument '{argument}' must have at least 2 dimensions, got {describe(x)}")
    check_floating(name, x, argument)


def check_square(name: str, x: Any, argument: str = "A") -> None:
    """Refuse what is not a floating tensor of square matrices.

    Raises:
        RuntimeError: another element type or shape.
    """
    check_matrix(name, x, argument)
    if x._array.shape[-1] != x._array.shape[-2]:
        raise RuntimeError(f"{name}: argument '{argument}' must hold square matrices, got {describe(x)}")


def check_same(name: str, a: Tensor, b: Any, argument: str = "B") -> None:
    """Refuse a second tensor of another element type.

    Raises:
        RuntimeError: the types differ.
    """
    check_tensor(name, argument, b)
    if a._array.dtype != b._array.dtype:
        raise RuntimeError(
            f"{name}: the element types of {describe(a)} and {argument}={describe(b)} differ; "
            f"use {argument}.to('{a.dtype.name}')"
        )


def rows(x: Tensor, start: int | None, stop: int | None) -> Tensor:
    """Some rows of each matrix."""
    return P.slice(x, (*(slice(None),) * (x.ndim - 2), slice(start, stop)))


def last_column(x: Tensor) -> Tensor:
    """Vectors as matrices of one column."""
    return P.slice(x, (*(slice(None),) * x.ndim, None))


def batch_together(name: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two stacks of matrices with their leading dimensions broadcast.

    Raises:
        RuntimeError: they do not broadcast.
    """
    one, two = a._array.shape[:-2], b._array.shape[:-2]
    if one == two:
        return a, b
    lead = common_shape(name, one, two)
    return P.expand(a, (*lead, *a._array.shape[-2:])), P.expand(b, (*lead, *b._array.shape[-2:]))


def zeros_of(x: Tensor, shape: tuple[int, ...], value: float = 0) -> Tensor:
    """A number in every element of ``shape``, in the type and on the device of ``x``."""
    return P.expand(constant(value, x.dtype, x._device), shape)


def eye_like(x: Tensor, n: int | None = None) -> Tensor:
    """Identity matrices for a stack of matrices with n rows."""
    n = x._array.shape[-2] if n is None else n
    shape = (*x._array.shape[:-2], n)
    last = len(shape)
    return P.undiagonal(zeros_of(x, shape, 1), (*shape, n), 0, last - 1, last)


def mirrored(x: Tensor, upper: bool) -> Tensor:
    """Hermitian matrices, of which one triangle counts; the gradient goes to both alike, as PyTorch's does."""
    with_history, x = x, x.detach()
    half = P.triu(x, 1) if upper else P.tril(x, -1)
    ends = P.sub(P.sub(x, P.triu(x, 1)), P.tril(x, -1))
    if is_complex(x):
        ends = P.mul(P.add(ends, P.conj(ends)), 0.5)
    whole = P.add(P.add(half, adjoint(half)), ends)
    return P.add(with_history, P.sub(whole, x)) if with_history.requires_grad else whole


def real_dtype(x: Tensor) -> Any:
    """The type of the sizes of the elements."""
    return {"F": dtypes.float32, "D": dtypes.float64}.get(x._array.dtype.char, x.dtype)


def all_of(x: Tensor) -> bool:
    """Whether all elements are true."""
    return bool(P.all(x, None, False))


def refuse_any(name: str, bad: Tensor, what: str) -> None:
    """Raise where any element is true.

    Raises:
        LinAlgError: one is.
    """
    if bad._array.size and bool(P.any(bad, None, False)):
        raise LinAlgError(f"{name}: {what}")


def real_part(x: Tensor) -> Tensor:
    """The real part; a real tensor as it is."""
    return real(x) if is_complex(x) else x


def imaginary_part(x: Tensor) -> Tensor:
    """The imaginary part of a complex tensor."""
    return imag(x)
