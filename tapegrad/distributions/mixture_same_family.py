"""PyTorch's place of MixtureSameFamily."""

from ..nn.distributions.mixture import MixtureSameFamily

__all__ = ["MixtureSameFamily"]
