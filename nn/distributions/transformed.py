"""Distributions of what a transform makes of the samples of another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from ...autograd import Size, Tensor, no_grad
from . import constraints
from .distribution import Distribution
from .independent import Independent
from .transform import ComposeTransform, Transform
from .utils import sum_rightmost

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of ``t(x)``, x drawn from another one.

    Args:
        base_distribution: of x.
        transforms: one, or several that follow one another.
    """

    arg_constraints: Any = {}

    def __init__(
        self, base_distribution: Distribution, transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        steps = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(t, Transform) for t in steps):
            raise ValueError(f"TransformedDistribution: needs a transform or several, got {transforms!r}")
        self.transforms = steps
        whole = ComposeTransform(steps)
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        depth, inner = len(base_distribution.event_shape), whole.domain.event_dim
        if len(shape) < inner:
            raise ValueError(
                f"TransformedDistribution: {whole!r} needs values of {inner} dimensions, the base has shape {shape}"
            )
        made = tuple(whole.forward_shape(Size(shape)))
        wide = tuple(whole.inverse_shape(Size(made)))
        if wide != shape:
            base_distribution = base_distribution.expand(wide[: len(wide) - depth])
        if inner > depth:
            base_distribution = Independent(base_distribution, inner - depth)
        self.base_dist = base_distribution
        cut = len(made) - whole.codomain.event_dim - max(depth - inner, 0)
        super().__init__(made[:cut], made[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        made = type(self).__new__(type(self)) if _instance is None else _instance
        whole = ComposeTransform(self.transforms)
        shape = tuple(whole.inverse_shape(Size((*batch_shape, *self._event_shape))))
        made.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        made.transforms, made._validate_args = self.transforms, self._validate_args
        made._batch_shape, made._event_shape = Size(batch_shape), self._event_shape
        return made

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        missing = len(self._event_shape) - found.event_dim
        return constraints.independent(found, missing) if missing > 0 else found

    def _through(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self._through(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        y = self._checked(value)
        found: Any = 0.0
        depth = len(self._event_shape)
        for transform in reversed(self.transforms):
            x = transform._inv_call(y)
            depth += transform.domain.event_dim - transform.codomain.event_dim
            found = found - sum_rightmost(transform.log_abs_det_jacobian(x, y), depth - transform.domain.event_dim)
            y = x
        return found + sum_rightmost(self.base_dist.log_prob(y), depth - len(self.base_dist.event_shape))

    def _rising(self, p: Tensor) -> Tensor:
        """A probability, turned around where the transforms fall."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return p if isinstance(sign, int) and sign == 1 else sign * (p - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        value = self._checked(value)
        for transform in reversed(self.transforms):
            value = transform._inv_call(value)
        return self._rising(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._through(self.base_dist.icdf(self._rising(value)))
