"""The generator that users hold, and the one that is used when none is named."""

from __future__ import annotations

from .continuous import ContinuousDraws
from .discrete import DiscreteDraws

__all__ = ["Generator", "default_generator"]


class Generator(ContinuousDraws, DiscreteDraws):
    """A stream of random numbers on the host, number for number that of PyTorch's CPU generator.

    The same seed and the same calls give what ``torch.Generator`` gives: integers and masks exactly, real
    numbers to the last bit or two (the logarithms, sines and cosines are NumPy's). Every draw moves the
    state by as many words as PyTorch's does. Element types are NumPy dtypes, ``ml_dtypes.bfloat16``
    included; a shape is an int or a sequence of ints. Not meant to be shared between running threads.

    Args:
        seed: as in ``manual_seed``; when none is given it is 67280421310721, as in PyTorch.
            None takes one from the operating system.
    """


default_generator = Generator(None)
