"""Mixed precision (``torch.amp``)."""

from ..nn.amp import *  # noqa: F403
from ..nn.amp import __all__ as _names
from . import autocast_mode, grad_scaler

__all__ = [*_names, "autocast_mode", "grad_scaler"]
