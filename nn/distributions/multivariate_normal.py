"""Normal distributions of vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.factories import eye
from ...autograd.ops.joins import broadcast_shapes
from ...autograd.ops.linear_algebra.solving import cholesky, solve_triangular
from . import constraints
from .distribution import Distribution, one_of
from .normal import standard_normal
from .utils import lazy_property

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal", "half_log_det", "mahalanobis", "precision_to_tril"]

LOG_TWO_PI = math.log(2 * math.pi)


def precision_to_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse of a positive definite matrix, without making the inverse."""
    # Turned around in both directions, the lower factor becomes an upper one, whose inverse's transpose is sought.
    lower = cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    unit = eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return solve_triangular(lower, unit.expand(lower.shape), upper=False)


def half_log_det(tril: Tensor) -> Tensor:
    """Half the logarithm of the determinant of ``tril @ tril.mT``."""
    return tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def mahalanobis(tril: Tensor, distance: Tensor) -> Tensor:
    """``distance @ inverse(tril @ tril.mT) @ distance`` of vectors, which broadcast with the matrices."""
    batch = broadcast_shapes(tuple(tril.shape[:-2]), tuple(distance.shape[:-1]))
    size = distance.shape[-1]
    solved = solve_triangular(
        tril.expand((*batch, size, size)), distance.expand((*batch, size)).unsqueeze(-1), upper=False
    )
    return (solved.squeeze(-1) ** 2).sum(-1)


class MultivariateNormal(Distribution):
    """Normal distributions of vectors.

    Args:
        loc: the means, (..., n).
        covariance_matrix, precision_matrix, scale_tril: (..., n, n), the covariance, its inverse, or its lower
            Cholesky factor; give one of the three. The factor is the fastest.
    """

    arg_constraints = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky,
    }  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if loc.ndim < 1:
            raise ValueError("MultivariateNormal: loc must have at least one dimension")
        given = {
            "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril,
        }  # fmt: skip
        name = one_of("MultivariateNormal", **given)
        matrix: Any = given[name]
        if matrix.ndim < 2:
            raise ValueError(f"MultivariateNormal: {name} must be a matrix or a batch, got shape {list(matrix.shape)}")
        batch = broadcast_shapes(tuple(matrix.shape[:-2]), tuple(loc.shape[:-1]))
        setattr(self, name, matrix.expand((*batch, *matrix.shape[-2:])))
        self.loc = loc.expand((*batch, loc.shape[-1]))
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)
        if name == "covariance_matrix":
            self._unbroadcasted_scale_tril = cholesky(matrix)
        elif name == "precision_matrix":
            self._unbroadcasted_scale_tril = precision_to_tril(matrix)
        else:
            self._unbroadcasted_scale_tril = matrix

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> MultivariateNormal:
        factor = self.__dict__.pop("_unbroadcasted_scale_tril")
        try:
            made = super().expand(batch_shape, _instance)
        finally:
            self._unbroadcasted_scale_tril = factor
        made._unbroadcasted_scale_tril = factor
        return made

    def _wide(self, matrix: Tensor) -> Tensor:
        size = self._event_shape[0]
        return matrix.expand((*self._batch_shape, size, size))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        return self._wide(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self._wide(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        factor = self._unbroadcasted_scale_tril
        unit = eye(factor.shape[-1], dtype=factor.dtype, device=factor.device).expand(factor.shape)
        inverse = solve_triangular(factor, unit, upper=False)
        return self._wide(inverse.mT @ inverse)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        found = (self._unbroadcasted_scale_tril**2).sum(-1)
        return found.expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        noise = standard_normal(self.loc, self._extended_shape(sample_shape))
        return self.loc + (self._unbroadcasted_scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        factor = self._unbroadcasted_scale_tril
        far = mahalanobis(factor, self._checked(value) - self.loc)
        return -0.5 * (self._event_shape[0] * LOG_TWO_PI + far) - half_log_det(factor)

    def entropy(self) -> Tensor:
        found = 0.5 * self._event_shape[0] * (1.0 + LOG_TWO_PI) + half_log_det(self._unbroadcasted_scale_tril)
        return found.expand(self._batch_shape)


class LowRankMultivariateNormal(Distribution):
    """Normal distributions of vectors with the covariance ``cov_factor @ cov_factor.mT + diag(cov_diag)``.

    Args:
        loc: the means, (..., n). cov_factor: (..., n, rank). cov_diag: (..., n), positive.
    """

    arg_constraints = {
        "loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.ndim < 1 or cov_factor.ndim < 2 or cov_diag.ndim < 1:
            raise ValueError(
                "LowRankMultivariateNormal: needs loc (..., n), cov_factor (..., n, rank), cov_diag (..., n)"
            )
        size = loc.shape[-1]
        if cov_factor.shape[-2] != size or cov_diag.shape[-1] != size:
            raise ValueError(
                f"LowRankMultivariateNormal: loc has {size} elements, cov_factor the shape {list(cov_factor.shape)}, "
                f"cov_diag the shape {list(cov_diag.shape)}"
            )
        batch = broadcast_shapes(tuple(loc.shape[:-1]), tuple(cov_factor.shape[:-2]), tuple(cov_diag.shape[:-1]))
        self.loc, self.cov_diag = loc.expand((*batch, size)), cov_diag.expand((*batch, size))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        super().__init__(batch, (size,), validate_args=validate_args)
        self._capacitance_tril = self._capacitance()

    def _capacitance(self) -> Tensor:
        """The Cholesky factor of ``I + W.mT @ inverse(D) @ W``, by which Woodbury's identity inverts the covariance."""
        weighted = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        inner = weighted @ self.cov_factor
        return cholesky(inner + eye(inner.shape[-1], dtype=inner.dtype, device=inner.device))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        return cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        weighted = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        part = solve_triangular(self._capacitance_tril, weighted, upper=False)
        return self.cov_diag.reciprocal().diag_embed() - part.mT @ part

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (self.cov_factor**2).sum(-1) + self.cov_diag

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        common = standard_normal(self.loc, (*shape[:-1], self.cov_factor.shape[-1]))
        own = standard_normal(self.loc, shape)
        return self.loc + (self.cov_factor @ common.unsqueeze(-1)).squeeze(-1) + self.cov_diag.sqrt() * own

    def _log_det(self) -> Tensor:
        return 2 * half_log_det(self._capacitance_tril) + self.cov_diag.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        distance = self._checked(value) - self.loc
        weighted = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        along = (weighted @ distance.unsqueeze(-1)).squeeze(-1)
        far = (distance**2 / self.cov_diag).sum(-1) - mahalanobis(self._capacitance_tril, along)
        return -0.5 * (self._event_shape[0] * LOG_TWO_PI + self._log_det() + far)

    def entropy(self) -> Tensor:
        return 0.5 * (self._event_shape[0] * (1.0 + LOG_TWO_PI) + self._log_det())
