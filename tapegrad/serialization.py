"""Saving and loading (``torch.serialization``)."""

from .nn.saving import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    load,
    safe_globals,
    save,
)
from .nn.saving import unsafe_globals as get_unsafe_globals_in_checkpoint

__all__ = [
    "add_safe_globals", "clear_safe_globals", "get_safe_globals", "get_unsafe_globals_in_checkpoint", "load",
    "safe_globals", "save",
]  # fmt: skip
