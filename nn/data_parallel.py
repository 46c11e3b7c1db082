"""DataParallel, for scripts that wrap their model in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """A module under PyTorch's wrapper for several GPUs; it runs on the one device where it is.

    Args:
        module: what is wrapped; the names in ``state_dict`` get "module." before them.
        device_ids: at most one device.
        output_device, dim: kept, and count for nothing.

    Raises:
        ValueError: several devices.
    """

    def __init__(
        self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        ids = list(device_ids or ())
        if len(ids) > 1:
            raise ValueError(f"DataParallel: a model runs on one device here, got device_ids={ids}; name one")
        self.dim = dim
        self.module = module.to(f"cuda:{ids[0]}" if isinstance(ids[0], int) else ids[0]) if ids else module
        self.device_ids = ids
        self.output_device = output_device if output_device is not None or not ids else ids[0]

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
