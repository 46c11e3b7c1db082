"""The loader under PyTorch's path, with the names that scripts take from there."""

from ...nn.data.collate import default_collate, default_convert
from ...nn.data.dataset import Dataset, IterableDataset
from ...nn.data.info import get_worker_info
from ...nn.data.loader import DataLoader
from ...nn.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = [
    "BatchSampler", "DataLoader", "Dataset", "IterableDataset", "RandomSampler", "Sampler", "SequentialSampler",
    "default_collate", "default_convert", "get_worker_info",
]  # fmt: skip
