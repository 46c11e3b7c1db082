"""``autocast`` and its settings."""

from ..nn.amp.autocast_mode import *  # noqa: F403
from ..nn.amp.autocast_mode import __all__ as __all__
