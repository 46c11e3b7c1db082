"""Datasets and loaders (``tapegrad.nn.data`` under PyTorch's name)."""

from ...nn.data import *  # noqa: F403
from ...nn.data import __all__
from . import _utils, dataloader, dataset, distributed, sampler

__all__ = ["_utils", "dataloader", "dataset", "distributed", "sampler", *__all__]
