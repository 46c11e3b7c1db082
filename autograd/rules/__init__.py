"""The derivative of every primitive, each written once."""

from . import linear, math, reduce, shape

__all__ = ["linear", "math", "reduce", "shape"]
