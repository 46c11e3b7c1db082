"""Throws and choices made continuous, so that their samples have gradients.

Maddison, Mnih and Teh, "The concrete distribution", ICLR 2017; Jang, Gu and Poole, "Categorical reparameterization with
Gumbel-softmax", ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.create import as_tensor
from ...autograd.ops.random import rand
from . import constraints
from .categorical import Categorical, OfCategorical
from .counts import Coin
from .transformed import TransformedDistribution
from .transforms import ExpTransform, SigmoidTransform
from .utils import broadcast_all, clamp_probs

__all__ = ["ExpRelaxedCategorical", "LogitRelaxedBernoulli", "RelaxedBernoulli", "RelaxedOneHotCategorical"]


def _uniform(like: Tensor, shape: Sequence[int]) -> Tensor:
    return clamp_probs(rand(tuple(shape), dtype=like.dtype, device=like.device))


class LogitRelaxedBernoulli(Coin):
    """The logits of ``RelaxedBernoulli``."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take(probs, logits)
        self._temperature = (temperature,)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        """How soft the throws are."""
        return self._temperature[0]

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        p, u = clamp_probs(self.probs.expand(shape)), _uniform(self.probs, shape)
        return (u.log() - (-u).log1p() + p.log() - (-p).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        logits, value = broadcast_all(self.logits, self._checked(value))
        distance = logits - value * self.temperature
        return as_tensor(self.temperature, dtype=logits.dtype).log() + distance - 2 * distance.exp().log1p()


class _Softened(TransformedDistribution):
    """What a transform makes of the samples of a distribution that has a temperature."""

    has_rsample = True
    base_dist: LogitRelaxedBernoulli | ExpRelaxedCategorical

    @property
    def temperature(self) -> Any:
        """How soft the choices are."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities; of a throw, of its odds."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities; of a throw, that of a one."""
        return self.base_dist.probs


class RelaxedBernoulli(_Softened):
    """Throws between 0 and 1, the nearer to 0 or 1 the lower the temperature.

    Args:
        temperature: positive. probs, logits: as for ``Bernoulli``.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)


class ExpRelaxedCategorical(OfCategorical):
    """The logarithms of ``RelaxedOneHotCategorical``."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits)
        self._temperature = (temperature,)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        """How soft the choices are."""
        return self._temperature[0]

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        u = _uniform(self.logits, self._extended_shape(sample_shape))
        return ((self.logits - (-u.log()).log()) / self.temperature).log_softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        count = self._categorical._num_events
        logits, value = broadcast_all(self.logits, self._checked(value))
        t = as_tensor(self.temperature, dtype=logits.dtype)
        weight = t.new_full(t.shape, float(count)).lgamma() + (count - 1) * t.log()
        return (logits - value * t).log_softmax(-1).sum(-1) + weight


class RelaxedOneHotCategorical(_Softened):
    """Vectors of probabilities, the nearer to one-hot the lower the temperature.

    Args:
        temperature: positive. probs, logits: as for ``Categorical``.
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)
