"""Parametrizations by name: weight norm, spectral norm, orthogonal matrices."""

from __future__ import annotations

from typing import Any

from ...autograd import P, Tensor, finfo, no_grad
from ...autograd.ops.create import tensor as new_tensor
from ...autograd.ops.factories import eye
from ...autograd.ops.linalg import mv
from ...autograd.ops.linear_algebra import householder_product, matrix_exp, solve
from ...autograd.ops.linear_algebra.factors import geqrf
from ...autograd.ops.random import randn
from ..conv import _ConvTransposeNd
from ..functional import normalize
from ..module import Module
from . import parametrize

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


# Weight norm


def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """The lengths of the parts of ``v`` along ``dim``, which alone keeps its size; of the whole for -1 or None."""
    dims = None if dim is None or dim == -1 else [d for d in range(v.ndim) if d != dim % v.ndim]
    return v.norm(2) if dims is None else v.norm(2, dims, keepdim=True) if dims else v.abs()


class _WeightNorm(Module):
    """``g * v / |v|`` (Salimans and Kingma, 2016)."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The lengths, and the weight itself."""
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into its lengths along ``dim`` (``original0``) and its direction (``original1``).

    Args:
        module: whose weight it is.
        name: of the weight.
        dim: the dimension whose slices have a length each; None for one length of the whole.

    Returns:
        The module.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def renamed(_: Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take what the older weight_norm has saved."""
        for old, new in ((f"{prefix}{name}_g", "original0"), (f"{prefix}{name}_v", "original1")):
            if old in state:
                state[f"{prefix}parametrizations.{name}.{new}"] = state.pop(old)

    module.register_load_state_dict_pre_hook(renamed)
    return module


# Spectral norm


class _SpectralNorm(Module):
    """A matrix divided by its largest singular value, which power iteration follows (Miyato et al., 2018)."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        n = weight.ndim
        if not -n <= dim < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{n}, {n - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim if dim >= 0 else dim + n
        self.eps = eps
        if n > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._as_matrix(weight)
            rows, columns = matrix.shape
            u = matrix.new_empty(rows).normal_(0, 1)
            v = matrix.new_empty(columns).normal_(0, 1)
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _as_matrix(self, weight: Tensor) -> Tensor:
        if self.dim:
            weight = weight.permute(self.dim, *(d for d in range(weight.ndim) if d != self.dim))
        return weight.reshape(weight.shape[0], -1)

    def _power_method(self, matrix: Tensor, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                self._u = normalize(mv(matrix.detach(), self._v), dim=0, eps=self.eps)
                self._v = normalize(mv(matrix.detach().t(), self._u), dim=0, eps=self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._as_matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        sigma = (self._u.clone() * mv(matrix, self._v.clone())).sum()
        return weight / sigma

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself."""
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight, as a matrix, by its largest singular value.

    Args:
        module: whose weight it is.
        name: of the weight.
        n_power_iterations: steps of the power iteration at each reading in training.
        eps: lengths count as at least this.
        dim: the dimension of the weight that gives the rows; 1 for transposed convolutions, else 0, for None.

    Returns:
        The module.

    Raises:
        ValueError: no such weight, or fewer than one step.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    rows = dim if dim is not None else 1 if isinstance(module, _ConvTransposeNd) else 0
    made = _SpectralNorm(weight, n_power_iterations, rows, eps)
    return parametrize.register_parametrization(module, name, made)


# Orthogonal matrices


def _signs(x: Tensor) -> Tensor:
    return x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _make_orthogonal(a: Tensor) -> Tensor:
    """An orthogonal matrix with the span of the columns of ``a``: its QR factor, with the signs that make R's diagonal
    positive."""
    x, tau = geqrf(a)
    return householder_product(x, tau) * _signs(x)


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    close = (q.mH @ q - eye(k, dtype=q.dtype, device=q.device)).abs().max()
    return bool(close <= 10 * n * finfo(q.dtype).eps)


class _Orthogonal(Module):
    """An orthogonal matrix from a free one: by the matrix exponential, Cayley's map or Householder reflections."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.trivialized = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        n, k = X.shape[-2:]
        turned = n < k
        if turned:
            X, n, k = X.mT, k, n
        if self.orthogonal_map == "householder":
            A = X.tril(-1)
            Q = householder_product(A, 2.0 / (1.0 + (A * A).sum(-2)))
            # The diagonal holds signs.
            Q = Q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            Q = self._mapped(X, n, k)
        if self.trivialized and self.base is not None:
            Q = self.base @ Q
        return Q.mT if turned else Q

    def _mapped(self, X: Tensor, n: int, k: int) -> Tensor:
        """The exponential or Cayley's map of a skew matrix."""
        A = X.tril()
        if n != k:
            A = P.cat([A, A.new_zeros(n, n - k).expand(*A.shape[:-2], n, n - k)], A.ndim - 1)
        A = A - A.mH
        if self.orthogonal_map == "matrix_exp":
            Q = matrix_exp(A)
        else:
            one = eye(n, dtype=A.dtype, device=A.device)
            Q = solve(one - 0.5 * A, one + 0.5 * A)
        return Q[..., :k] if n != k else Q

    def right_inverse(self, Q: Tensor) -> Tensor:
        """The free matrix that gives an orthogonal one, or the one nearest at hand.

        Raises:
            ValueError: another shape. NotImplementedError: exponential or Cayley's map without trivialization.
        """
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        n, k = Q.shape[-2:]
        turned = n < k
        if turned:
            Q, n, k = Q.mT, k, n
        if not self.trivialized:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            A, tau = geqrf(Q)
            signs = A.diagonal(dim1=-2, dim2=-1).sign()
            signs = signs.where(tau != 0, -signs)
            A = A.tril(-1) + A.triu(1) + signs.diag_embed()[..., :n, :k] if n == k else _with_diagonal(A, signs)
            return A.mT if turned else A
        if n == k:
            Q = Q.clone() if _is_orthogonal(Q) else _make_orthogonal(Q)
        else:
            N = randn(*Q.shape[:-2], n, n - k, dtype=Q.dtype, device=Q.device)
            Q = _make_orthogonal(P.cat([Q, N], Q.ndim - 1))
        self.base = Q
        # What the maps take for the identity, so that the product with the base is the base.
        blank = new_tensor(-1.0, dtype=Q.dtype, device=Q.device) * eye(n, dtype=Q.dtype, device=Q.device)
        blank = blank.expand(Q.shape).clone()
        return (blank[..., :k].mT if turned else blank[..., :k]) if n != k else blank


def _with_diagonal(A: Tensor, diagonal: Tensor) -> Tensor:
    return A.diagonal_scatter(diagonal, dim1=-2, dim2=-1)


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a weight orthogonal (its rows, or its columns where there are fewer of them).

    Args:
        module: whose weight it is.
        name: of the weight, (..., n, k).
        orthogonal_map: "matrix_exp", "cayley" or "householder"; for None the first for square and complex ones, else
            the last.
        use_trivialization: multiply with the weight that was there at first (Lezcano-Casado, 2019).

    Returns:
        The module.

    Raises:
        ValueError: no such weight, fewer than 2 dimensions, or an unknown map.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    square = weight.shape[-2] == weight.shape[-1]
    kind = orthogonal_map or ("matrix_exp" if square or weight.is_complex() else "householder")
    if kind not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, kind, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)
