"""PyTorch's place of FisherSnedecor."""

from ..nn.distributions.gamma import FisherSnedecor

__all__ = ["FisherSnedecor"]
