"""The random numbers that are drawn on CUDA devices: seeds and states."""

from __future__ import annotations

from typing import Any

from .. import registry
from ..device import device as Device
from ..random import CounterGenerator, entropy, seed_devices
from .devices import device_count, is_available, number_of

__all__ = [
    "generator", "get_rng_state", "get_rng_state_all", "initial_seed", "manual_seed", "manual_seed_all", "seed",
    "seed_all", "set_rng_state", "set_rng_state_all",
]  # fmt: skip


def generator(device: Any = None) -> CounterGenerator:
    """The generator of the random numbers drawn on a device."""
    return registry.device_of(Device("cuda", number_of(device))).backend.generator


def manual_seed(seed: int) -> None:
    """Seed the random numbers drawn on the current device; accepted, and without effect, where there is none."""
    if is_available():
        generator().manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    """Seed the random numbers drawn on every device, also on those that come into use later."""
    seed_devices(int(seed))


def seed() -> int:
    """Seed the random numbers drawn on the current device from the system's entropy; returns the seed."""
    return generator().seed()


def seed_all() -> int:
    """Seed the random numbers drawn on every device with one seed of the system's entropy; returns the seed."""
    made = entropy()
    seed_devices(made)
    return made


def initial_seed() -> int:
    """The seed of the random numbers drawn on the current device."""
    return generator().initial_seed()


def get_rng_state(device: Any = None) -> Any:
    """The state of the random numbers drawn on a device, as a NumPy array of 16 bytes."""
    return generator(device).get_state()


def set_rng_state(new_state: Any, device: Any = None) -> None:
    """Go on on a device from a state that ``get_rng_state`` has given.

    Raises:
        RuntimeError: not a state.
    """
    generator(device).set_state(new_state)


def get_rng_state_all() -> list[Any]:
    """The states of all devices, in the order of their numbers; of none without one."""
    return [get_rng_state(i) for i in range(device_count())]


def set_rng_state_all(new_states: Any) -> None:
    """Go on on every device from what ``get_rng_state_all`` has given."""
    for i, state in enumerate(new_states):
        set_rng_state(state, i)
