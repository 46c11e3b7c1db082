"""PyTorch's place of StudentT."""

from ..nn.distributions.location import StudentT

__all__ = ["StudentT"]
