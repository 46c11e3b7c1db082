"""PyTorch's place of LogNormal."""

from ..nn.distributions.normal import LogNormal

__all__ = ["LogNormal"]
