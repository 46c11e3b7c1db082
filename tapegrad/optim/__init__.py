"""Optimizers (``tapegrad.nn.optim`` under PyTorch's name), learning rate schedulers, averages of weights."""

from ..nn.optim import *  # noqa: F403
from ..nn.optim import __all__ as _optimizers
from . import lr_scheduler, optimizer, swa_utils

__all__ = [*_optimizers, "lr_scheduler", "optimizer", "swa_utils"]
