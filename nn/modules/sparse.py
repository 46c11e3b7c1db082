"""Embeddings, under PyTorch's path."""

from .. import embedding
from ..embedding import *

__all__ = [*embedding.__all__]
