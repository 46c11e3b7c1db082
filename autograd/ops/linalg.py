"""Matrix products."""

from __future__ import annotations

from typing import Any

from ..names import named
from ..promote import describe, result_type
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor

__all__ = ["addmm", "bmm", "dot", "matmul", "mm", "mv", "outer"]


def _same_type(name: str, a: Tensor, b: Tensor) -> None:
    check_tensor(name, "input", a)
    check_tensor(name, "other", b)
    if a._array.dtype != b._array.dtype:
        common = result_type(a, b).name
        raise RuntimeError(f"{name}: types differ: {describe(a)} and {describe(b)}; convert one with .to('{common}')")


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product over the last two dimensions, batched over the others with broadcasting.

    Args:
        a: (..., n, k), or (k,) for a row vector.
        b: (..., k, m), or (k,) for a column vector.

    Returns:
        (..., n, m), without the dimension of a vector.

    Raises:
        RuntimeError: the inner sizes or the types differ.
    """
    if isinstance(a, Tensor) and isinstance(b, Tensor) and a._array.ndim > 1 < b._array.ndim:
        return P.matmul(a, b)
    _same_type("matmul", a, b)
    if not a.ndim or not b.ndim:
        raise RuntimeError(
            f"matmul: needs at least one dimension, got {describe(a)} and {describe(b)}; use * for numbers"
        )
    row, column = a.ndim == 1, b.ndim == 1
    left = P.slice(a, (None,)) if row else a
    right = P.slice(b, (slice(None), None)) if column else b
    if left._array.shape[-1] != right._array.shape[-2]:
        raise RuntimeError(f"matmul: the inner sizes of {describe(a)} and {describe(b)} differ")
    out = P.matmul(left, right)
    if row:
        out = P.slice(out, (*(slice(None),) * (out.ndim - 2), 0))
    if column:
        out = P.slice(out, (*(slice(None),) * (out.ndim - 1), 0))
    if row or column:
        named(out, "DotBackward0" if row and column else "MvBackward0" if out.ndim == 1 else "SqueezeBackward4")
    return out


def _need(name: str, x: Tensor, ndim: int, argument: str) -> None:
    check_tensor(name, argument, x)
    if x.ndim != ndim:
        raise RuntimeError(f"{name}: argument '{argument}' needs {ndim} dimensions, got {describe(x)}")


def mm(a: Tensor, b: Tensor) -> Tensor:
    """The product of two matrices (n, k) and (k, m)."""
    _need("mm", a, 2, "input")
    _need("mm", b, 2, "mat2")
    return matmul(a, b)


def bmm(a: Tensor, b: Tensor) -> Tensor:
    """The products of two batches of matrices (b, n, k) and (b, k, m)."""
    _need("bmm", a, 3, "input")
    _need("bmm", b, 3, "mat2")
    if a._array.shape[0] != b._array.shape[0]:
        raise RuntimeError(f"bmm: the batch sizes of {describe(a)} and {describe(b)} differ")
    return matmul(a, b)


def mv(a: Tensor, b: Tensor) -> Tensor:
    """A matrix (n, k) times a vector (k,)."""
    _need("mv", a, 2, "input")
    _need("mv", b, 1, "vec")
    return matmul(a, b)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """The sum of the products of two vectors."""
    _need("dot", a, 1, "input")
    _need("dot", b, 1, "tensor")
    if a._array.shape != b._array.shape:
        raise RuntimeError(f"dot: the sizes of {describe(a)} and {describe(b)} differ")
    return matmul(a, b)


def outer(a: Tensor, b: Tensor) -> Tensor:
    """All products of two vectors (n,) and (m,), as (n, m)."""
    return P.mul(P.slice(a, (slice(None), None)), b)


def addmm(x: Tensor, a: Tensor, b: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * x + alpha * (a @ b)``."""
    product = mm(a, b)
    product = product if alpha == 1 else P.mul(product, alpha)
    return named(P.add(x if beta == 1 else P.mul(x, beta), product), "AddmmBackward0")
