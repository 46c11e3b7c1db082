"""PyTorch's place of Beta."""

from ..nn.distributions.beta import Beta

__all__ = ["Beta"]
