"""The host random generator: PyTorch's numbers for PyTorch's seeds, as NumPy arrays; and the seeds of devices."""

from .counter import CounterGenerator, entropy, made_so_far, seed_devices
from .discrete import bounds, largest
from .generator import Generator, default_generator
from .states import preserved, random_states

__all__ = [
    "CounterGenerator", "Generator", "bounds", "default_generator", "entropy", "largest", "made_so_far", "preserved",
    "random_states", "seed_devices",
]  # fmt: skip
