"""The handles that hooks are removed with."""

from ..autograd.handles import RemovableHandle

__all__ = ["RemovableHandle"]
