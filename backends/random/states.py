"""The states of all generators together: to draw the same numbers once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .counter import made_so_far
from .generator import default_generator

__all__ = ["preserved", "random_states"]


def random_states() -> list[tuple[Any, Any]]:
    """The default generators, the host's and those of the devices in use, each with its state."""
    generators: list[Any] = [default_generator, *made_so_far()]
    return [(generator, generator.get_state()) for generator in generators]


@contextmanager
def preserved(states: list[tuple[Any, Any]] | None) -> Iterator[None]:
    """Begin with these states, and go on afterwards as if nothing had been drawn; None changes nothing."""
    if states is None:
        yield
        return
    before = random_states()
    try:
        for generator, state in states:
            generator.set_state(state)
        yield
    finally:
        for generator, state in before:
            generator.set_state(state)
