"""``torch.jit``: functions and modules run as they stand, and scripts that ask are told so."""

from .nn.scripting import *  # noqa: F403
from .nn.scripting import __all__

__all__ = list(__all__)
