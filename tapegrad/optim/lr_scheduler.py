"""Schedulers of learning rates."""

from ..nn.optim.lr_scheduler import *  # noqa: F403
from ..nn.optim.lr_scheduler import __all__ as __all__
