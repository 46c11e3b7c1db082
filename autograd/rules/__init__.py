"""The derivative of every primitive, each written once."""

from . import (
    bessel,
    convolve,
    decompositions,
    fourier,
    grid,
    linear,
    math,
    recurrent,
    reduce,
    resample,
    shape,
    special,
    strided,
)  # fmt: skip

__all__ = [
    "bessel", "convolve", "decompositions", "fourier", "grid", "linear", "math", "recurrent", "reduce", "resample",
    "shape", "special", "strided",
]  # fmt: skip
