"""Helpers beside the model: data, checkpoints, handles of hooks, exchange of arrays."""

from . import checkpoint, data, dlpack, hooks

__all__ = ["checkpoint", "data", "dlpack", "hooks"]
