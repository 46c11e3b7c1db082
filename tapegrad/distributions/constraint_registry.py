"""PyTorch's place of ConstraintRegistry and others."""

from ..nn.distributions.registry import ConstraintRegistry, biject_to, transform_to

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]
