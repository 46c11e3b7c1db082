"""The sampler of processes that train together, under PyTorch's path."""

from ...nn.data.sampler import DistributedSampler

__all__ = ["DistributedSampler"]
