"""Factors of symmetric and Hermitian matrices that need not be definite."""

from __future__ import annotations

from typing import NamedTuple

from ....backends import dtypes
from ...promote import describe
from ...rule import P
from ...tensor import Tensor
from ..args import check_tensor, common_shape
from ..out import takes_out
from ..results import fields
from .checks import batch_together, check_matrix, check_same, check_square, refuse_any, zeros_of

__all__ = ["ldl_factor", "ldl_factor_ex", "ldl_solve"]


class linalg_ldl_factor(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    LD: Tensor
    pivots: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_ldl_factor_ex(NamedTuple):  # noqa: N801
    LD: Tensor
    pivots: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return fields(self)


@takes_out
def ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False) -> linalg_ldl_factor_ex:
    """``ldl_factor``, and for each matrix the place of the first block of D that is 0 (int32; 0: none).

    Raises:
        LinAlgError: there is one and ``check_errors``.
    """
    check_square("linalg.ldl_factor_ex", A)
    packed, pivots = P.ldl(A.detach(), bool(hermitian)), P.ldl_pivots(A.detach(), bool(hermitian))
    last = packed.ndim
    n = A._array.shape[-1]
    info = zeros_of(pivots, A._array.shape[:-2])
    if n:
        ends = P.eq(P.diagonal(packed, 0, last - 2, last - 1), 0)
        zero = P.logical_and(ends, P.gt(pivots, 0))
        first = P.add(P.argmax(P.cast(zero, dtypes.uint8.numpy), last - 2, False), 1)
        info = P.cast(P.mul(first, P.any(zero, (last - 2,), False)), dtypes.int32.numpy)
    if check_errors:
        refuse_any("linalg.ldl_factor_ex", P.gt(info, 0), "D is singular")
    return linalg_ldl_factor_ex(packed, pivots, P.copy(info))


@takes_out
def ldl_factor(A: Tensor, *, hermitian: bool = False) -> linalg_ldl_factor:
    """The factors of ``A = L D L^T`` (``L^H`` if ``hermitian``) packed into one matrix, and the pivots; no gradient.

    Args:
        A: (..., n, n), symmetric or Hermitian; the lower triangle counts. D has blocks of one or two rows.

    Raises:
        LinAlgError: D is singular.
    """
    check_square("linalg.ldl_factor", A)
    packed, pivots, info = ldl_factor_ex(A, hermitian=hermitian)
    refuse_any("linalg.ldl_factor", P.gt(info, 0), "D is singular; use ldl_factor_ex() for such matrices")
    return linalg_ldl_factor(packed, pivots)


@takes_out
def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """``X`` in ``A X = B`` for the packed factors of A, without a gradient.

    Args:
        LD, pivots: from ``ldl_factor``. B: (..., n, k).
    """
    check_square("linalg.ldl_solve", LD, "LD")
    check_same("linalg.ldl_solve", LD, B)
    check_matrix("linalg.ldl_solve", B, "B")
    check_tensor("linalg.ldl_solve", "pivots", pivots)
    if pivots._array.dtype.kind not in "iu":
        raise RuntimeError(f"linalg.ldl_solve: argument 'pivots' must hold integers, got {describe(pivots)}")
    n = LD._array.shape[-1]
    if B._array.shape[-2] != n or pivots._array.shape != LD._array.shape[:-1]:
        raise RuntimeError(f"linalg.ldl_solve: {describe(LD)}, {describe(pivots)} and B={describe(B)} do not fit")
    packed, right = batch_together("linalg.ldl_solve", LD.detach(), B.detach())
    lead = common_shape("linalg.ldl_solve", pivots._array.shape[:-1], right._array.shape[:-2])
    return P.ldl_solve(packed, P.expand(pivots, (*lead, n)), right, bool(hermitian))
