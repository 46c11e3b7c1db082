"""Linear layers, under PyTorch's path."""

from ..linear import Bilinear, Identity, Linear, NonDynamicallyQuantizableLinear

__all__ = [
    "Bilinear", "Identity", "Linear", "NonDynamicallyQuantizableLinear",
]  # fmt: skip
