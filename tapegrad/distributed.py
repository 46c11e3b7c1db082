"""``torch.distributed`` for one process."""

from .nn.distributed import *  # noqa: F403
from .nn.distributed import __all__

__all__ = list(__all__)
