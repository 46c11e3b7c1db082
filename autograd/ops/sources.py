"""Where random numbers come from: the host's generator, or for draws that name a card the card's own."""

from __future__ import annotations

from typing import Any

from ...backends import device_of
from ...backends.random import CounterGenerator, default_generator
from ..batching.level import place_of
from ..tensor import Tensor

__all__ = ["source_at", "source_of"]


def source_at(device: Any, generator: Any) -> Any:
    """What draws for a new tensor.

    Without a word about the device the numbers are the host's wherever the tensor goes, so that a script trains on a
    card with the numbers that it has on the CPU.

    Args:
        device: where the tensor is asked for; None: wherever tensors are made by default.
        generator: of the user's choice, or None.

    Raises:
        RuntimeError: the generator of a card for a tensor of the host.
    """
    if device is None and not isinstance(generator, CounterGenerator):
        return generator or default_generator
    return device_of(device).backend.draws(generator)


def source_of(x: Tensor, generator: Any) -> Any:
    """What draws for the memory of a tensor, or for one like it; see ``source_at``."""
    return place_of(x._device).backend.draws(generator)
