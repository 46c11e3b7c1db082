"""Rules of matrix decompositions and solvers.

Where a decomposition has several parts, they and their cotangents lie one above the other in one array. Formulas for
complex matrices that are not holomorphic are written in PyTorch's convention: adjoints, not transposes.
M. Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation (2008);
C. Boeddeker et al., On the computation of complex-valued gradients with application to statistically optimum
beamforming (2017).
"""

from __future__ import annotations

from ..rule import nondiff, rule

__all__: list[str] = []


def _t(F, x):
    n = len(x.shape)
    return F.permute(x, (*range(n - 2), n - 1, n - 2))


def _h(F, x):
    return F.conj(_t(F, x))


def _rows(F, x, start, stop):
    return F.slice(x, (*(slice(None),) * (len(x.shape) - 2), slice(start, stop)))


def _corner(F, x, rows, columns):
    return F.slice(x, (*(slice(None),) * (len(x.shape) - 2), rows, columns))


def _diagonal(F, x):
    n = len(x.shape)
    return F.diagonal(x, 0, n - 2, n - 1)


def _diagonal_matrix(F, v):
    """Vectors (..., n) on the diagonals of matrices."""
    n = len(v.shape)
    return F.undiagonal(v, (*v.shape, v.shape[-1]), 0, n - 1, n)


def _column(F, v):
    return F.reshape(v, (*v.shape, 1))


def _row(F, v):
    return F.reshape(v, (*v.shape[:-1], 1, v.shape[-1]))


def _ones(F, x):
    return F.add(F.zeros_like(x), 1)


def _eye(F, x):
    """The identity, for square matrices x."""
    return _diagonal_matrix(F, _ones(F, _diagonal(F, x)))


def _real(F, x):
    """The real part, in the type of x."""
    return F.mul(F.add(x, F.conj(x)), 0.5)


def _over(F, x, y):
    """``x / y``, and 0 for 0 / 0: where nothing flows, coinciding values do no harm."""
    none = F.logical_and(F.eq(x, 0), F.eq(y, 0))
    return F.div(x, F.where(none, _ones(F, y), y))


# Solvers
rule(
    "solve", "a b", typed="a b",
    all=lambda F, g, a, out, need: _solve(F, F.solve(_t(F, a), g), out, need),
)  # fmt: skip


def _solve(F, to_b, x, need):
    return F.neg(F.matmul(to_b, _t(F, x))) if need[0] else None, to_b


rule("inverse", "x", x=lambda F, g, out: F.neg(F.matmul(F.matmul(_t(F, out), g), _t(F, out))))
rule(
    "solve_triangular", "a b", "upper unit", typed="a b",
    all=lambda F, g, a, out, upper, unit, need: _solve_triangular(
        F, F.solve_triangular(_t(F, a), g, not upper, unit), out, upper, unit, need
    ),
)  # fmt: skip


def _solve_triangular(F, to_b, x, upper, unit, need):
    if not need[0]:
        return None, to_b
    whole = F.neg(F.matmul(to_b, _t(F, x)))
    return F.triu(whole, int(unit)) if upper else F.tril(whole, -int(unit)), to_b


# Determinants
rule("det", "x", x=lambda F, g, x: F.mul(_column(F, _column(F, g)), F.cofactor(x)))
rule("cofactor", "x", x=lambda F, g, x: _cofactor(F, g, F.solve(x, _eye(F, x)), F.det(x)))
rule("log_det", "x", x=lambda F, g, x: F.mul(_column(F, _column(F, g)), _t(F, F.solve(x, _eye(F, x)))))
nondiff("det_sign", "x")


def _cofactor(F, g, inverse, det):
    n = len(g.shape)
    along = F.mul(F.sum(F.mul(g, _t(F, inverse)), (n - 2, n - 1), True), _t(F, inverse))
    across = _t(F, F.matmul(F.matmul(inverse, g), inverse))
    return F.mul(_column(F, _column(F, det)), F.sub(along, across))


# Hermitian matrices; the gradient is Hermitian (as far as the loss takes the factor's diagonal for real)
rule("cholesky", "x", holomorphic=False, x=lambda F, g, out: _cholesky(F, F.matmul(_h(F, out), F.tril(g, 0)), out))
nondiff("cholesky_info", "x")


def _cholesky(F, inner, factor):
    even = F.mul(F.add(F.tril(inner, 0), _h(F, F.tril(inner, -1))), 0.5)
    left = F.solve_triangular(_h(F, factor), even, True, False)
    return _h(F, F.solve_triangular(_h(F, factor), _h(F, left), True, False))


rule(
    "eigh", "x", "uplo", holomorphic=False, x=lambda F, g, out: _eigh(F, g, _first_row(F, out), _rows(F, out, 1, None))
)


def _first_row(F, x):
    return F.slice(x, (*(slice(None),) * (len(x.shape) - 2), 0))


def _gaps(F, values):
    """``values_j - values_i`` in row i and column j."""
    return F.sub(_row(F, values), _column(F, values))


def _eigh(F, g, values, vectors):
    turned = F.matmul(_h(F, vectors), _rows(F, g, 1, None))
    odd = F.mul(F.sub(turned, _h(F, turned)), 0.5)
    off = F.sub(odd, _diagonal_matrix(F, _diagonal(F, odd)))
    inner = F.add(_over(F, off, _gaps(F, values)), _diagonal_matrix(F, _real(F, _first_row(F, g))))
    return F.matmul(F.matmul(vectors, inner), _h(F, vectors))


# General matrices. Eigenvectors have length 1, up to a factor of that length, of which a loss must not depend.
rule(
    "eig", "x", holomorphic=False,
    x=lambda F, g, out, x_dtype: _eig(F, g, _first_row(F, out), _rows(F, out, 1, None), x_dtype),
)  # fmt: skip


def _eig(F, g, values, vectors, dtype):
    turned = F.matmul(_h(F, vectors), _rows(F, g, 1, None))
    lengths = _row(F, _real(F, _diagonal(F, turned)))
    free = F.sub(turned, F.mul(F.matmul(_h(F, vectors), vectors), lengths))
    off = F.sub(free, _diagonal_matrix(F, _diagonal(F, free)))
    inner = F.add(_over(F, off, F.conj(_gaps(F, values))), _diagonal_matrix(F, _first_row(F, g)))
    found = F.solve(_h(F, vectors), F.matmul(inner, _h(F, vectors)))
    if dtype.kind == "c":
        return found
    pairs = F.view_as_real(found)
    return F.slice(pairs, (*(slice(None),) * (len(pairs.shape) - 1), 0))


rule("svd", "x", holomorphic=False, x=lambda F, g, out, x_shape, x_dtype: _svd(F, g, out, x_shape, x_dtype))
nondiff("svd_rest", "x")


def _svd(F, g, out, shape, dtype):
    m, n = shape[-2:]
    u, s, v = _rows(F, out, 0, m), _first_row(F, _rows(F, out, m, m + 1)), _rows(F, out, m + 1, None)
    gu, gs, gv = _rows(F, g, 0, m), _first_row(F, _rows(F, g, m, m + 1)), _rows(F, g, m + 1, None)
    left, right = F.matmul(_h(F, u), gu), F.matmul(_h(F, v), gv)
    left, right = F.sub(left, _h(F, left)), F.sub(right, _h(F, right))
    gaps = _gaps(F, F.square(s))
    inner = F.mul(_over(F, F.sub(left, _diagonal_matrix(F, _diagonal(F, left))), gaps), _row(F, s))
    off = F.sub(right, _diagonal_matrix(F, _diagonal(F, right)))
    inner = F.add(inner, F.mul(_column(F, s), _over(F, off, gaps)))
    diagonal = _real(F, gs)
    if dtype.kind == "c":
        diagonal = F.add(diagonal, _over(F, _diagonal(F, left), F.mul(s, 2)))
    inner = F.add(inner, _diagonal_matrix(F, diagonal))
    found = F.matmul(F.matmul(u, inner), _h(F, v))
    if m > n:
        outside = _over(F, F.sub(gu, F.matmul(u, F.matmul(_h(F, u), gu))), _row(F, s))
        found = F.add(found, F.matmul(outside, _h(F, v)))
    if n > m:
        outside = _over(F, F.sub(gv, F.matmul(v, F.matmul(_h(F, v), gv))), _row(F, s))
        found = F.add(found, F.matmul(u, _h(F, outside)))
    return found


rule("pinv", "x cutoff", holomorphic=False, x=lambda F, g, x, out: _pinv(F, _h(F, g), x, out, _h(F, out)))


def _pinv(F, g, x, out, turned):
    """G. H. Golub and V. Pereyra, The differentiation of pseudo-inverses (1973); g is the adjoint of the cotangent."""
    along = F.matmul(g, F.matmul(out, turned))
    first = F.sub(along, F.matmul(F.matmul(x, out), along))
    rest = F.sub(g, F.matmul(F.matmul(g, out), x))
    second = F.matmul(F.matmul(turned, out), rest)
    return F.sub(F.add(first, second), _h(F, F.matmul(F.matmul(out, g), out)))


# Orthogonal and triangular factors
rule("qr_q", "x", holomorphic=False, x=lambda F, g, x, out: _qr(F, g, F.triu(F.matmul(_h(F, out), x), 0), out))
nondiff("qr_whole", "x")
nondiff("geqrf", "x")


def _qr(F, g, r, q):
    inner = F.triu(F.neg(F.matmul(_h(F, q), g)), 0)
    even = F.add(inner, _h(F, inner))
    even = F.sub(even, F.mul(_diagonal_matrix(F, _diagonal(F, even)), 0.5))
    return _h(F, F.solve_triangular(r, _h(F, F.add(g, F.matmul(q, even))), True, False))


rule("lu", "x", x=lambda F, g, out: _lu(F, g, out))
nondiff("ldl", "x", "hermitian")
nondiff("ldl_pivots", "x", "hermitian")
nondiff("ldl_solve", "packed pivots b", "hermitian")
nondiff("lu_pivots", "x")
nondiff("pivot_order", "pivots", "rows")


def _lu(F, g, out):
    m, n = out.shape[-2:]
    k = min(m, n)
    square = _corner(F, out, slice(0, k), slice(0, k))
    below, above = (
        F.tril(_corner(F, g, slice(0, k), slice(0, k)), -1),
        F.triu(_corner(F, g, slice(0, k), slice(0, k)), 0),
    )
    lower, upper = F.add(F.tril(square, -1), _eye(F, square)), F.triu(square, 0)
    rest = []
    if m > n:  # the rows below: x = l upper
        longer, cotangent = _corner(F, out, slice(k, m), slice(0, k)), _corner(F, g, slice(k, m), slice(0, k))
        rest = [_t(F, F.solve_triangular(square, _t(F, cotangent), True, False))]
        above = F.sub(above, F.triu(F.matmul(_t(F, longer), rest[0]), 0))
    if n > m:  # the columns beside: x = lower u
        wider, cotangent = _corner(F, out, slice(0, k), slice(k, n)), _corner(F, g, slice(0, k), slice(k, n))
        rest = [F.solve_triangular(_t(F, square), cotangent, True, True)]
        below = F.sub(below, F.tril(F.matmul(rest[0], _t(F, wider)), -1))
    inner = F.add(F.tril(F.matmul(_t(F, lower), below), -1), F.triu(F.matmul(above, _t(F, upper)), 0))
    left = F.solve_triangular(_t(F, square), inner, True, True)
    found = _t(F, F.solve_triangular(square, _t(F, left), True, False))
    return F.cat([found, *rest], len(out.shape) - (2 if m > n else 1)) if rest else found
