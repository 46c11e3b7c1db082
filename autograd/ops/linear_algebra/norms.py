"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

import math
from typing import Any

from ...names import named
from ...promote import describe
from ...rule import P
from ...tensor import Tensor
from .. import reduce
from ..args import check_tensor, dim_of, dims_of
from ..out import takes_out
from .checks import check_floating, check_matrix, check_square
from .solving import inv
from .spectra import svdvals

__all__ = ["cond", "matrix_norm", "norm", "nuclear", "vector_norm"]


def _typed(name: str, x: Any, dtype: Any) -> Tensor:
    check_tensor(name, "A", x)
    if dtype is None and x._array.dtype.kind not in "fcV":
        raise RuntimeError(f"{name}: needs a floating or complex tensor, got {describe(x)}; convert it with .float()")
    return x if dtype is None else x.to(dtype)


@takes_out
def vector_norm(x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """``sum(abs(x)**ord)**(1/ord)`` over all elements or along ``dim``; for 0 how many are not 0.

    Args:
        ord: a number; inf and -inf give the largest and the smallest size.
        dtype: convert to this type first.

    Raises:
        RuntimeError: not a floating tensor; ``ord`` is inf or negative and there is nothing to choose from.
    """
    x = _typed("linalg.vector_norm", x, dtype)
    if isinstance(ord, str) or isinstance(ord, complex):
        raise RuntimeError(f"linalg.vector_norm: ord must be a number, got {ord!r}")
    dims = dims_of("linalg.vector_norm", dim, x.ndim) if dim is not None else None
    if (ord == math.inf or ord < 0) and 0 in (x._array.shape if dims is None else [x._array.shape[d] for d in dims]):
        raise RuntimeError(f"linalg.vector_norm: ord={ord} has no value over no elements, in shape {list(x.shape)}")
    return named(reduce.norm(x, float(ord), dims, keepdim), "LinalgVectorNormBackward0")


def nuclear(x: Tensor, dims: tuple[int, int], keepdim: bool) -> Tensor:
    """The sum of the singular values of the matrices along two dimensions."""
    return _spectral(x, dims, keepdim, lambda s: P.sum(s, (s.ndim - 1,), False))


def _spectral(x: Tensor, dims: tuple[int, int], keepdim: bool, total: Any) -> Tensor:
    rest = [i for i in range(x.ndim) if i not in dims]
    moved = P.permute(x, (*rest, *dims))
    out = total(svdvals(moved))
    if not keepdim:
        return out
    return P.reshape(out, tuple(1 if i in dims else n for i, n in enumerate(x._array.shape)))


@takes_out
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A norm of the matrices along two dimensions.

    Args:
        ord: "fro" (all elements), "nuc" (the sum of singular values), 2 or -2 (the largest or smallest of them),
            inf or -inf (of the rows' sums of sizes), 1 or -1 (of the columns').
        dtype: convert to this type first.

    Raises:
        RuntimeError: another ``ord``, or dimensions that are no two.
    """
    name = "linalg.matrix_norm"
    x = _typed(name, A, dtype)
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"{name}: dim must name two dimensions, got {dim!r}")
    if x.ndim < 2:
        raise RuntimeError(f"{name}: needs at least 2 dimensions, got {describe(x)}")
    one, two = (dim_of(name, d, x.ndim) for d in dim)
    if one == two:
        raise RuntimeError(f"{name}: dim {dim} names a dimension twice")
    if ord == "fro":
        return vector_norm(x, 2, (one, two), keepdim)
    if ord in ("nuc", 2, -2):
        check_floating(name, x)
    if ord == "nuc":
        return nuclear(x, (one, two), keepdim)
    if isinstance(ord, str) or abs(ord) not in (1, 2, math.inf):
        raise RuntimeError(f"{name}: ord must be 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, got {ord!r}")
    pick = reduce.amax if ord > 0 else reduce.amin
    if abs(ord) == math.inf:
        one, two = two, one
    empty = (x._array.shape[two] == 0) if abs(ord) != 2 else 0 in (x._array.shape[one], x._array.shape[two])
    if empty and ord < 0:
        raise RuntimeError(f"{name}: ord={ord} has no value for matrices without elements, {describe(x)}")
    if empty:  # the largest of nothing is 0
        pick = reduce.sum
    if abs(ord) == 2:
        return _spectral(x, (one, two), keepdim, lambda s: pick(s, -1))
    sums = vector_norm(x, 1, one, keepdim)
    return pick(sums, two if keepdim or two < one else two - 1, keepdim)


@takes_out
def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """``vector_norm`` or ``matrix_norm``: of vectors for one dimension, of matrices for two.

    Args:
        ord: None for 2 over whatever ``dim`` says; else see those two.
        dim: one or two dimensions; None with an ``ord`` needs a tensor of one or two dimensions.

    Raises:
        RuntimeError: dimensions that fit neither.
    """
    x = _typed("linalg.norm", A, dtype)
    if ord is None:
        return vector_norm(x, 2, dim, keepdim)
    several = (dim,) if isinstance(dim, int) else dim
    if several is not None and len(several) not in (1, 2):
        raise RuntimeError(f"linalg.norm: dim must name one or two dimensions, got {dim}")
    if several is None and x.ndim not in (1, 2):
        raise RuntimeError(f"linalg.norm: with ord={ord!r} and without dim needs 1 or 2 dimensions, got {describe(x)}")
    count = x.ndim if several is None else len(several)
    if count == 2:
        return matrix_norm(x, ord, (0, 1) if several is None else several, keepdim)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: ord={ord!r} is a norm of matrices; name two dimensions")
    return vector_norm(x, ord, several, keepdim)


@takes_out
def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition numbers: a norm of the matrices times that of their inverses; inf for singular ones.

    Args:
        A: (..., m, n); square unless ``p`` is None, 2 or -2.
        p: an ``ord`` of ``matrix_norm``; None is 2.
    """
    check_matrix("linalg.cond", A)
    if p in (None, 2, -2):
        sizes = svdvals(A)
        n = sizes._array.shape[-1]
        if not n:
            return P.sum(sizes, (sizes.ndim - 1,), False)
        first, last = (P.slice(sizes, (*(slice(None),) * (sizes.ndim - 1), k)) for k in (0, n - 1))
        return P.div(last, first) if p == -2 else P.div(first, last)
    check_square("linalg.cond", A)
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.cond: p must be None, 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, got {p!r}")
    if not A._array.size:
        return vector_norm(A, 1, (-2, -1))
    from .solving import inv_ex

    inverse, info = inv_ex(A)
    singular = P.gt(info, 0)
    out = P.mul(matrix_norm(A, p), matrix_norm(inverse if bool(P.any(singular, None, False)) else inv(A), p))
    return P.where(singular, math.inf, out)
