"""``torch.nn.parallel``: models under the wrapper for several GPUs; here they run on one device."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from . import distributed
from .data_parallel import DataParallel
from .module import Module

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


class DistributedDataParallel(DataParallel):
    """A module under PyTorch's wrapper for several processes; the group has one process here.

    Args:
        module: what is wrapped; the names in ``state_dict`` get "module." before them.
        device_ids: at most one device.
        output_device, dim: kept, and count for nothing.
        options: PyTorch's others (``find_unused_parameters``, ``broadcast_buffers``, ...), accepted.

    Raises:
        ValueError: several devices, or ``distributed.init_process_group`` was not called.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0, **options: Any
    ) -> None:
        distributed.get_rank()
        super().__init__(module, device_ids, output_device, dim)

    def no_sync(self) -> AbstractContextManager[None]:
        """A block without exchange of gradients; there is nobody to exchange with."""
        return nullcontext()


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
