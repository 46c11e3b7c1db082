"""A backend of a device type of its own, and a registry that forgets it."""

from contextlib import contextmanager

import numpy as np

from tapegrad import backends
from tapegrad.backends import device, registry
from tapegrad.backends.numpy_backend import NumpyBackend

__all__ = ["Elsewhere", "registry_restored"]


@contextmanager
def registry_restored():
    """After the block the registry, the choice of backends and the devices are as before."""
    state = [registry._entries, registry._choices, device._known]
    before, default = [dict(part) for part in state], registry._default_device
    try:
        yield
    finally:
        for part, content in zip(state, before):
            part.clear()
            part.update(content)
        registry._default_device = default
        registry.bind(device("cpu"), backends.get(registry._choices["cpu"]).on(device("cpu")))


class Elsewhere(NumpyBackend):
    """NumPy as the backend of a device type of its own: its arrays are copies, so nothing is shared by accident."""

    name = "elsewhere"
    device_type = "box"

    def current_index(self):
        return 0

    def from_host(self, array):
        return np.array(array)

    def to_host(self, array):
        return np.array(array)
