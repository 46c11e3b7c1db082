"""Mixtures of distributions of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autograd import Tensor, no_grad
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A mixture of the distributions along the last batch dimension of another one.

    Args:
        mixture_distribution: how likely each is.
        component_distribution: the distributions, of batch shape (..., k).
    """

    arg_constraints: Any = {}

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError("MixtureSameFamily: the mixture distribution must be a Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("MixtureSameFamily: the component distribution must be a Distribution")
        weights, kinds = tuple(mixture_distribution.batch_shape), tuple(component_distribution.batch_shape)
        count = mixture_distribution._num_events
        if not kinds or kinds[-1] != count:
            raise ValueError(
                f"MixtureSameFamily: {count} weights need components of batch shape [..., {count}], got {list(kinds)}"
            )
        if any(1 not in (a, b) and a != b for a, b in zip(reversed(weights), reversed(kinds[:-1]))):
            raise ValueError(
                f"MixtureSameFamily: weights of batch shape {list(weights)} do not go with components of "
                f"batch shape {list(kinds)}"
            )
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._num_component = count
        super().__init__(kinds[:-1], component_distribution.event_shape, validate_args=validate_args)

    @property
    def mixture_distribution(self) -> Categorical:
        """How likely each component is."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components."""
        return self._component_distribution

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> MixtureSameFamily:
        weights = self._mixture_distribution.expand(tuple(batch_shape))
        kinds = self._component_distribution.expand((*batch_shape, self._num_component))
        made = type(self).__new__(type(self)) if _instance is None else _instance
        MixtureSameFamily.__init__(made, weights, kinds, validate_args=False)
        made._validate_args = self._validate_args
        return made

    def _weights(self) -> Tensor:
        probs = self._mixture_distribution.probs
        return probs.reshape(*probs.shape, *(1,) * len(self._event_shape))

    @property
    def _place(self) -> int:
        return -1 - len(self._event_shape)

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(self._place)

    @property
    def variance(self) -> Tensor:
        kinds, weights = self._component_distribution, self._weights()
        within = (weights * kinds.variance).sum(self._place)
        return within + (weights * (kinds.mean - self.mean.unsqueeze(self._place)) ** 2).sum(self._place)

    def _widened(self, value: Tensor) -> Tensor:
        return value.unsqueeze(self._place)

    def cdf(self, value: Tensor) -> Tensor:
        below = self._component_distribution.cdf(self._widened(value))
        return (below * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        each = self._component_distribution.log_prob(self._widened(self._checked(value)))
        return (each + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            values = self._component_distribution.sample(sample_shape)
            place = len(sample_shape) + len(self._batch_shape)
            events = len(self._event_shape)
            where = chosen.reshape(*chosen.shape, *(1,) * (events + 1)).expand(
                *values.shape[:place], 1, *self._event_shape
            )
            return values.gather(place, where).squeeze(place)

    def __repr__(self) -> str:
        return f"MixtureSameFamily({self._mixture_distribution!r}, {self._component_distribution!r})"
