"""``torch.nn.parallel``: models under the wrapper for several GPUs; here they run on one device."""

from __future__ import annotations

from typing import Any

from .data_parallel import DataParallel
from .module import Module

__all__ = ["DataParallel", "data_parallel"]


def data_parallel(
    module: Module, inputs: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """``module`` of ``inputs`` (a tuple of them, or one), on the one device where it is.

    Raises:
        ValueError: several devices.
    """
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    return DataParallel(module, device_ids, output_device, dim)(*given, **(module_kwargs or {}))
