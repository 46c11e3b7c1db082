"""Linear algebra: what ``tapegrad.linalg`` offers, and PyTorch's older names for some of it."""

from collections.abc import Callable
from typing import Any

from . import factors, low_rank, powers, solving, spectra
from .checks import LinAlgError
from .factors import householder_product, lu, lu_factor, lu_factor_ex, lu_solve, qr
from .norms import cond, matrix_norm, norm, vector_norm
from .powers import (
    cross,
    diagonal,
    matmul,
    matrix_exp,
    matrix_power,
    multi_dot,
    tensorinv,
    tensorsolve,
    vander,
    vecdot,
)
from .solving import cholesky, cholesky_ex, det, inv, inv_ex, slogdet, solve, solve_ex, solve_triangular
from .spectra import eig, eigh, eigvals, eigvalsh, lstsq, matrix_rank, pinv, svd, svdvals
from .symmetric import ldl_factor, ldl_factor_ex, ldl_solve

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex",
    "ldl_solve", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul",
    "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip

# Functions of the package itself and methods
TOP: dict[str, Callable[..., Any]] = {
    "cholesky": solving.old_cholesky, "cholesky_inverse": solving.cholesky_inverse,
    "cholesky_solve": solving.cholesky_solve, "det": solving.det, "geqrf": factors.geqrf, "inverse": solving.inv,
    "logdet": solving.logdet, "lu": factors.old_lu, "lu_solve": factors.old_lu_solve, "matrix_exp": powers.matrix_exp,
    "matrix_power": powers.matrix_power, "ormqr": factors.ormqr, "pinverse": spectra.pinverse, "qr": factors.old_qr,
    "slogdet": solving.slogdet, "svd": spectra.old_svd, "triangular_solve": solving.triangular_solve,
}  # fmt: skip
FUNCTIONS_ONLY: dict[str, Callable[..., Any]] = {
    "lu_unpack": factors.lu_unpack, "pca_lowrank": low_rank.pca_lowrank, "svd_lowrank": low_rank.svd_lowrank,
}  # fmt: skip
