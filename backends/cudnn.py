"""The settings of cuDNN that PyTorch scripts touch. cuDNN is not used here: they are accepted and change nothing.

Attributes:
    benchmark: whether to time several algorithms and keep the fastest.
    deterministic: whether to use deterministic algorithms only.
    enabled: whether to use cuDNN.
    allow_tf32: whether its convolutions may round to TensorFloat-32.
"""

from __future__ import annotations

__all__ = ["allow_tf32", "benchmark", "deterministic", "enabled", "is_available", "version"]

benchmark: bool = False
deterministic: bool = False
enabled: bool = True
allow_tf32: bool = True


def is_available() -> bool:
    """False: no operation runs on cuDNN."""
    return False


def version() -> int | None:
    """None: there is no cuDNN to have a version."""
    return None
