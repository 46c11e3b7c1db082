"""The Transformer, under PyTorch's path."""

from .. import transformer
from ..transformer import *

__all__ = [*transformer.__all__]
