"""Fourier transforms (``torch.fft``)."""

from .autograd.ops.fft import *  # noqa: F403
from .autograd.ops.fft import __all__

__all__ = list(__all__)
