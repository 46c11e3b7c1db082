"""Batches as a backend: ``vmap`` and the rule of every primitive for it."""

from .vmap import vmap

__all__ = ["vmap"]
