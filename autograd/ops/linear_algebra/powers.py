"""Products, powers and exponentials of matrices, and systems over several dimensions."""

from __future__ import annotations

import math
from typing import Any

from ...names import named
from ...promote import describe
from ...rule import P
from ...tensor import Tensor
from .. import products, reduce, shape
from ..args import check_tensor, common_shape, dim_of
from ..linalg import matmul as _matmul
from ..out import takes_out
from .checks import check_square, eye_like, is_complex, last_column
from .solving import inv, solve

__all__ = [
    "cross", "diagonal", "matmul", "matrix_exp", "matrix_power", "multi_dot", "tensorinv", "tensorsolve", "vander",
    "vecdot",
]  # fmt: skip


@takes_out
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """``tapegrad.matmul``."""
    return _matmul(input, other)


@takes_out
def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross products of vectors of three elements along ``dim``, broadcast over the other dimensions."""
    check_tensor("linalg.cross", "input", input)
    check_tensor("linalg.cross", "other", other)
    if input.ndim != other.ndim:
        raise RuntimeError(f"linalg.cross: {describe(input)} and {describe(other)} must have as many dimensions")
    at = dim_of("linalg.cross", dim, input.ndim)
    if not input.ndim or input._array.shape[at] != 3 or other._array.shape[at] != 3:
        raise RuntimeError(f"linalg.cross: dim {dim} of {describe(input)} and {describe(other)} must have size 3")
    whole = common_shape("linalg.cross", input._array.shape, other._array.shape)
    return products.cross(P.expand(input, whole), P.expand(other, whole), at)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """``tapegrad.diagonal`` of the last two dimensions."""
    check_tensor("linalg.diagonal", "A", A)
    return shape.diagonal(A, offset, dim1, dim2)


@takes_out
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sums of ``conj(x) * y`` along ``dim``, broadcast over the other dimensions."""
    check_tensor("linalg.vecdot", "x", x)
    check_tensor("linalg.vecdot", "y", y)
    if x._array.dtype != y._array.dtype:
        raise RuntimeError(f"linalg.vecdot: the types of {describe(x)} and {describe(y)} differ; convert one")
    whole = common_shape("linalg.vecdot", x._array.shape, y._array.shape)
    total = P.mul(P.conj(x) if is_complex(x) else x, y)
    kept = P.sum(total, (dim_of("linalg.vecdot", dim, len(whole)),), False)
    return kept if kept._array.dtype == x._array.dtype else P.cast(kept, x._array.dtype)


@takes_out
def vander(x: Tensor, N: int | None = None) -> Tensor:
    """The powers 0 to N - 1 (N: the number of elements) of the elements of vectors (..., n), as rows: (..., n, N).

    Raises:
        RuntimeError: bools, no dimensions, or N not above 1.
    """
    check_tensor("linalg.vander", "x", x)
    if not x.ndim and N is None:
        raise RuntimeError("linalg.vander: argument 'x' must have at least one dimension")
    x = x if x.ndim else P.reshape(x, (1,))
    count = x._array.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError(f"linalg.vander: N must be greater than 1, got {count}")
    whole = x if x._array.dtype.kind in "fcV" else x.long()
    one = P.add(P.mul(last_column(whole), 0), 1)
    repeated = P.expand(last_column(whole), (*whole._array.shape, count - 1))
    return P.cumprod(P.cat([one, repeated], x.ndim), x.ndim)


@takes_out
def multi_dot(tensors: Any) -> Tensor:
    """The product of matrices, multiplied in the order that takes the fewest operations.

    Args:
        tensors: at least two; the first may be a row (n,), the last a column (n,).
    """
    several = list(tensors)
    if len(several) < 2:
        raise RuntimeError(f"linalg.multi_dot: needs at least 2 tensors, got {len(several)}")
    for x in several:
        check_tensor("linalg.multi_dot", "tensors", x)
    row, column = several[0].ndim == 1, several[-1].ndim == 1
    if row:
        several[0] = P.slice(several[0], (None,))
    if column:
        several[-1] = last_column(several[-1])
    if any(x.ndim != 2 for x in several):
        raise RuntimeError(f"linalg.multi_dot: needs matrices, between vectors at most, got {describe(several)}")
    out = products.chain_matmul(*several)
    return P.slice(out, (0 if row else slice(None), 0 if column else slice(None)))


@takes_out
def matrix_power(A: Tensor, n: int) -> Tensor:
    """Square matrices to the power of a whole number, by repeated squaring; negative powers are of the inverse.

    Raises:
        LinAlgError: ``n`` is negative and a matrix is singular.
    """
    check_tensor("linalg.matrix_power", "A", A)
    if A.ndim < 2 or A._array.shape[-1] != A._array.shape[-2]:
        raise RuntimeError(f"linalg.matrix_power: argument 'A' must hold square matrices, got {describe(A)}")
    if n < 0:
        check_square("linalg.matrix_power", A)
        A, n = inv(A), -n
    if not n:
        return P.overwrite(A, eye_like(A))  # the slope is 0
    out: Tensor | None = None
    power = A
    while True:
        if n & 1:
            out = power if out is None else P.matmul(out, power)
        n >>= 1
        if not n:
            return P.copy(A) if out is A else out  # type: ignore[return-value]
        power = P.matmul(power, power)


# Up to this norm the series below keeps the digits of the type; beyond it the matrix is halved until it is below.
NORMS = {"f": 1.0, "F": 1.0, "d": 1.0, "D": 1.0}
TERMS = {"f": 12, "F": 12, "d": 18, "D": 18}


def matrix_exp(A: Tensor) -> Tensor:
    """The exponential of square matrices: Taylor's series of ``A / 2**s``, squared s times.

    N. J. Higham, Functions of Matrices (2008), section 10.3.
    """
    check_square("linalg.matrix_exp", A)
    if not A._array.size:
        return P.copy(A)
    kind = A._array.dtype.char
    largest = float(reduce.amax(reduce.sum(P.abs(A.detach()), -2)).item())
    halvings = max(0, math.ceil(math.log2(largest / NORMS[kind]))) if 0 < largest < math.inf else 0
    x = P.mul(A, 0.5**halvings)
    unit = eye_like(A)
    out = unit
    for k in range(TERMS[kind], 0, -1):  # Horner's way
        out = P.add(unit, P.mul(P.matmul(x, out), 1 / k))
    for _ in range(halvings):
        out = P.matmul(out, out)
    return named(out, "LinalgMatrixExpBackward0")


@takes_out
def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of ``tensordot(A, ., dims=A.ndim - ind)``: its shape is ``A.shape[ind:] + A.shape[:ind]``.

    Raises:
        RuntimeError: ``ind`` is not positive, or the sizes before and after it have different products.
    """
    check_tensor("linalg.tensorinv", "A", A)
    if ind <= 0:
        raise RuntimeError(f"linalg.tensorinv: ind must be positive, got {ind}")
    first, last = A._array.shape[:ind], A._array.shape[ind:]
    if math.prod(first) != math.prod(last):
        raise RuntimeError(f"linalg.tensorinv: the sizes before and after ind={ind} of {describe(A)} do not match")
    n = math.prod(first)
    return P.reshape(inv(P.reshape(A, (n, n))), (*last, *first))


@takes_out
def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """``X`` in ``tensordot(A, X, X.ndim) = B``.

    Args:
        A: its first dimensions are those of B, the product of the rest is the same.
        dims: dimensions of A to move to its end first.
    """
    check_tensor("linalg.tensorsolve", "A", A)
    check_tensor("linalg.tensorsolve", "B", B)
    a = A if dims is None else shape.movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    rest = a._array.shape[B.ndim :]
    if math.prod(rest) != math.prod(a._array.shape[: B.ndim]) or math.prod(rest) != B._array.size:
        raise RuntimeError(f"linalg.tensorsolve: A={describe(A)} and B={describe(B)} do not fit")
    flat = P.reshape(B, (-1,))
    return P.reshape(solve(P.reshape(a, (flat._array.shape[0], -1)), flat), rest)
