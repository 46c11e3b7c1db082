"""Saving and loading: PyTorch's files, and those of safetensors."""

from .load import load
from .save import save
from .trust import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals, unsafe_globals

__all__ = [
    "add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save", "unsafe_globals",
]  # fmt: skip
