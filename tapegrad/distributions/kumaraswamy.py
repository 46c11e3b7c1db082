"""PyTorch's place of Kumaraswamy."""

from ..nn.distributions.beta import Kumaraswamy

__all__ = ["Kumaraswamy"]
