"""Instance normalisation, under PyTorch's path."""

from ..instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, _InstanceNorm

__all__ = [
    "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "_InstanceNorm",
]  # fmt: skip
