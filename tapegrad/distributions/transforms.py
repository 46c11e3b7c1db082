"""PyTorch's place of transforms."""

from ..nn.distributions.transforms import *  # noqa: F403
from ..nn.distributions.transforms import __all__

__all__ = list(__all__)
