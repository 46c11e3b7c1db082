"""PyTorch's place of ASGD."""

from ..nn.optim.asgd import ASGD

__all__ = ["ASGD"]
