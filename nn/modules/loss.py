"""Losses, under PyTorch's path."""

from .. import loss, margin_loss
from ..loss import *
from ..loss import _Loss, _WeightedLoss
from ..margin_loss import *

__all__ = [*loss.__all__, *margin_loss.__all__, "_Loss", "_WeightedLoss"]
