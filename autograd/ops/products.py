"""Products of vectors and matrices beside ``matmul``: sums with products, Kronecker, cross, tensor dot."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ...backends import dtypes
from ..names import named
from ..promote import describe, result_type
from ..rule import P
from ..tensor import Tensor
from ..views import own
from . import factories, linalg, shape
from .args import check_tensor, dim_of

__all__ = [
    "addbmm", "addmv", "addr", "baddbmm", "chain_matmul", "cross", "inner", "kron", "tensordot", "vander", "vdot",
]  # fmt: skip

IN_PLACE = ("addbmm", "addmm", "addmv", "addr", "baddbmm")


def _sum(name: str, x: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """``beta x + alpha product``; where ``beta`` is 0, what ``x`` holds does not count, not even NaN."""
    check_tensor(name, "input", x)
    if x._array.dtype != product._array.dtype:
        raise RuntimeError(f"{name}: types differ: {x.dtype.name} and {product.dtype.name}; convert one with .to()")
    if product._array.dtype.kind in "iu":  # integers are scaled by integers
        beta, alpha = int(beta), int(alpha)
    product = product if alpha == 1 else P.mul(product, alpha)
    if beta == 0:
        shape = product._array.shape
        return P.overwrite(x if x._array.shape == shape else P.expand(x, shape), product)
    out = P.add(x if beta == 1 else P.mul(x, beta), product)
    if out._array.shape != product._array.shape:
        raise RuntimeError(f"{name}: input {describe(x)} cannot be expanded to {list(product.shape)}")
    return named(out, f"{name.capitalize()}Backward0")


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``."""
    return _sum("addmv", input, linalg.mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``."""
    check_tensor("addr", "vec1", vec1)
    check_tensor("addr", "vec2", vec2)
    if vec1.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError(f"addr: needs two vectors, got {describe(vec1)} and {describe(vec2)}")
    product, kind = linalg.outer(vec1, vec2), result_type(input, vec1, vec2)
    if kind is dtypes.bool_:  # numbers count as yes or no
        beta, alpha = bool(beta), bool(alpha)
    return _sum("addr", input.to(kind), product.to(kind), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)``, of batches of matrices."""
    return _sum("baddbmm", input, linalg.bmm(batch1, batch2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * sum(batch1 @ batch2)``, the sum over the batch."""
    return _sum("addbmm", input, P.sum(linalg.bmm(batch1, batch2), (0,), False), beta, alpha)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The sum of the products of two vectors, the first one conjugated."""
    check_tensor("vdot", "input", input)
    return linalg.dot(input.conj() if input._array.dtype.kind == "c" else input, other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums of products over the last dimensions of both; with a number of no dimensions the product."""
    check_tensor("inner", "input", input)
    check_tensor("inner", "other", other)
    if not input.ndim or not other.ndim:
        return P.mul(input, other)
    if input._array.shape[-1] != other._array.shape[-1]:
        raise RuntimeError(f"inner: the last sizes of {describe(input)} and {describe(other)} differ")
    return tensordot(input, other, dims=([-1], [-1]))


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of matrices, multiplied in the order that takes the fewest operations.

    The order is found by dynamic programming: Cormen et al., Introduction to Algorithms, section 15.2.
    """
    if not matrices:
        raise RuntimeError("chain_matmul: expects at least one matrix")
    for x in matrices:
        check_tensor("chain_matmul", "matrices", x)
        if x.ndim != 2:
            raise RuntimeError(f"chain_matmul: needs matrices, got {describe(x)}")
    sizes = [matrices[0]._array.shape[0], *(x._array.shape[1] for x in matrices)]
    count = len(matrices)
    cost = {(i, i): (0, i) for i in range(count)}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i, j] = min(
                (cost[i, k][0] + cost[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Tensor:
        k = cost[i, j][1]
        return matrices[i] if i == j else linalg.mm(product(i, k), product(k + 1, j))

    return product(0, count - 1)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: ``other`` times each element of ``input``, as blocks."""
    check_tensor("kron", "input", input)
    check_tensor("kron", "other", other)
    n = max(input.ndim, other.ndim)
    a = (1,) * (n - input.ndim) + input._array.shape
    b = (1,) * (n - other.ndim) + other._array.shape
    left = P.reshape(input, tuple(k for size in a for k in (size, 1)))
    right = P.reshape(other, tuple(k for size in b for k in (1, size)))
    return own(P.reshape(P.mul(left, right), tuple(i * j for i, j in zip(a, b, strict=True))))


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross products of vectors of three elements along ``dim`` (None: the first dimension of size 3)."""
    check_tensor("cross", "input", input)
    check_tensor("cross", "other", other)
    if input.ndim != other.ndim:
        raise RuntimeError(f"cross: {describe(input)} and {describe(other)} must have as many dimensions")
    if dim is None:
        warnings.warn(
            "cross: without dim the first dimension of size 3 is taken; say which with dim=", UserWarning, stacklevel=2
        )
        dim = next((i for i, n in enumerate(input._array.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError(f"cross: no dimension of size 3 in {describe(input)}")
    at = dim_of("cross", dim, input.ndim)
    if input._array.shape[at] != 3 or other._array.shape[at] != 3:
        raise RuntimeError(f"cross: dim {dim} of {describe(input)} and {describe(other)} must have size 3")
    a1, b1, a2, b2 = [P.roll(x, (shift,), (at,)) for shift in (-1, 1) for x in (input, other)]
    return named(P.sub(P.mul(a1, b2), P.mul(a2, b1)), "LinalgCrossBackward0")


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sums of products over several dimensions of both tensors.

    Args:
        dims: how many, the last ones of ``a`` and the first ones of ``b``; or two lists of dimensions.
    """
    check_tensor("tensordot", "a", a)
    check_tensor("tensordot", "b", b)
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot: dims={dims} of {describe(a)} and {describe(b)}")
        left, right = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        pairs = [[d] if isinstance(d, int) else list(d) for d in dims]
        left = [dim_of("tensordot", d, a.ndim) for d in pairs[0]]
        right = [dim_of("tensordot", d, b.ndim) for d in pairs[1]]
    if len(left) != len(right):
        raise RuntimeError(f"tensordot: both lists of dims must be as long, got {left} and {right}")
    for i, j in zip(left, right, strict=True):
        n, m = a._array.shape[i], b._array.shape[j]
        if n != m and 1 not in (n, m):
            raise RuntimeError(f"tensordot: size {n} of dim {i} of a and {m} of dim {j} of b differ")
        if n != m:  # as in PyTorch, a size of 1 is summed against all of the other
            a, b = (P.sum(a, (i,), True), b) if m == 1 else (a, P.sum(b, (j,), True))
    free_a = [i for i in range(a.ndim) if i not in left]
    free_b = [j for j in range(b.ndim) if j not in right]
    rows, columns = [a._array.shape[i] for i in free_a], [b._array.shape[j] for j in free_b]
    joint = math.prod(a._array.shape[i] for i in left)
    one = P.reshape(P.permute(a, (*free_a, *left)), (math.prod(rows), joint))
    two = P.reshape(P.permute(b, (*right, *free_b)), (joint, math.prod(columns)))
    return P.reshape(linalg.mm(one, two), (*rows, *columns))


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix of the powers 0 … N-1 of a vector's elements, the highest first unless ``increasing``."""
    check_tensor("vander", "x", x)
    if x.ndim != 1:
        raise RuntimeError(f"vander: needs a vector, got {describe(x)}")
    count = x._array.shape[0] if N is None else int(N)
    if count < 0:
        raise RuntimeError(f"vander: N must not be negative, got {N}")
    if x._array.dtype.kind in "biu":
        x = x.to(dtypes.int64)
    if not count:
        return factories.empty(x._array.shape[0], 0, dtype=x.dtype, device=x.device)
    ones = P.add(P.zeros_like(x), 1)
    columns = P.stack([ones, *(x for _ in range(count - 1))], 1)
    powers = P.cumprod(columns, 1)
    return powers if increasing else shape.flip(powers, 1)
