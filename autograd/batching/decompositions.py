"""Batching rules of matrix decompositions, which take leading axes as they are, and of Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..rule import P
from ..tensor import Tensor
from .elementwise import batch_of, expanded
from .level import Batched

__all__ = ["DECOMPOSITIONS"]

# Of the last two axes (`pivot_order` of the last one) of all their inputs
OF_MATRICES = {
    "solve": 2, "inverse": 1, "solve_triangular": 2, "det": 1, "cofactor": 1, "log_det": 1, "det_sign": 1,
    "cholesky": 1, "cholesky_info": 1, "eigh": 1, "eig": 1, "svd": 1, "svd_rest": 1, "pinv": 2, "qr_q": 1,
    "qr_whole": 1, "geqrf": 1, "lu": 1, "lu_pivots": 1, "pivot_order": 1, "ldl": 1, "ldl_pivots": 1, "ldl_solve": 3,
}  # fmt: skip


def _of_matrices(name: str, inputs: int) -> Callable[..., Tensor]:
    def batched(*args: Any) -> Tensor:
        size = batch_of(*args)
        out: Tensor = getattr(P, name)(*[expanded(x, size) for x in args[:inputs]], *args[inputs:])
        return out

    return batched


def _fft_c2c(x: Batched, dims: tuple[int, ...], forward: bool) -> Tensor:
    return P.fft_c2c(x.value, tuple(d + 1 for d in dims), forward)


def _fft_r2c(x: Batched, dim: int) -> Tensor:
    return P.fft_r2c(x.value, dim + 1)


def _fft_c2r(x: Batched, n: int, dim: int) -> Tensor:
    return P.fft_c2r(x.value, n, dim + 1)


DECOMPOSITIONS: dict[str, Callable[..., Tensor]] = {
    **{name: _of_matrices(name, inputs) for name, inputs in OF_MATRICES.items()},
    "fft_c2c": _fft_c2c, "fft_r2c": _fft_r2c, "fft_c2r": _fft_c2r,
}  # fmt: skip
