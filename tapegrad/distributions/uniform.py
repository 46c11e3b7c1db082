"""PyTorch's place of Uniform."""

from ..nn.distributions.uniform import Uniform

__all__ = ["Uniform"]
