"""Apple's Metal, which no backend serves; scripts may ask (``torch.mps``)."""

from .backends.absent import *  # noqa: F403
from .backends.absent import __all__

__all__ = list(__all__)
