"""Averages of a model's weights."""

from ..nn.optim.swa_utils import *  # noqa: F403
from ..nn.optim.swa_utils import __all__ as __all__
