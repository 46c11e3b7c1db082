"""Files of the safetensors format, with the functions of ``safetensors.torch``."""

from .nn.saving.safetensors import *  # noqa: F403
from .nn.saving.safetensors import __all__

__all__ = list(__all__)
