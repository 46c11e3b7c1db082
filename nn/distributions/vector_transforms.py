"""Transforms of vectors and matrices, and those made of pieces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...autograd import Size, Tensor, finfo
from ...autograd.ops.factories import arange, eye, tril_indices
from ...autograd.ops.linear_algebra.solving import cholesky
from ...autograd.ops.pieces import cat, stack
from ...autograd.ops.reduce import softmax
from ..functional import logsigmoid, pad, softplus
from . import constraints
from .number_transforms import Plain
from .transform import Transform

__all__ = [
    "CatTransform", "CorrCholeskyTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform",
    "ReshapeTransform", "SoftmaxTransform", "StackTransform", "StickBreakingTransform",
]  # fmt: skip

Shape = Sequence[int]


class SoftmaxTransform(Plain):
    """Softmax along the last dimension. Its inverse is the logarithm, one of many; it has no slope."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return softmax(x, -1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()


class StickBreakingTransform(Plain):
    """n real numbers to n + 1 probabilities: each breaks its part off what the former have left of a stick."""

    domain, codomain, bijective = constraints.real_vector, constraints.simplex, True

    @staticmethod
    def _pieces_left(x: Tensor, count: int) -> Tensor:
        """Into how many pieces the rest is to be broken: n, n - 1, ..., 1 for numbers, as logarithms."""
        return arange(count, 0, -1, dtype=x.dtype, device=x.device).log()

    def _call(self, x: Tensor) -> Tensor:
        z = (x - self._pieces_left(x, x.shape[-1])).sigmoid()
        return pad(z, [0, 1], value=1.0) * pad((1 - z).cumprod(-1), [1, 0], value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        broken = y[..., :-1]
        rest = (1 - broken.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return broken.log() - rest.log() + self._pieces_left(y, broken.shape[-1])

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._pieces_left(x, x.shape[-1])
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Shape) -> Shape:
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Shape) -> Shape:
        return Size((*shape[:-1], shape[-1] - 1))


class LowerCholeskyTransform(Plain):
    """Square matrices to lower triangular ones with a positive diagonal: the upper part is dropped."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Plain):
    """Square matrices to positive definite ones, by way of ``LowerCholeskyTransform``."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        lower = LowerCholeskyTransform()(x)
        return lower @ lower.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform()._inverse(cholesky(y))


class CorrCholeskyTransform(Plain):
    """d * (d - 1) / 2 real numbers to the Cholesky factor of a d x d correlation matrix.

    Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines and extended onion method",
    Journal of Multivariate Analysis 100 (2009).
    """

    domain, codomain, bijective = constraints.real_vector, constraints.corr_cholesky, True

    def _call(self, x: Tensor) -> Tensor:
        eps = finfo(x.dtype).eps
        x = x.tanh().clamp(-1 + eps, 1 - eps)
        size = _side(x.shape[-1])
        rows, columns = tril_indices(size, size, -1)
        partial = _lower(x, size, rows, columns)
        left = (1 - partial**2).sqrt().cumprod(-1)
        return (partial + eye(size, dtype=x.dtype, device=x.device)) * pad(left[..., :-1], [1, 0], value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        size = y.shape[-1]
        rows, columns = tril_indices(size, size, -1)
        left = pad((1 - (y * y).cumsum(-1))[..., :-1], [1, 0], value=1.0)
        return (y[..., rows, columns] / left[..., rows, columns].sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        size = y.shape[-1]
        rows, columns = tril_indices(size, size, -2)
        left = 1 - (y * y).cumsum(-1)
        broken = 0.5 * left[..., rows, columns].log().sum(-1)
        return broken - 2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)

    def forward_shape(self, shape: Shape) -> Shape:
        size = _side(shape[-1])
        return Size((*shape[:-1], size, size))

    def inverse_shape(self, shape: Shape) -> Shape:
        if shape[-1] != shape[-2]:
            raise ValueError(f"CorrCholeskyTransform: needs square matrices, got shape {list(shape)}")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


def _side(count: int) -> int:
    """The size of the matrix with so many numbers below its diagonal."""
    size = round((1 + math.sqrt(1 + 8 * count)) / 2)
    if size * (size - 1) // 2 != count:
        raise ValueError(f"CorrCholeskyTransform: {count} is not the number of elements below a diagonal")
    return size


def _lower(x: Tensor, size: int, rows: Tensor, columns: Tensor) -> Tensor:
    """A matrix with the last dimension of x below its diagonal, zero elsewhere."""
    places = (rows * size + columns).to(x.device).expand(x.shape)
    flat = x.new_zeros((*x.shape[:-1], size * size)).scatter(-1, places, x)
    return flat.reshape(*x.shape[:-1], size, size)


class ReshapeTransform(Transform):
    """The last dimensions in another shape."""

    bijective = True

    def __init__(self, in_shape: Shape, out_shape: Shape, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if math.prod(self.in_shape) != math.prod(self.out_shape):
            raise ValueError(
                f"ReshapeTransform: {list(in_shape)} and {list(out_shape)} differ in the number of elements"
            )

    @property
    def domain(self) -> Any:
        return constraints.independent(constraints.real, len(self.in_shape))

    @property
    def codomain(self) -> Any:
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[: x.ndim - len(self.in_shape)], *self.out_shape)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(*y.shape[: y.ndim - len(self.out_shape)], *self.in_shape)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(x.shape[: x.ndim - len(self.in_shape)])

    def forward_shape(self, shape: Shape) -> Shape:
        return _replaced(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Shape) -> Shape:
        return _replaced(shape, self.out_shape, self.in_shape)


def _replaced(shape: Shape, old: Shape, new: Shape) -> Shape:
    depth = len(shape) - len(old)
    if depth < 0 or tuple(shape[depth:]) != tuple(old):
        raise ValueError(f"ReshapeTransform: the last dimensions must be {list(old)}, got shape {list(shape)}")
    return Size((*shape[:depth], *new))


class CatTransform(Transform):
    """A transform for each of the pieces, ``lengths`` long each, that dimension ``dim`` is made of."""

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)

    @property
    def event_dim(self) -> int:
        """How many of the last dimensions are one value."""
        return max(t.codomain.event_dim for t in self.transforms)

    @property
    def length(self) -> int:
        """The size of the dimension."""
        return sum(self.lengths)

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(t.bijective for t in self.transforms)

    def _call(self, x: Tensor) -> Tensor:
        return cat([t(p) for t, p in zip(self.transforms, x.split(self.lengths, self.dim))], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return cat([t._inv_call(p) for t, p in zip(self.transforms, y.split(self.lengths, self.dim))], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        terms = []
        for t, a, b in zip(self.transforms, x.split(self.lengths, self.dim), y.split(self.lengths, self.dim)):
            term = t.log_abs_det_jacobian(a, b)
            depth = self.event_dim - t.domain.event_dim
            terms.append(term.reshape(*term.shape[: term.ndim - depth], -1).sum(-1) if depth else term)
        dim = self.dim if self.dim < 0 else self.dim - x.ndim
        dim += self.event_dim
        return cat(terms, dim) if dim < 0 else sum(terms[1:], terms[0])


class StackTransform(Transform):
    """A transform for each place along dimension ``dim``."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    @property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(t.bijective for t in self.transforms)

    def _places(self, z: Tensor) -> list[Tensor]:
        if z.shape[self.dim] != len(self.transforms):
            raise ValueError(
                f"StackTransform: dimension {self.dim} must have size {len(self.transforms)}, got shape {list(z.shape)}"
            )
        return list(z.unbind(self.dim))

    def _call(self, x: Tensor) -> Tensor:
        return stack([t(p) for t, p in zip(self.transforms, self._places(x))], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return stack([t._inv_call(p) for t, p in zip(self.transforms, self._places(y))], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = zip(self.transforms, self._places(x), self._places(y))
        return stack([t.log_abs_det_jacobian(a, b) for t, a, b in pairs], self.dim)
