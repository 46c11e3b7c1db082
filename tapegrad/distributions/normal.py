"""PyTorch's place of Normal."""

from ..nn.distributions.normal import Normal

__all__ = ["Normal"]
