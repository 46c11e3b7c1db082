"""PyTorch's place of Chi2."""

from ..nn.distributions.gamma import Chi2

__all__ = ["Chi2"]
