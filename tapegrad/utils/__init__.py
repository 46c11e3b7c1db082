"""Helpers beside the model: data, exchange of arrays."""

from . import data, dlpack

__all__ = ["data", "dlpack"]
