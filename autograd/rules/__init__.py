"""The derivative of every primitive, each written once."""

from . import bessel, decompositions, fourier, linear, math, recurrent, reduce, shape, special, strided

__all__ = [
    "bessel", "decompositions", "fourier", "linear", "math", "recurrent", "reduce", "shape", "special", "strided",
]  # fmt: skip
