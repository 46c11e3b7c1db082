"""PyTorch's place of LBFGS."""

from ..nn.optim.lbfgs import LBFGS

__all__ = ["LBFGS"]
