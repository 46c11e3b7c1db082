"""The first few singular values and vectors of a large matrix, by random projections."""

from __future__ import annotations

from ...tensor import Tensor
from ..args import check_tensor
from ..random import randn
from .factors import qr
from .spectra import svd

__all__ = ["pca_lowrank", "svd_lowrank"]


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The first ``q`` singular values and vectors, nearly: of a projection onto a random subspace.

    Args:
        A: (..., m, n).
        q: how many; somewhat more than the rank.
        niter: how often the subspace is improved by multiplying with the matrix and its adjoint.
        M: (..., m, n), what is taken off A first; None for nothing.

    Returns:
        U (..., m, q), S (..., q), V (..., n, q), where A is about U diag(S) V^H. The signs of U and V, together, are
        those that the random numbers give.

    Halko, Martinsson and Tropp, Finding structure with randomness (2009), algorithm 5.1.
    """
    check_tensor("svd_lowrank", "A", A)
    if M is not None:
        A = A - M
    wide = A.shape[-2] < A.shape[-1]
    tall = A.mH if wide else A
    basis = _range(tall, 6 if q is None else q, 2 if niter is None else niter)
    small, values, right = svd(basis.mH @ tall, full_matrices=False)
    left, right = basis @ small, right.mH
    return (right, values, left) if wide else (left, values, right)


def _range(A: Tensor, q: int, niter: int) -> Tensor:
    """(..., m, q), orthonormal columns that span nearly what A's first singular vectors span."""
    basis = qr(A @ randn(A.shape[-1], q, dtype=A.dtype, device=A.device)).Q
    for _ in range(niter):
        basis = qr(A.mH @ basis).Q
        basis = qr(A @ basis).Q
    return basis


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """The first principal components of data, nearly, by ``svd_lowrank``.

    Args:
        A: (..., m, n), m samples of n features.
        q: how many components; min(6, m, n) for None.
        center: take the mean off each feature.
        niter: see ``svd_lowrank``.

    Returns:
        U (..., m, q), S (..., q), V (..., n, q): the columns of V are the components, ``A @ V[:, :k]`` projects.

    Raises:
        ValueError: q or niter out of range.
    """
    check_tensor("pca_lowrank", "A", A)
    most = min(A.shape[-2:])
    q = min(6, most) if q is None else q
    if not 0 <= q <= most:
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={most}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(dim=-2, keepdim=True) if center else A, q, niter)
