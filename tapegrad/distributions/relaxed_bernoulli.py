"""PyTorch's place of LogitRelaxedBernoulli and RelaxedBernoulli."""

from ..nn.distributions.relaxed import LogitRelaxedBernoulli, RelaxedBernoulli

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]
