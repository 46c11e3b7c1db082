"""Linear algebra (``torch.linalg``)."""

from .autograd.ops.linear_algebra import *  # noqa: F403
from .autograd.ops.linear_algebra import __all__

__all__ = list(__all__)
