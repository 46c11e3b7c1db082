"""PyTorch's place of HalfNormal."""

from ..nn.distributions.normal import HalfNormal

__all__ = ["HalfNormal"]
