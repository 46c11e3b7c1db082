"""Triangular and orthogonal factors: LU, QR, Householder's reflections."""

from __future__ import annotations

from typing import Any, NamedTuple

from ....backends import dtypes
from ...names import named
from ...promote import describe
from ...rule import P
from ...tensor import Tensor
from ..args import check_tensor
from ..out import takes_out
from ..results import fields
from ..shape import transpose
from .checks import (
    adjoint,
    batch_together,
    check_matrix,
    check_same,
    eye_like,
    is_complex,
    last_column,
    refuse_any,
    rows,
    zeros_of,
)

__all__ = [
    "geqrf", "householder_product", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "lu_unpack", "old_lu",
    "old_lu_solve", "old_qr", "ormqr", "packed_lu", "qr",
]  # fmt: skip


class linalg_lu_factor(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    LU: Tensor
    pivots: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_lu_factor_ex(NamedTuple):  # noqa: N801
    LU: Tensor
    pivots: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_lu(NamedTuple):  # noqa: N801
    P: Tensor
    L: Tensor
    U: Tensor

    def __repr__(self) -> str:
        return fields(self)


class lu_unpack_result(NamedTuple):  # noqa: N801
    P: Tensor
    L: Tensor
    U: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_qr(NamedTuple):  # noqa: N801
    Q: Tensor
    R: Tensor

    def __repr__(self) -> str:
        return fields(self)


class geqrf_result(NamedTuple):  # noqa: N801
    a: Tensor
    tau: Tensor

    def __repr__(self) -> str:
        return fields(self)


def _in_order(x: Tensor, order: Tensor) -> Tensor:
    """The rows of matrices (..., m, n) in the order (..., m)."""
    index = P.expand(last_column(order), x._array.shape)
    return P.gather(x, index, x.ndim - 2)


def packed_lu(a: Tensor, pivot: bool = True) -> tuple[Tensor, Tensor]:
    """L and U in one matrix, and the rows that were swapped, from 1 (int32)."""
    if not pivot:
        count = min(a._array.shape[-2:])
        order = P.cumsum(zeros_of(P.cast(P.zeros_like(a.detach()), dtypes.int32.numpy), (count,), 1), 0)
        return P.lu(a), P.copy(P.expand(P.cast(order, dtypes.int32.numpy), (*a._array.shape[:-2], count)))
    pivots = P.lu_pivots(a.detach())
    order = P.pivot_order(pivots, a._array.shape[-2])
    return P.lu(_in_order(a, order)), pivots


def _info(packed: Tensor) -> Tensor:
    """The place of the first pivot that is 0, from 1; 0 for none (int32)."""
    last = packed.ndim
    ends = P.diagonal(packed.detach(), 0, last - 2, last - 1)
    if not ends._array.shape[-1]:
        return zeros_of(P.cast(P.zeros_like(ends), dtypes.int32.numpy), ends._array.shape[:-1])
    zero = P.eq(ends, 0)
    first = P.add(P.argmax(P.cast(zero, dtypes.uint8.numpy), last - 2, False), 1)
    return P.cast(P.mul(first, P.any(zero, (last - 2,), False)), dtypes.int32.numpy)


@takes_out
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> linalg_lu_factor_ex:
    """``lu_factor``, and for each matrix the place of the first pivot that is 0 (int32; 0: none).

    Raises:
        LinAlgError: a pivot is 0 and ``check_errors``.
    """
    check_matrix("linalg.lu_factor_ex", A)
    packed, pivots = packed_lu(A, pivot)
    info = _info(packed)
    if check_errors:
        refuse_any("linalg.lu_factor_ex", P.gt(info, 0), "a pivot of U is zero; a system with it has no solution")
    return linalg_lu_factor_ex(named(packed, "LinalgLuFactorExBackward0"), pivots, info)


@takes_out
def lu_factor(A: Tensor, *, pivot: bool = True) -> linalg_lu_factor:
    """The factors of ``A = P L U`` packed into one matrix, and the pivots of the rows, from 1 (int32).

    Raises:
        LinAlgError: a pivot is 0.
    """
    check_matrix("linalg.lu_factor", A)
    packed, pivots, info = lu_factor_ex(A, pivot=pivot)
    refuse_any("linalg.lu_factor", P.gt(info, 0), "a pivot of U is zero; use lu_factor_ex() for such matrices")
    return linalg_lu_factor(packed, pivots)


def _parts(packed: Tensor) -> tuple[Tensor, Tensor]:
    """L (..., m, k) with ones on its diagonal and U (..., k, n)."""
    m, n = packed._array.shape[-2:]
    k = min(m, n)
    columns = (*(slice(None),) * (packed.ndim - 1), slice(0, k))
    low = P.tril(P.slice(packed, columns), -1)
    ones = eye_like(packed, m) if m == k else P.slice(eye_like(packed, m), columns)
    return P.add(low, ones), P.triu(rows(packed, 0, k), 0)


def _permutation(pivots: Tensor, m: int, like: Tensor) -> Tensor:
    """The matrices P (..., m, m) of ``A = P L U``."""
    order = P.pivot_order(pivots, m)
    turned = _in_order(eye_like(like, m).detach(), order)
    return P.copy(transpose(turned, -1, -2))


@takes_out
def lu(A: Tensor, *, pivot: bool = True) -> linalg_lu:
    """The factors of ``A = P L U``: a permutation, a lower and an upper triangle; without ``pivot`` P is empty."""
    check_matrix("linalg.lu", A)
    packed, pivots = packed_lu(A, pivot)
    low, up = _parts(packed)
    swap = _permutation(pivots, A._array.shape[-2], A) if pivot else zeros_of(A.detach(), (0,))
    return linalg_lu(P.copy(swap), named(low, "LinalgLuBackward0"), named(up, "LinalgLuBackward0"))


@takes_out
def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """``X`` in ``A X = B`` for the packed factors of A; with ``left=False`` in ``X A = B``.

    Args:
        LU, pivots: from ``lu_factor``. B: (..., n, k). adjoint: whether A's adjoint takes its place.
    """
    check_matrix("linalg.lu_solve", LU, "LU")
    check_same("linalg.lu_solve", LU, B)
    check_matrix("linalg.lu_solve", B, "B")
    check_tensor("linalg.lu_solve", "pivots", pivots)
    if pivots.dtype is not dtypes.int32:
        raise RuntimeError(f"linalg.lu_solve: argument 'pivots' must be int32, got {pivots.dtype.name}")
    n = LU._array.shape[-1]
    if n != LU._array.shape[-2] or pivots._array.shape != LU._array.shape[:-1]:
        raise RuntimeError(f"linalg.lu_solve: LU={describe(LU)} and pivots={describe(pivots)} do not fit")
    if B._array.shape[-2 if left else -1] != n:
        raise RuntimeError(f"linalg.lu_solve: LU={describe(LU)} and B={describe(B)} do not fit")
    if not left:  # X A = B is A^H X^H = B^H
        turned = lu_solve(LU, pivots, _adjoint(B), adjoint=not adjoint)
        return _adjoint(turned)
    order = P.pivot_order(pivots, n)
    packed, right = batch_together("linalg.lu_solve", LU, B)
    order = P.expand(order, packed._array.shape[:-1])
    if adjoint:
        half = P.solve_triangular(_adjoint(packed), right, False, False)
        whole = P.solve_triangular(_adjoint(packed), half, True, True)
        out = _in_order(whole, P.argsort(order, order.ndim - 1, False, False))
    else:
        half = P.solve_triangular(packed, _in_order(right, order), False, True)
        out = P.solve_triangular(packed, half, True, False)
    return named(out, "LinalgLuSolveBackward0")


_adjoint = adjoint


def old_lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> tuple[Tensor, ...]:
    """``linalg.lu_factor_ex`` under its older name; the third result only with ``get_infos``."""
    check_matrix("lu", A)
    found = tuple(lu_factor_ex(A, pivot=pivot))
    return found if get_infos else found[:2]


def old_lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """``linalg.lu_solve`` under its older name, the right side first."""
    return lu_solve(LU_data, LU_pivots, b)


def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True
) -> lu_unpack_result:
    """The three factors of ``A = P L U`` from the packed ones; empty those that are not asked for."""
    check_tensor("lu_unpack", "LU_data", LU_data)
    check_tensor("lu_unpack", "LU_pivots", LU_pivots)
    if LU_data.ndim < 2:
        raise RuntimeError(f"lu_unpack: argument 'LU_data' must hold matrices, got {describe(LU_data)}")
    if unpack_pivots and LU_pivots.dtype is not dtypes.int32:
        raise RuntimeError(f"lu_unpack: argument 'LU_pivots' must be int32, got {LU_pivots.dtype.name}")
    none = P.copy(zeros_of(LU_data.detach(), (0,)))
    low, up = _parts(LU_data) if unpack_data else (none, none)
    swap = _permutation(LU_pivots, LU_data._array.shape[-2], LU_data.detach()) if unpack_pivots else none
    return lu_unpack_result(swap, named(low, "LuUnpackBackward0"), named(up, "LuUnpackBackward0"))


# QR


@takes_out
def qr(A: Tensor, mode: str = "reduced") -> linalg_qr:
    """The factors of ``A = Q R``: orthonormal columns and an upper triangle.

    Args:
        A: (..., m, n).
        mode: "reduced": Q (..., m, k), R (..., k, n), k = min(m, n); "complete": Q (..., m, m), R (..., m, n);
            "r": R of the reduced form alone, Q empty, without a gradient.

    Raises:
        RuntimeError: another mode, or a gradient is asked for that does not exist: of "r", and of "complete" for m > n.
    """
    check_matrix("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"linalg.qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    m, n = A._array.shape[-2:]
    if mode == "complete" and m > n:
        q = P.qr_whole(A.detach())
        return linalg_qr(q, P.triu(P.matmul(_adjoint(q), A.detach()), 0))
    x = A.detach() if mode == "r" else A
    head = x if m >= n else P.slice(x, (*(slice(None),) * (A.ndim - 1), slice(0, m)))
    q = P.qr_q(head)
    r = named(P.triu(P.matmul(_adjoint(q), x), 0), "LinalgQrBackward0")
    return linalg_qr(P.copy(zeros_of(x, (0,))) if mode == "r" else named(q, "LinalgQrBackward0"), r)


def old_qr(input: Tensor, some: bool = True) -> linalg_qr:
    """``linalg.qr`` under its older name."""
    return qr(input, "reduced" if some else "complete")


def geqrf(input: Tensor) -> geqrf_result:
    """Householder's vectors below R in one matrix (..., m, n), and their factors (..., k), as LAPACK packs them."""
    check_matrix("geqrf", input, "input")
    m, n = input._array.shape[-2:]
    packed = P.geqrf(input.detach())
    factors = P.slice(packed, (*(slice(None),) * (input.ndim - 2), m, slice(0, min(m, n))))
    return geqrf_result(P.copy(rows(packed, 0, m)), P.copy(factors))


def _reflectors(name: str, a: Tensor, tau: Any) -> tuple[Tensor, Tensor]:
    """Householder's vectors (..., m, k), ones on their diagonal, and their factors as rows."""
    check_matrix(name, a)
    check_same(name, a, tau, "tau")
    m, n = a._array.shape[-2:]
    k = tau._array.shape[-1] if tau.ndim else -1
    if not 0 <= k <= min(m, n) or tau._array.shape[:-1] != a._array.shape[:-2]:
        raise RuntimeError(f"{name}: {describe(a)} and tau={describe(tau)} do not fit")
    columns = (*(slice(None),) * (a.ndim - 1), slice(0, k))
    return P.add(P.tril(P.slice(a, columns), -1), P.slice(eye_like(a, m), columns)), tau


def _reflect(x: Tensor, vectors: Tensor, tau: Tensor, i: int) -> Tensor:
    """``(I - tau v v^H) x`` for one vector."""
    lead = (*(slice(None),) * (vectors.ndim - 1),)
    v = P.slice(vectors, (*lead, slice(i, i + 1)))
    factor = last_column(P.slice(tau, (*(slice(None),) * (tau.ndim - 1), slice(i, i + 1))))
    return P.sub(x, P.mul(P.matmul(v, P.matmul(_adjoint(v), x)), factor))


@takes_out
def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of the product of Householder's reflections.

    Args:
        A: (..., m, n) with the vectors below the diagonal. tau: (..., k), their factors.
    """
    vectors, factors = _reflectors("linalg.householder_product", A, tau)
    m, n = A._array.shape[-2:]
    if n > m:
        raise RuntimeError(f"linalg.householder_product: needs at least as many rows as columns, got {describe(A)}")
    whole = eye_like(A, m)
    out = P.slice(whole, (*(slice(None),) * (A.ndim - 1), slice(0, n)))
    for i in reversed(range(factors._array.shape[-1])):
        out = _reflect(out, vectors, factors, i)
    if not factors._array.shape[-1]:
        out = P.overwrite(A, out)  # of no reflections, the slope is 0
    return named(out, "LinalgHouseholderProductBackward0")


def ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """The product of Householder's reflections (or its adjoint) with ``other``, from the left or the right."""
    check_matrix("ormqr", other, "other")
    check_same("ormqr", input, other, "other")
    vectors, factors = _reflectors("ormqr", input, tau)
    if (
        other._array.shape[:-2] != input._array.shape[:-2]
        or other._array.shape[-2 if left else -1] != (input._array.shape[-2])
    ):
        raise RuntimeError(f"ormqr: input={describe(input)} and other={describe(other)} do not fit")
    if not left:  # C Q = (Q^H C^H)^H
        return _adjoint(ormqr(input, tau, _adjoint(other), True, not transpose))
    count = factors._array.shape[-1]
    out, used = other, P.conj(factors) if transpose and is_complex(factors) else factors
    for i in range(count) if transpose else reversed(range(count)):
        out = _reflect(out, vectors, used, i)
    return named(P.copy(out) if out is other else out, "OrmqrBackward0")
