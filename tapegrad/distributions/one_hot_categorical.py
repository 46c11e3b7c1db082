"""PyTorch's place of OneHotCategorical and OneHotCategoricalStraightThrough."""

from ..nn.distributions.categorical import OneHotCategorical, OneHotCategoricalStraightThrough

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]
