"""The CuPy backend's code over the strict stand-in, with its kernels compiled for the host: the backend "strict"."""

import contextlib

from tapegrad.backends import register, registry
from tapegrad.backends.cupy_backend import CupyBackend

from . import host, strict

__all__ = ["BUILDER", "StrictBackend", "registered"]

BUILDER = host.HostBuilder(lambda x: strict.plain(x) if type(x) is strict.ndarray else x, strict.made)


class StrictBackend(CupyBackend):
    """The CuPy backend where there is neither CuPy nor a card."""

    name = "strict"
    device_type = "strict"

    def __init__(self, xp=None, builder=None):
        super().__init__(xp or strict.STRICT, builder or BUILDER)

    def watching_solvers(self):
        return strict.errstate(linalg="raise")


_kept = {}


@contextlib.contextmanager
def registered(cls=StrictBackend):
    """A backend class known to the registry for a while, so that other tests do not meet it."""
    name = cls.name
    if name in registry._entries:
        yield
        return
    if cls not in _kept:
        register(name, cls, device_type=cls.device_type, why_not=host.why_not)
        _kept[cls] = registry._entries[name]
    registry._entries[name] = _kept[cls]
    try:
        yield
    finally:
        del registry._entries[name]
