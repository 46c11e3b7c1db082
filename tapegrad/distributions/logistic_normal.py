"""PyTorch's place of LogisticNormal."""

from ..nn.distributions.beta import LogisticNormal

__all__ = ["LogisticNormal"]
