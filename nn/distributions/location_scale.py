"""What distributions that a location shifts and a scale stretches have in common."""

from __future__ import annotations

import math
from typing import Any

from ...autograd import Tensor
from . import constraints
from .distribution import Distribution
from .transformed import TransformedDistribution
from .transforms import AbsTransform
from .utils import broadcast_all

__all__ = ["Folded", "LocationScale"]


class LocationScale(Distribution):
    """A distribution of real numbers that lie alike on both sides of a location.

    Args:
        loc: the location. scale: the width, positive; they broadcast, and either may be a number.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc


class Folded(TransformedDistribution):
    """The absolute value of numbers that lie alike on both sides of 0.

    Args:
        base: the numbers' distribution, with location 0.
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    base_dist: LocationScale

    def __init__(self, base: LocationScale, validate_args: bool | None = None) -> None:
        super().__init__(base, AbsTransform(), validate_args=validate_args)

    @property
    def scale(self) -> Tensor:
        """The width before the absolute value."""
        return self.base_dist.scale

    @property
    def mode(self) -> Tensor:
        return self.scale * 0

    def log_prob(self, value: Tensor) -> Tensor:
        found = self.base_dist.log_prob(self._checked(value)) + math.log(2)
        return found.masked_fill(value < 0, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        return 2 * self.base_dist.cdf(self._checked(value)) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)
