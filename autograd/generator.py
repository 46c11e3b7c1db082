"""The host's random generator with states as tensors, and the state of the default one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from ..backends import cuda, device_of
from ..backends.random import Generator as HostGenerator
from ..backends.random import default_generator as _host
from ..backends.random import entropy, random_states, seed_devices
from .ops.random import manual_seed
from .tensor import Tensor, wrap

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip


class Generator(HostGenerator):
    """A stream of random numbers on the host, number for number that of PyTorch's CPU generator.

    Args:
        seed: as in ``manual_seed``; when none is given it is 67280421310721, as in PyTorch. A device may stand here.
        device: where it draws; for a CUDA device a generator of the card is made in its place.
    """

    def get_state(self) -> Tensor:  # type: ignore[override]
        """The state as a tensor of 5,056 bytes (uint8), the same bytes as ``torch.Generator.get_state`` gives."""
        return wrap(super().get_state(), device_of("cpu"))

    def clone_state(self) -> Self:
        """Another generator that goes on from the same state."""
        made = type(self)()
        made.set_state(super().get_state())
        return made


default_generator = _host
default_generator.__class__ = Generator  # the one stream that everything draws from, as users see it


def seed() -> int:
    """Seed the random numbers of the library, on the host and on every device, from the system; returns the seed."""
    made = entropy()
    default_generator.manual_seed(made)
    seed_devices(made)
    return made


def initial_seed() -> int:
    """The seed that the host's random numbers started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the host's random numbers: a tensor of 5,056 bytes, the same that PyTorch gives."""
    return default_generator.get_state()  # type: ignore[return-value]


def set_rng_state(new_state: Any) -> None:
    """Go on from a state that ``get_rng_state``, here or in PyTorch, has given.

    Raises:
        TypeError: not bytes (uint8). RuntimeError: not a state.
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None, enabled: bool = True, _caller: str = "fork_rng", _devices_kw: str = "devices",
    device_type: str = "cuda",
) -> Iterator[None]:  # fmt: skip
    """Draw within a ``with`` block, and go on afterwards as if nothing had been drawn.

    Args:
        devices: of which CUDA devices too; of all that are in use where None.
        enabled: False changes nothing.
        device_type: accepted; there is only "cuda".
    """
    states: list[tuple[Any, Any]] = random_states()
    if devices is not None:
        wanted: list[Any] = [default_generator, *(cuda.generator(d) for d in devices)]
        states = [(generator, generator.get_state()) for generator in wanted]
    if not enabled:
        yield
        return
    try:
        yield
    finally:
        for generator, state in states:
            generator.set_state(state)
