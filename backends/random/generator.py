"""The generator that users hold, and the one that is used when none is named."""

from __future__ import annotations

from typing import Any, Self

from ..device import device as Device
from .continuous import ContinuousDraws
from .counter import CounterGenerator
from .discrete import DiscreteDraws
from .engine import DEFAULT_SEED
from .rejection import RejectionDraws

__all__ = ["Generator", "default_generator"]


class Generator(ContinuousDraws, DiscreteDraws, RejectionDraws):
    """A stream of random numbers on the host, number for number that of PyTorch's CPU generator.

    The same seed and the same calls give what ``torch.Generator`` gives: integers, masks, uniform numbers and
    normal ones in float32 exactly (as PyTorch for x86-64 processors with AVX2 has them), other real numbers to the
    last bit or two. Every draw moves the state by as many words as PyTorch's does. Element types are NumPy dtypes,
    ``ml_dtypes.bfloat16`` included; a shape is an int or a sequence of ints. Not meant to be shared between running
    threads.

    Args:
        seed: as in ``manual_seed``; when none is given it is 67280421310721, as in PyTorch.
            None takes one from the operating system. A device may stand here, as in PyTorch.
        device: where it draws; for a CUDA device a ``CounterGenerator`` is made in its place.
    """

    device = Device("cpu")

    def __new__(cls, seed: Any = DEFAULT_SEED, device: Any = None) -> Self:
        place = seed if device is None and isinstance(seed, (str, Device)) else device
        if place is None or Device(place).type == "cpu":
            return super().__new__(cls)
        made = CounterGenerator(DEFAULT_SEED if place is seed else seed)
        made.device = Device(place)
        return made  # type: ignore[return-value]

    def __init__(self, seed: Any = DEFAULT_SEED, device: Any = None) -> None:
        super().__init__(DEFAULT_SEED if isinstance(seed, (str, Device)) else seed)


default_generator = Generator(None)
