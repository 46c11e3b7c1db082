"""What scripts take from PyTorch's inner modules of data loading."""

from . import collate, worker

__all__ = ["collate", "worker"]
