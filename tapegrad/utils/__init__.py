"""Helpers beside the model: data."""

from . import data

__all__ = ["data"]
