"""PyTorch's place of AdamW."""

from ..nn.optim.adam import AdamW

__all__ = ["AdamW"]
