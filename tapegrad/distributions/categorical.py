"""PyTorch's place of Categorical."""

from ..nn.distributions.categorical import Categorical

__all__ = ["Categorical"]
