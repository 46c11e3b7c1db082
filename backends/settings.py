"""Settings of CUDA that PyTorch scripts touch: ``tapegrad.backends.cuda.matmul.allow_tf32``."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["is_built", "matmul"]


class _Matmul:
    """Settings of matrix products on CUDA devices.

    Attributes:
        allow_tf32: let float32 products round their operands to TensorFloat-32 (10 bits of mantissa instead of 23),
            several times as fast on cards from Ampere on. Off unless switched on.
    """

    __slots__ = ("allow_tf32",)

    def __init__(self) -> None:
        self.allow_tf32 = False


matmul = _Matmul()


def is_built() -> bool:
    """Whether CuPy is installed, without which there is no CUDA; ``tapegrad.cuda.is_available()`` asks for a card."""
    return find_spec("cupy") is not None
