"""PyTorch's place of Pareto."""

from ..nn.distributions.gamma import Pareto

__all__ = ["Pareto"]
