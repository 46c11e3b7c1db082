"""PyTorch's place of Multinomial."""

from ..nn.distributions.categorical import Multinomial

__all__ = ["Multinomial"]
