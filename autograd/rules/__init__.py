"""The derivative of every primitive, each written once."""

from . import bessel, decompositions, fourier, linear, math, reduce, shape, special, strided

__all__ = ["bessel", "decompositions", "fourier", "linear", "math", "reduce", "shape", "special", "strided"]
