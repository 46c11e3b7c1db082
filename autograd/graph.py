"""The tape from outside: its nodes, edges to them, and what is saved on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .edges import GradientEdge, get_gradient_edge
from .handles import RemovableHandle
from .hooks import hooks_on_several
from .node import Node
from .saved import disable_saved_tensors_hooks, saved_tensors_hooks
from .tensor import Tensor

__all__ = [
    "GradientEdge", "Node", "disable_saved_tensors_hooks", "get_gradient_edge", "increment_version",
    "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


def increment_version(tensor: Tensor | Sequence[Tensor]) -> None:
    """Note that tensors were written in place by something that the tape did not see."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        t._cell[0] += 1


class save_on_cpu(saved_tensors_hooks):  # noqa: N801 - PyTorch's name
    """A context in which what is saved for backward waits in the memory of the CPU.

    Args:
        pin_memory: wait in page-locked memory, from which copies to a card are faster.
        device_type: of the card, where ``pin_memory``.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Tensor) -> tuple[Any, Tensor]:
            kept = tensor.detach().cpu()
            return tensor.device, kept.pin_memory() if pin_memory and tensor.device.type == device_type else kept

        def unpack(packed: tuple[Any, Tensor]) -> Tensor:
            device, tensor = packed
            return tensor.to(device, non_blocking=pin_memory)

        super().__init__(pack, unpack)


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` during a backward when the gradients of several tensors have arrived.

    Args:
        tensors: tensors that require grad.
        fn: for ``"all"``, a function of the list of all gradients, None for what the backward does not reach; for
            ``"any"``, a function of the first gradient that arrives.
        mode: ``"all"`` or ``"any"``.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: mode must be 'all' or 'any', not {mode!r}")
    return hooks_on_several(tensors, fn, mode == "all")
