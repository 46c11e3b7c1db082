"""Settings of CUDA that PyTorch scripts touch: ``tapegrad.backends.cuda.matmul.allow_tf32``."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["get_float32_matmul_precision", "is_built", "matmul", "set_float32_matmul_precision"]


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
_precision = "highest"


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` was last given; "highest" at the start."""
    return _precision


def set_float32_matmul_precision(precision: str) -> None:
    """Say how exact float32 matrix products on CUDA devices must be.

    Args:
        precision: "highest" computes in float32; "high" and "medium" allow TensorFloat-32, as ``matmul.allow_tf32``.

    Raises:
        RuntimeError: another word.
    """
    global _precision
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"set_float32_matmul_precision: {precision!r} is not one of 'highest', 'high', 'medium'")
    _precision, matmul.allow_tf32 = precision, precision != "highest"


def is_built() -> bool:
    """Whether CuPy is installed, without which there is no CUDA; ``tapegrad.cuda.is_available()`` asks for a card."""
    return find_spec("cupy") is not None
