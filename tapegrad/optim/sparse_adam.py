"""PyTorch's place of SparseAdam."""

from ..nn.optim.sparse_adam import SparseAdam

__all__ = ["SparseAdam"]
