"""Random numbers: seeds and states (``torch.random``)."""

from .autograd.generator import *  # noqa: F403
from .autograd.generator import __all__

__all__ = list(__all__)
