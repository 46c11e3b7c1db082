"""Embeddings, under PyTorch's path."""

from ..embedding import Embedding, EmbeddingBag

__all__ = [
    "Embedding", "EmbeddingBag",
]  # fmt: skip
