"""Which of PyTorch's kernels for attention are allowed: kept and answered; there is one kernel here.

``torch.nn.attention.sdpa_kernel``, and the switches of ``torch.backends.cuda``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = [
    "SDPBackend", "cudnn_sdp_enabled", "enable_cudnn_sdp", "enable_flash_sdp", "enable_math_sdp",
    "enable_mem_efficient_sdp", "flash_sdp_enabled", "math_sdp_enabled", "mem_efficient_sdp_enabled", "sdp_kernel",
    "sdpa_kernel",
]  # fmt: skip


class SDPBackend(enum.Enum):
    """PyTorch's kernels for scaled dot product attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


KINDS = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH, SDPBackend.CUDNN_ATTENTION)
_allowed = set(KINDS)


def _switch(kind: SDPBackend, enabled: bool) -> None:
    (_allowed.add if enabled else _allowed.discard)(kind)


def enable_flash_sdp(enabled: bool) -> None:
    """Kept, and answered by ``flash_sdp_enabled``."""
    _switch(SDPBackend.FLASH_ATTENTION, enabled)


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Kept, and answered by ``mem_efficient_sdp_enabled``."""
    _switch(SDPBackend.EFFICIENT_ATTENTION, enabled)


def enable_math_sdp(enabled: bool) -> None:
    """Kept, and answered by ``math_sdp_enabled``."""
    _switch(SDPBackend.MATH, enabled)


def enable_cudnn_sdp(enabled: bool) -> None:
    """Kept, and answered by ``cudnn_sdp_enabled``."""
    _switch(SDPBackend.CUDNN_ATTENTION, enabled)


def flash_sdp_enabled() -> bool:
    """What ``enable_flash_sdp`` was given."""
    return SDPBackend.FLASH_ATTENTION in _allowed


def mem_efficient_sdp_enabled() -> bool:
    """What ``enable_mem_efficient_sdp`` was given."""
    return SDPBackend.EFFICIENT_ATTENTION in _allowed


def math_sdp_enabled() -> bool:
    """What ``enable_math_sdp`` was given."""
    return SDPBackend.MATH in _allowed


def cudnn_sdp_enabled() -> bool:
    """What ``enable_cudnn_sdp`` was given."""
    return SDPBackend.CUDNN_ATTENTION in _allowed


@contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[None]:
    """Allow only these kernels within the block; attention is computed as ever.

    Raises:
        AssertionError: neither a kernel nor a list of them.
    """
    wanted: Any = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(wanted, (list, tuple)) or not all(isinstance(b, SDPBackend) for b in wanted):
        raise AssertionError("sdpa_kernel: backends must be an instance of SDPBackend or a list of them")
    before = set(_allowed)
    _allowed.clear()
    _allowed.update(wanted)
    try:
        yield
    finally:
        _allowed.clear()
        _allowed.update(before)


def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Any:
    """``sdpa_kernel`` by PyTorch's older name and arguments."""
    switches = zip(KINDS, (enable_flash, enable_mem_efficient, enable_math, enable_cudnn), strict=True)
    return sdpa_kernel([kind for kind, enabled in switches if enabled])
