"""Systems of equations, inverses and determinants."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ....backends import LinAlgError, dtypes
from ...names import named
from ...promote import describe
from ...rule import P
from ...tensor import Tensor
from ..args import check_tensor
from ..complex import real
from ..out import takes_out
from ..results import fields
from ..shape import transpose
from .checks import (
    adjoint,
    batch_together,
    check_matrix,
    check_same,
    check_square,
    eye_like,
    imaginary_part,
    is_complex,
    last_column,
    mirrored,
    real_part,
    refuse_any,
    zeros_of,
)

__all__ = [
    "cholesky", "cholesky_ex", "det", "inv", "inv_ex", "logdet", "slogdet", "solve", "solve_ex", "solve_triangular",
]  # fmt: skip


class linalg_slogdet(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    sign: Tensor
    logabsdet: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_inv_ex(NamedTuple):  # noqa: N801
    inverse: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_solve_ex(NamedTuple):  # noqa: N801
    result: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_cholesky_ex(NamedTuple):  # noqa: N801
    L: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return fields(self)


def _right_side(name: str, a: Tensor, b: Any) -> tuple[Tensor, bool]:
    """The right side as matrices, and whether it was vectors."""
    check_same(name, a, b)
    shape = b._array.shape
    vector = b.ndim == 1 or (a.ndim - 1 == b.ndim and shape == a._array.shape[:-1])
    if not b.ndim:
        raise RuntimeError(f"{name}: argument 'B' must have at least 1 dimension, got {describe(b)}")
    return (last_column(b) if vector else b), vector


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """``X`` in ``A X = B``; with ``left=False`` in ``X A = B``.

    Args:
        A: (..., n, n).
        B: (..., n, k), or vectors: (n,), or (..., n) with the leading dimensions of A.

    Raises:
        LinAlgError: a matrix is singular. RuntimeError: shapes or types do not fit.
    """
    check_square("linalg.solve", A)
    b, vector = _right_side("linalg.solve", A, B)
    if vector and not left:
        raise RuntimeError("linalg.solve: left=False needs matrices on the right side, not vectors")
    return named(_squeezed(_solve("linalg.solve", A, b, left), vector), "LinalgSolveExBackward0")


def _squeezed(x: Tensor, vector: bool) -> Tensor:
    return P.slice(x, (*(slice(None),) * (x.ndim - 1), 0)) if vector else x


def _solve(name: str, a: Tensor, b: Tensor, left: bool = True) -> Tensor:
    if not left:
        a, b = transpose(a, -1, -2), transpose(b, -1, -2)
    if a._array.shape[-1] != b._array.shape[-2]:
        raise RuntimeError(f"{name}: A={describe(a)} and B={describe(b)} do not fit: their sizes differ")
    a, b = batch_together(name, a, b)
    out = _solved(name, a, b)
    return out if left else transpose(out, -1, -2)


def _solved(name: str, a: Tensor, b: Tensor | None) -> Tensor:
    """The solutions, or the inverses without a right side."""
    try:
        return P.inverse(a) if b is None else P.solve(a, b)
    except LinAlgError as error:
        raise LinAlgError(f"{name}: a matrix of {describe(a)} is singular") from error


def _singular(a: Tensor) -> tuple[Tensor, Tensor]:
    """The place of the first pivot that is 0, from 1 (int32; 0 for none), and the matrices with such replaced."""
    from .factors import packed_lu

    packed, _ = packed_lu(a.detach())
    last = packed.ndim
    zero = P.eq(P.diagonal(packed, 0, last - 2, last - 1), 0)
    info = zeros_of(P.cast(P.zeros_like(a.detach()), dtypes.int32.numpy), a._array.shape[:-2])
    if a._array.shape[-1]:
        first = P.add(P.argmax(P.cast(zero, dtypes.uint8.numpy), last - 2, False), 1)
        info = P.cast(P.mul(first, P.any(zero, (last - 2,), False)), dtypes.int32.numpy)
    bad = P.gt(info, 0)
    return info, P.where(last_column(last_column(bad)), eye_like(a), a)


@takes_out
def inv_ex(A: Tensor, *, check_errors: bool = False) -> linalg_inv_ex:
    """The inverses, and for each matrix the place of its first pivot that is 0 (int32; 0: it has an inverse).

    Raises:
        LinAlgError: a matrix is singular and ``check_errors``.
    """
    check_square("linalg.inv_ex", A)
    info, safe = _singular(A)
    if check_errors:
        refuse_any("linalg.inv_ex", P.gt(info, 0), "a matrix is singular")
    return linalg_inv_ex(named(P.inverse(safe), "LinalgInvExBackward0"), info)


@takes_out
def inv(A: Tensor) -> Tensor:
    """The inverses of square matrices.

    Raises:
        LinAlgError: a matrix is singular.
    """
    check_square("linalg.inv", A)
    return named(_solved("linalg.inv", A, None), "LinalgInvExBackward0")


@takes_out
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> linalg_solve_ex:
    """``solve``, and for each matrix the place of its first pivot that is 0 (int32; 0: it was solved).

    Raises:
        LinAlgError: a matrix is singular and ``check_errors``.
    """
    check_square("linalg.solve_ex", A)
    b, vector = _right_side("linalg.solve_ex", A, B)
    if vector and not left:
        raise RuntimeError("linalg.solve_ex: left=False needs matrices on the right side, not vectors")
    info, safe = _singular(A)
    if check_errors:
        refuse_any("linalg.solve_ex", P.gt(info, 0), "a matrix is singular")
    out = _squeezed(_solve("linalg.solve_ex", safe, b, left), vector)
    return linalg_solve_ex(named(out, "LinalgSolveExBackward0"), info)


@takes_out
def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """``X`` in ``A X = B``, reading one triangle of A (..., n, n); with ``left=False`` in ``X A = B``.

    Args:
        upper: whether the upper triangle counts. unitriangular: whether the diagonal counts as ones.
    """
    check_square("linalg.solve_triangular", A)
    check_same("linalg.solve_triangular", A, B)
    check_matrix("linalg.solve_triangular", B, "B")
    if not left:
        A, B, upper = transpose(A, -1, -2), transpose(B, -1, -2), not upper
    if A._array.shape[-1] != B._array.shape[-2]:
        raise RuntimeError(f"linalg.solve_triangular: A={describe(A)} and B={describe(B)} do not fit")
    a, b = batch_together("linalg.solve_triangular", A, B)
    out = P.solve_triangular(a, b, bool(upper), bool(unitriangular))
    return named(out if left else transpose(out, -1, -2), "LinalgSolveTriangularBackward0")


@takes_out
def det(A: Tensor) -> Tensor:
    """The determinants of square matrices."""
    check_square("linalg.det", A)
    return named(P.det(A), "LinalgDetBackward0")


@takes_out
def slogdet(A: Tensor) -> linalg_slogdet:
    """The signs of the determinants (complex ones: numbers of length 1; 0 for 0) and the logarithms of their sizes."""
    check_square("linalg.slogdet", A)
    log = P.log_det(A)
    if not is_complex(A):
        return linalg_slogdet(P.det_sign(A.detach()), named(log, "LinalgSlogdetBackward0"))
    size, angle = real(log), imaginary_part(log)
    none = P.eq(size, -math.inf)
    turn = P.exp(P.mul(P.where(none, 0.0, angle), 1j))
    return linalg_slogdet(P.where(none, P.zeros_like(turn), turn), named(size, "LinalgSlogdetBackward0"))


def logdet(input: Tensor) -> Tensor:
    """The logarithms of the determinants: nan for negative ones, -inf for 0."""
    check_square("logdet", input, "input")
    log = P.log_det(input)
    if is_complex(input):
        return log
    return P.where(P.lt(P.det_sign(input.detach()), 0), math.nan, log)


@takes_out
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L with ``L L^H = A``; with ``upper`` its adjoint, from the upper triangle.

    Raises:
        LinAlgError: a matrix is not positive definite.
    """
    check_square("linalg.cholesky", A)
    out = P.cholesky(mirrored(A, upper))
    return named(adjoint(out) if upper else out, "LinalgCholeskyExBackward0")


@takes_out
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> linalg_cholesky_ex:
    """``cholesky``, and for each matrix the order of the first leading minor that is not positive (int32; 0: none).

    Raises:
        LinAlgError: a matrix is not positive definite and ``check_errors``.
    """
    check_square("linalg.cholesky_ex", A)
    whole = mirrored(A, upper)
    info = P.cholesky_info(whole.detach())
    bad = P.gt(info, 0)
    if check_errors:
        refuse_any("linalg.cholesky_ex", bad, "a matrix is not positive definite")
    out = P.cholesky(P.where(last_column(last_column(bad)), eye_like(A), whole))
    return linalg_cholesky_ex(named(adjoint(out) if upper else out, "LinalgCholeskyExBackward0"), info)


# PyTorch's older names


def old_cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """``linalg.cholesky`` under its older name."""
    check_square("cholesky", input, "input")
    return cholesky(input, upper=upper)


def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """``X`` in ``A X = input`` for ``A = L L^H``, or ``L^H L`` with ``upper``.

    Args:
        input: (..., n, k). L: (..., n, n), a triangle.
    """
    check_matrix("cholesky_solve", input, "input")
    check_square("cholesky_solve", L, "L")
    check_same("cholesky_solve", L, input, "input")
    if input._array.shape[-2] != L._array.shape[-1]:
        raise RuntimeError(f"cholesky_solve: input={describe(input)} and L={describe(L)} do not fit")
    if L.requires_grad:  # PyTorch's gradient has both triangles, as of a matrix of which all counts
        kept = P.triu(L.detach(), 0) if upper else P.tril(L.detach(), 0)
        whole = P.add(L, P.sub(kept, L.detach()))
        first, second = (adjoint(whole), whole) if upper else (whole, adjoint(whole))
        out = solve(second, solve(first, input))
    else:
        first, second = (adjoint(L), L) if upper else (L, adjoint(L))
        out = solve_triangular(second, solve_triangular(first, input, upper=False), upper=True)
    return named(out, "CholeskySolveBackward0")


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of ``L L^H``, or of ``L^H L`` with ``upper``."""
    check_square("cholesky_inverse", L, "L")
    return named(cholesky_solve(eye_like(L), L, upper), "CholeskyInverseBackward0")


class triangular_solve_result(NamedTuple):  # noqa: N801
    solution: Tensor
    cloned_coefficient: Tensor

    def __repr__(self) -> str:
        return fields(self)


def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> triangular_solve_result:
    """``linalg.solve_triangular`` under its older name, and a copy of A."""
    check_tensor("triangular_solve", "A", A)
    check_matrix("triangular_solve", b, "b")
    check_square("triangular_solve", A)
    turned = A.mT if transpose else A
    out = solve_triangular(turned, b, upper=bool(upper) != bool(transpose), unitriangular=unitriangular)
    a, _ = batch_together("triangular_solve", A, b)
    return triangular_solve_result(named(out, "TriangularSolveBackward0"), P.copy(a))


__all__ += ["cholesky_inverse", "cholesky_solve", "old_cholesky", "real_part", "triangular_solve"]
