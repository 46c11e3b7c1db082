"""PyTorch's place of HalfCauchy."""

from ..nn.distributions.location import HalfCauchy

__all__ = ["HalfCauchy"]
