"""Matrix products."""

from __future__ import annotations

from typing import Any

from ..names import named
from ..promote import describe, result_type
from ..rule import P
from ..tensor import Tensor
from ..views import own
from .args import check_tensor

__all__ = ["addmm", "bmm", "dot", "matmul", "mm", "mv", "outer"]


def _same_type(name: str, a: Tensor, b: Tensor) -> None:
    check_tensor(name, "input", a)
    check_tensor(name, "other", b)
    if a._array.dtype != b._array.dtype:
        common = result_type(a, b).name
        raise RuntimeError(f"{name}: types differ: {describe(a)} and {describe(b)}; convert one with .to('{common}')")


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product over the last two dimensions, batched over the others with broadcasting.

    Args:
        input: (..., n, k), or (k,) for a row vector.
        other: (..., k, m), or (k,) for a column vector.

    Returns:
        (..., n, m), without the dimension of a vector.

    Raises:
        RuntimeError: the inner sizes or the types differ.
    """
    if isinstance(input, Tensor) and isinstance(other, Tensor) and input._array.ndim > 1 < other._array.ndim:
        return P.matmul(input, other)
    _same_type("matmul", input, other)
    if not input.ndim or not other.ndim:
        raise RuntimeError(
            f"matmul: needs at least one dimension, got {describe(input)} and {describe(other)}; use * for numbers"
        )
    row, column = input.ndim == 1, other.ndim == 1
    left = P.reshape(input, (1, *input._array.shape)) if row else input
    right = P.reshape(other, (*other._array.shape, 1)) if column else other
    if left._array.shape[-1] != right._array.shape[-2]:
        raise RuntimeError(f"matmul: the inner sizes of {describe(input)} and {describe(other)} differ")
    out = P.matmul(left, right)
    if row or column:
        *lead, n, m = out._array.shape
        out = P.reshape(out, (*lead, *(() if row else (n,)), *(() if column else (m,))))
        named(out, "DotBackward0" if row and column else "MvBackward0" if out.ndim == 1 else "SqueezeBackward4")
    return out


def _need(name: str, x: Tensor, ndim: int, argument: str) -> None:
    check_tensor(name, argument, x)
    if x.ndim != ndim:
        raise RuntimeError(f"{name}: argument '{argument}' needs {ndim} dimensions, got {describe(x)}")


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices (n, k) and (k, m)."""
    _need("mm", input, 2, "input")
    _need("mm", mat2, 2, "mat2")
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices (b, n, k) and (b, k, m)."""
    _need("bmm", input, 3, "input")
    _need("bmm", mat2, 3, "mat2")
    if input._array.shape[0] != mat2._array.shape[0]:
        raise RuntimeError(f"bmm: the batch sizes of {describe(input)} and {describe(mat2)} differ")
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix (n, k) times a vector (k,)."""
    _need("mv", input, 2, "input")
    _need("mv", vec, 1, "vec")
    return own(matmul(input, vec))


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors."""
    _need("dot", input, 1, "input")
    _need("dot", tensor, 1, "tensor")
    if input._array.shape != tensor._array.shape:
        raise RuntimeError(f"dot: the sizes of {describe(input)} and {describe(tensor)} differ")
    return own(matmul(input, tensor))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of two vectors (n,) and (m,), as (n, m)."""
    _need("outer", input, 1, "input")
    _need("outer", vec2, 1, "vec2")
    return P.mul(P.slice(input, (slice(None), None)), vec2)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    product = mm(mat1, mat2)
    if product._array.dtype.kind in "iu":  # integers are scaled by integers
        beta, alpha = int(beta), int(alpha)
    product = product if alpha == 1 else P.mul(product, alpha)
    return named(P.add(input if beta == 1 else P.mul(input, beta), product), "AddmmBackward0")
