"""The host random generator: PyTorch's numbers for PyTorch's seeds, as NumPy arrays; and the seeds of devices."""

from .counter import CounterGenerator, seed_devices
from .generator import Generator, default_generator
from .states import preserved, random_states

__all__ = ["CounterGenerator", "Generator", "default_generator", "preserved", "random_states", "seed_devices"]
