"""PyTorch's place of NAdam."""

from ..nn.optim.nadam import NAdam

__all__ = ["NAdam"]
