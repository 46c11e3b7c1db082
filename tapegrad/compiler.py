"""``torch.compiler``: nothing is compiled, and scripts that ask are told so."""

from .nn.compiling import *  # noqa: F403
from .nn.compiling import __all__

__all__ = list(__all__)
