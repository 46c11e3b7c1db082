"""Window functions (``torch.signal.windows``)."""

from ..autograd.ops.windows import *  # noqa: F403
from ..autograd.ops.windows import __all__

__all__ = list(__all__)
