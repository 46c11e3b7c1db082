"""The conformance suite: samples of every primitive, and what every backend must do with them."""

from .sample import CPU, HERE, Sample
from .samples import SAMPLES

__all__ = ["CPU", "HERE", "SAMPLES", "Sample"]
