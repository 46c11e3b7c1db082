"""PyTorch's place of constraints."""

from ..nn.distributions.constraints import *  # noqa: F403
from ..nn.distributions.constraints import __all__

__all__ = list(__all__)
