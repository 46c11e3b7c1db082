"""Eigenvalues, singular values, and what is made of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from ....backends import dtypes
from ...names import named
from ...promote import constant, describe
from ...rule import P
from ...tensor import Tensor
from ...types import finfo
from ...views import own
from .. import reduce
from ..args import check_tensor
from ..out import takes_out
from ..results import fields
from .checks import (
    adjoint,
    check_matrix,
    check_same,
    check_square,
    is_complex,
    last_column,
    mirrored,
    real_dtype,
    real_part,
    rows,
    zeros_of,
)

__all__ = [
    "eig", "eigh", "eigvals", "eigvalsh", "lstsq", "matrix_rank", "old_svd", "pinv", "pinverse", "svd", "svdvals",
]  # fmt: skip


class linalg_eig(NamedTuple):  # noqa: N801 - named as PyTorch names its results
    eigenvalues: Tensor
    eigenvectors: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_eigh(NamedTuple):  # noqa: N801
    eigenvalues: Tensor
    eigenvectors: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_svd(NamedTuple):  # noqa: N801
    U: Tensor
    S: Tensor
    Vh: Tensor

    def __repr__(self) -> str:
        return fields(self)


class svd_result(NamedTuple):  # noqa: N801
    U: Tensor
    S: Tensor
    V: Tensor

    def __repr__(self) -> str:
        return fields(self)


class linalg_lstsq(NamedTuple):  # noqa: N801
    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor

    def __repr__(self) -> str:
        return fields(self)


def _row(x: Tensor, at: int) -> Tensor:
    return P.slice(x, (*(slice(None),) * (x.ndim - 2), at))


@takes_out
def eig(A: Tensor) -> linalg_eig:
    """The eigenvalues (..., n) and eigenvectors (..., n, n) of square matrices, complex; columns of length 1.

    A loss must not depend on the factors of length 1 by which the eigenvectors may be multiplied.
    """
    check_square("linalg.eig", A)
    packed = P.eig(A)
    values, vectors = _row(packed, 0), rows(packed, 1, None)
    return linalg_eig(own(named(values, "LinalgEigBackward0")), own(named(vectors, "LinalgEigBackward0")))


@takes_out
def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues (..., n) of square matrices, complex."""
    check_square("linalg.eigvals", A)
    return own(named(_row(P.eig(A), 0), "LinalgEigBackward0"))


def _eigh(name: str, a: Tensor, uplo: str) -> Tensor:
    check_square(name, a)
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"{name}: UPLO must be 'L' or 'U', got {uplo!r}")
    return P.eigh(mirrored(a, uplo.upper() == "U"), uplo.upper())


@takes_out
def eigh(A: Tensor, UPLO: str = "L") -> linalg_eigh:
    """The eigenvalues (..., n), ascending, and orthonormal eigenvectors of Hermitian matrices (..., n, n).

    Args:
        UPLO: which triangle counts, "L" or "U".
    """
    packed = _eigh("linalg.eigh", A, UPLO)
    values = named(real_part(_row(packed, 0)), "LinalgEighBackward0")
    return linalg_eigh(own(values), own(named(rows(packed, 1, None), "LinalgEighBackward0")))


@takes_out
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues (..., n), ascending, of Hermitian matrices (..., n, n)."""
    return own(named(real_part(_row(_eigh("linalg.eigvalsh", A, UPLO), 0)), "LinalgEighBackward0"))


def _svd(name: str, a: Tensor, full: bool) -> tuple[Tensor, Tensor, Tensor]:
    """U, S and V."""
    check_matrix(name, a)
    m, n = a._array.shape[-2:]
    packed = P.svd(a)
    u, v = rows(packed, 0, m), rows(packed, m + 1, None)
    if full and m != n:
        rest = P.svd_rest(a.detach())
        if m > n:
            u = P.cat([u, rest], a.ndim - 1)
        else:
            v = P.cat([v, rest], a.ndim - 1)
    s = own(named(real_part(_row(packed, m)), "LinalgSvdBackward0"))
    return own(named(u, "LinalgSvdBackward0")), s, v


@takes_out
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> linalg_svd:
    """The factors of ``A = U diag(S) Vh``, S descending.

    Args:
        A: (..., m, n).
        full_matrices: U (..., m, m) and Vh (..., n, n), else of k = min(m, n) columns and rows. What is more than k
            has no gradient.
        driver: accepted; it says which algorithm a GPU takes.
    """
    u, s, v = _svd("linalg.svd", A, full_matrices)
    return linalg_svd(u, s, own(named(adjoint(v), "LinalgSvdBackward0")))


@takes_out
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values (..., k) of matrices (..., m, n), descending."""
    return _svd("linalg.svdvals", A, False)[1]


def old_svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> svd_result:
    """``linalg.svd`` under its older name, with V in place of Vh; without ``compute_uv`` U and V are zeros."""
    u, s, v = _svd("svd", input, not some)
    if not compute_uv:
        m, n = input._array.shape[-2:]
        lead = input._array.shape[:-2]
        u, v = (P.copy(zeros_of(input.detach(), (*lead, k, k))) for k in (m, n))
    return svd_result(u, s, v)


def _cutoff(name: str, a: Tensor, sizes: Tensor, atol: Any, rtol: Any) -> Tensor:
    """The size (...) up to which a singular value counts as 0."""
    if rtol is None:
        given = atol is not None
        unit = finfo(a.dtype).eps * max(a._array.shape[-2:])
        if isinstance(atol, Tensor):
            rtol = P.where(P.gt(atol, 0), 0.0, unit)
        else:
            rtol = 0.0 if given and atol > 0 else unit
    limits = []
    for word, value in (("atol", atol), ("rtol", rtol)):
        if isinstance(value, Tensor) and is_complex(value):
            raise RuntimeError(f"{name}: argument '{word}' must not be complex, got {describe(value)}")
        if value is None:
            value = 0.0
        limits.append(P.cast(value, sizes._array.dtype) if isinstance(value, Tensor) else value)
    lead = sizes._array.shape[:-1]
    largest = P.amax(sizes, (sizes.ndim - 1,), False) if sizes._array.shape[-1] else zeros_of(sizes, lead)
    relative = P.mul(largest, limits[1])
    floor = limits[0] if isinstance(limits[0], Tensor) else constant(limits[0], sizes.dtype, sizes._device)
    return P.maximum(relative, floor)


def _sizes(name: str, a: Tensor, hermitian: bool) -> Tensor:
    return P.abs(eigvalsh(a)) if hermitian else _svd(name, a, False)[1]


@takes_out
def matrix_rank(A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """How many singular values are above ``max(atol, rtol * the largest)`` (int64).

    Args:
        tol: the older name of ``atol``, with which nothing is relative. hermitian: whether A is Hermitian.
    """
    check_matrix("linalg.matrix_rank", A)
    if hermitian:
        check_square("linalg.matrix_rank", A)
    if tol is not None:
        atol, rtol = tol, 0.0
    sizes = _sizes("linalg.matrix_rank", A.detach(), hermitian)
    limit = _cutoff("linalg.matrix_rank", A, sizes, atol, rtol)
    return reduce.sum(P.gt(sizes, last_column(limit)), -1)


@takes_out
def pinv(A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The pseudo-inverses (..., n, m); singular values up to ``max(atol, rtol * the largest)`` count as 0.

    Args:
        rcond: the older name of ``rtol``. hermitian: whether A is Hermitian, of which the lower triangle counts.
    """
    check_matrix("linalg.pinv", A)
    if hermitian:
        check_square("linalg.pinv", A)
        A = mirrored(A, False)
    if 0 in A._array.shape:
        return P.copy(A.mT)
    limit = _cutoff("linalg.pinv", A, _sizes("linalg.pinv", A.detach(), False), atol, rcond if rtol is None else rtol)
    limit = P.expand(limit, A._array.shape[:-2])
    return named(P.pinv(A, P.cast(limit, real_dtype(A).numpy)), "LinalgPinvBackward0")


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """``linalg.pinv`` under its older name."""
    check_matrix("pinverse", input, "input")
    return pinv(input, rtol=rcond)


def lstsq(A: Tensor, B: Tensor, rcond: Any = None, *, driver: str | None = None) -> linalg_lstsq:
    """``X`` (..., n, k) with the least ``A X - B``, and of several the smallest.

    Args:
        A: (..., m, n). B: (..., m, k), or vectors (..., m).
        rcond: singular values up to this share of the largest count as 0.
        driver: "gels", "gelsy", "gelsd" or "gelss"; all are computed by singular values, and tell which results
            beside the solution are not empty.

    Returns:
        The solution; the sums of the squares of what is left (..., k), empty unless m > n and the rank is n, and
        for "gelsy"; the ranks, empty for "gels"; the singular values, empty but for "gelsd" and "gelss".
    """
    check_matrix("linalg.lstsq", A)
    check_tensor("linalg.lstsq", "B", B)
    check_same("linalg.lstsq", A, B)
    driver = "gelsy" if driver is None else driver
    if driver not in ("gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(f"linalg.lstsq: driver must be gels, gelsy, gelsd or gelss, got {driver!r}")
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B._array.shape == A._array.shape[:-1])
    right = last_column(B) if vector else B
    m, n = A._array.shape[-2:]
    if right._array.shape[-2] != m:
        raise RuntimeError(f"linalg.lstsq: A={describe(A)} and B={describe(B)} do not fit")
    inverse = pinv(A, rtol=rcond)
    out = P.matmul(inverse, right)
    none = P.copy(zeros_of(P.cast(A.detach(), real_dtype(A).numpy), (0,)))
    sizes = _svd("linalg.lstsq", A.detach(), False)[1]
    limit = _cutoff("linalg.lstsq", A, sizes, None, rcond)
    rank = reduce.sum(P.gt(sizes, last_column(limit)), -1)
    residuals = none
    if m > n and driver != "gelsy" and (driver == "gels" or bool(P.all(P.eq(rank, n), None, False))):
        left = P.sub(P.matmul(A, out), right)
        residuals = reduce.sum(P.square(P.abs(left)), -2)
    solution = P.slice(out, (*(slice(None),) * (out.ndim - 1), 0)) if vector else out
    none_ranks = P.copy(P.cast(none, dtypes.int64.numpy))
    return linalg_lstsq(
        solution, residuals, none_ranks if driver == "gels" else rank, sizes if driver in ("gelsd", "gelss") else none
    )
