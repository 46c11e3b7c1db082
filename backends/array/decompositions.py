"""Matrix decompositions and solvers over stacks of matrices (..., m, n).

A decomposition of several parts comes back as one array, its parts stacked as rows: ``eigh`` as the eigenvalues above
the eigenvectors, ``svd`` as U, S and V one above the other, ``lu`` as LAPACK packs it. So each has one cotangent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ..errors import LinAlgError

__all__ = ["DecompositionMixin"]


def _checked(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Tell an array module's failure as ours; a stack that holds nothing is not asked about."""

    @wraps(kernel)
    def checked(self: Any, *args: Any) -> Any:
        try:
            with self.watching_solvers():
                return kernel(self, *args)
        except np.linalg.LinAlgError as error:
            raise LinAlgError(f"{kernel.__name__}: {error}; matrices of shape {list(args[0].shape)}") from error

    return checked


def _turned(x: Any) -> Any:
    """The adjoints of the matrices."""
    return x.swapaxes(-1, -2).conj()


class DecompositionMixin:
    """Decompositions over ``self.xp.linalg``."""

    xp: Any

    def watching_solvers(self) -> Any:
        """A context in which the array module raises ``LinAlgError`` for what it cannot solve."""
        return np.errstate(all="ignore")

    @_checked
    def solve(self, a: Any, b: Any) -> Any:
        """``x`` in ``a x = b`` for a (..., n, n) and b (..., n, k)."""
        return self.xp.linalg.solve(a, b)

    def inverse(self, x: Any) -> Any:
        """The inverses of (..., n, n)."""
        return self.solve(x, self.xp.zeros(x.shape, x.dtype) + self.xp.eye(x.shape[-1], dtype=x.dtype))

    @_checked
    def det(self, x: Any) -> Any:
        return self.xp.linalg.det(x)

    @_checked
    def log_det(self, x: Any) -> Any:
        """The logarithm of the determinant's size, plus i times its angle where the matrices are complex."""
        sign, log = self.xp.linalg.slogdet(x)
        log = self.xp.asarray(log)
        return log if x.dtype.kind != "c" else (log + 1j * self.xp.angle(sign)).astype(x.dtype)

    @_checked
    def det_sign(self, x: Any) -> Any:
        """The sign of the determinant, of a complex one the number of length 1 in its direction; 0 for 0."""
        return self.xp.linalg.slogdet(x)[0]

    @_checked
    def cofactor(self, x: Any) -> Any:
        """The slope of the determinant, by singular values: right for singular matrices too.

        N. J. Higham, What is the adjugate of a matrix? (2020).
        """
        xp = self.xp
        if not x.shape[-1]:
            return x.copy()
        u, s, vh = xp.linalg.svd(x)
        n = s.shape[-1]
        others = xp.where(xp.eye(n, dtype=bool), s.dtype.type(1), s[..., None, :]).prod(-1)
        phase = xp.linalg.det(u) * xp.linalg.det(vh)
        return xp.matmul(u.conj() * (phase[..., None] * others)[..., None, :], vh.conj())

    @_checked
    def cholesky(self, x: Any) -> Any:
        """L in ``L L^H``, the Hermitian part of ``x``."""
        return self.xp.linalg.cholesky((x + _turned(x)) / 2)

    def cholesky_info(self, x: Any) -> Any:
        """The order of the first leading minor that is not positive, else 0 (int32); reads the lower triangle."""
        xp = self.xp
        a, info = x.copy(), xp.zeros(x.shape[:-2], np.int32)
        with np.errstate(all="ignore"):
            for j in range(x.shape[-1]):
                pivot = a[..., j, j].real
                bad = ~(pivot > 0)
                info = xp.where((info == 0) & bad, np.int32(j + 1), info)
                root = xp.sqrt(xp.where(bad, pivot.dtype.type(1), pivot))
                column = a[..., j + 1 :, j] / root[..., None]
                a[..., j + 1 :, j + 1 :] -= column[..., :, None] * column.conj()[..., None, :]
        return info

    @_checked
    def eigh(self, x: Any, uplo: str) -> Any:
        """The eigenvalues, ascending, above the eigenvectors, (..., n + 1, n), of the Hermitian part of ``x``.

        ``uplo`` says which triangle LAPACK works in: the vectors' signs may depend on it.
        """
        values, vectors = self.xp.linalg.eigh((x + _turned(x)) / 2, uplo)
        return self._parts_as_rows(x.dtype, values, vectors)

    @_checked
    def eig(self, x: Any) -> Any:
        """The eigenvalues above the eigenvectors of unit length, (..., n + 1, n), complex."""
        xp = self.xp
        if not hasattr(xp.linalg, "eig"):
            raise TypeError(f"{xp.__name__} has no eigenvalues of matrices that are not Hermitian; use .cpu()")
        values, vectors = xp.linalg.eig(x)
        return self._parts_as_rows(np.result_type(x.dtype, np.complex64), values, vectors)

    @_checked
    def svd(self, x: Any) -> Any:
        """U (m, k), the singular values and V (n, k) one above the other: (..., m + 1 + n, k), k = min(m, n)."""
        u, s, vh = self.xp.linalg.svd(x, full_matrices=False)
        return self._parts_as_rows(x.dtype, u, s, _turned(vh))

    @_checked
    def svd_rest(self, x: Any) -> Any:
        """What the singular vectors lack of a whole basis: (..., max(m, n), abs(m - n)), of the longer side."""
        m, n = x.shape[-2:]
        tall = x if m > n else _turned(x)
        return self.xp.ascontiguousarray(self.xp.linalg.svd(tall, full_matrices=True)[0][..., min(m, n) :])

    def _parts_as_rows(self, dtype: np.dtype, *parts: Any) -> Any:
        """Matrices, and vectors as single rows, one above the other."""
        k = parts[-1].shape[-1]
        ndim = parts[-1].ndim
        rows = [p if p.ndim == ndim else p.reshape(*p.shape[:-1], 1, k) for p in parts]
        return self.xp.concatenate([r.astype(dtype) for r in rows], -2)

    @_checked
    def pinv(self, x: Any, cutoff: Any) -> Any:
        """The pseudo-inverse (..., n, m), with singular values up to ``cutoff`` (...) counted as 0."""
        xp = self.xp
        u, s, vh = xp.linalg.svd(x, full_matrices=False)
        kept = s > cutoff[..., None]
        inverse = xp.where(kept, 1 / xp.where(kept, s, s.dtype.type(1)), s.dtype.type(0))
        return xp.matmul(_turned(vh) * inverse[..., None, :], _turned(u))

    @_checked
    def qr_q(self, x: Any) -> Any:
        """Q (..., m, n) of ``x`` with at least as many rows as columns."""
        return self.xp.linalg.qr(x, "reduced")[0] if x.size else self.xp.zeros(x.shape, x.dtype)

    @_checked
    def qr_whole(self, x: Any) -> Any:
        """The square Q (..., m, m)."""
        if not x.size:
            eye = self.xp.eye(x.shape[-2], dtype=x.dtype)
            return self.xp.broadcast_to(eye, (*x.shape[:-2], *eye.shape)).copy()
        return self.xp.linalg.qr(x, "complete")[0]

    def geqrf(self, x: Any) -> Any:
        """Householder's vectors below R, as LAPACK packs them, above a row of their factors: (..., m + 1, n)."""
        xp, a = self.xp, x.copy()
        m, n = x.shape[-2:]
        factors = xp.zeros((*x.shape[:-2], 1, n), x.dtype)
        with np.errstate(all="ignore"):
            for j in range(min(m, n)):
                self._reflect(a, factors, j)
        return xp.concatenate([a, factors], -2)

    def _reflect(self, a: Any, factors: Any, j: int) -> None:
        """Clear column ``j`` below the diagonal (Golub and Van Loan, Matrix Computations, algorithm 5.1.1)."""
        xp = self.xp
        first, tail = a[..., j, j].copy(), a[..., j + 1 :, j]
        size = xp.square(xp.abs(tail)).sum(-1)
        idle = (size == 0) & (first.imag == 0)
        norm = xp.sqrt(size + xp.square(xp.abs(first)))
        to = xp.where(idle, first.real, xp.where(first.real >= 0, -norm, norm)).astype(a.dtype)
        one = a.dtype.type(1)
        factor = xp.where(idle, one * 0, (to - first) / xp.where(to == 0, one, to))
        vector = tail / xp.where(idle, one, first - to)[..., None]
        rest = a[..., j:, j + 1 :]
        along = rest[..., 0, :] + (vector.conj()[..., :, None] * rest[..., 1:, :]).sum(-2)
        along = along * factor.conj()[..., None]
        rest[..., 1:, :] -= vector[..., :, None] * along[..., None, :]
        rest[..., 0, :] -= along
        a[..., j + 1 :, j] = vector
        a[..., j, j] = to
        factors[..., 0, j] = factor

    def solve_triangular(self, a: Any, b: Any, upper: bool, unit: bool) -> Any:
        """``x`` in ``a x = b`` by substitution, reading one triangle of a (..., n, n): in halves, and these again."""
        if not b.size:
            return b.copy()
        with np.errstate(all="ignore"):
            out = self._substitute(a, b, upper, unit)
        return out if out is not b else b.copy()

    def _substitute(self, a: Any, b: Any, upper: bool, unit: bool) -> Any:
        n = a.shape[-1]
        if n == 1:
            return b if unit else b / a
        xp, k = self.xp, n // 2
        head, tail = slice(0, k), slice(k, n)
        early, late = (tail, head) if upper else (head, tail)
        known = self._substitute(a[..., early, early], b[..., early, :], upper, unit)
        left = b[..., late, :] - xp.matmul(a[..., late, early], known)
        other = self._substitute(a[..., late, late], left, upper, unit)
        return xp.concatenate([other, known] if upper else [known, other], -2)

    def lu(self, x: Any) -> Any:
        """L below U, packed into one matrix, of ``x`` in the order of rows that it has."""
        return self._eliminate(x, False)[0]

    def lu_pivots(self, x: Any) -> Any:
        """The row that partial pivoting swaps each row with, counted from 1 as LAPACK does (int32)."""
        return self._eliminate(x, True)[1]

    def _eliminate(self, x: Any, pivoting: bool) -> tuple[Any, Any]:
        xp, a = self.xp, x.copy()
        m, n = x.shape[-2:]
        pivots = xp.zeros((*x.shape[:-2], min(m, n)), np.int32)
        one = a.dtype.type(1)
        with np.errstate(all="ignore"):
            for j in range(min(m, n)):
                if pivoting:
                    pivots[..., j] = self._swap(a, j) + 1
                pivot = a[..., j, j]
                a[..., j + 1 :, j] /= xp.where(pivot == 0, one, pivot)[..., None]
                a[..., j + 1 :, j + 1 :] -= a[..., j + 1 :, j, None] * a[..., j, None, j + 1 :]
        return a, pivots

    def _swap(self, a: Any, j: int) -> Any:
        """Swap row ``j`` with the one that has the largest element below; which."""
        xp, column = self.xp, a[..., j:, j]
        place = j + xp.argmax(xp.abs(column.real) + xp.abs(column.imag), -1)
        here = (xp.arange(a.shape[-2]) == place[..., None])[..., None]
        row = xp.where(here, a, a.dtype.type(0)).sum(-2)
        a[...] = xp.where(here, a[..., j, None, :], a)
        a[..., j, :] = row
        return place

    def pivot_order(self, pivots: Any, rows: int) -> Any:
        """The order of the rows (..., rows) after the swaps of ``lu_pivots``."""
        xp = self.xp
        order = xp.broadcast_to(xp.arange(rows), (*pivots.shape[:-1], rows)).copy()
        places = xp.arange(rows)
        for j in range(pivots.shape[-1]):
            here = places == (pivots[..., j, None] - 1)
            other = xp.where(here, order, 0).sum(-1)
            order = xp.where(here, order[..., j, None], order)
            order[..., j] = other
        return order
