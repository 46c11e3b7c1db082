"""``torch.autograd.variable``: PyTorch's older path to ``Variable``."""

from .legacy import Variable

__all__ = ["Variable"]
