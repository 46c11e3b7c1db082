"""Mixed precision on CUDA under PyTorch's older names, each with its warning."""

from __future__ import annotations

import warnings
from typing import Any

from ..nn import amp
from ..nn.warn import users_line

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def _warn(name: str) -> None:
    warnings.warn(
        f"`cuda.amp.{name}(args...)` is deprecated. Please use `amp.{name}('cuda', args...)` instead.",
        FutureWarning,
        stacklevel=users_line(),
    )


class autocast(amp.autocast):  # noqa: N801 - PyTorch's name
    """``amp.autocast`` on CUDA.

    Args:
        enabled: whether it does anything.
        dtype: the lower type.
        cache_enabled: whether to keep parameters in the lower type.
    """

    def __init__(self, enabled: bool = True, dtype: Any = "float16", cache_enabled: bool = True) -> None:
        _warn("autocast")
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """``amp.GradScaler`` on CUDA; the arguments are those but the device."""

    def __init__(
        self, init_scale: float = 2.0**16, growth_factor: float = 2.0, backoff_factor: float = 0.5,
        growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        _warn("GradScaler")
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


def custom_fwd(fwd: Any = None, *, cast_inputs: Any = None) -> Any:
    """``amp.custom_fwd`` on CUDA."""
    _warn("custom_fwd")
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Any) -> Any:
    """``amp.custom_bwd`` on CUDA."""
    _warn("custom_bwd")
    return amp.custom_bwd(bwd, device_type="cuda")
