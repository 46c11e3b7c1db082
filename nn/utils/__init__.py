"""Helpers for training modules."""

from . import stateless
from .clip import clip_grad_norm_, clip_grad_value_

__all__ = ["clip_grad_norm_", "clip_grad_value_", "stateless"]
