"""The element types and devices of what a module holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from ..autograd import Tensor

__all__ = ["Movable"]


class Movable:
    """The part of ``Module`` that changes where its parameters and buffers lie, and of what type they are."""

    if TYPE_CHECKING:

        def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self: ...

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move parameters and buffers to a device, floating ones to a dtype, and those of images to a memory format.

        Raises:
            TypeError: a dtype that is neither floating nor complex.
        """
        memory_format = kwargs.pop("memory_format", None)
        whole = Tensor(0).to(*args, **kwargs)
        device = whole.device if _names_device(args, kwargs) else None
        dtype = whole.dtype if whole.dtype is not Tensor(0).dtype or _names_dtype(args, kwargs) else None
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(f"{type(self).__name__}.to: expected a floating or complex dtype, got {dtype}")

        def move(t: Tensor) -> Tensor:
            kind = dtype if t.is_floating_point() or t.is_complex() else None
            return t.to(device=device, dtype=kind, memory_format=memory_format if t.ndim in (4, 5) else None)

        return self._apply(move)

    def type(self, dst_type: Any) -> Self:
        """Make all parameters and buffers of an element type."""
        return self._apply(lambda t: t.type(dst_type))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move to a device, without the values; ``recurse`` also what lies below."""
        from ..autograd.ops.factories import empty_like

        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def share_memory(self) -> Self:
        """Let other processes see the parameters and buffers."""
        return self._apply(lambda t: t.share_memory_())

    def float(self) -> Self:
        """Make floating parameters and buffers float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Make floating parameters and buffers float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Self:
        """Make floating parameters and buffers float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Self:
        """Make floating parameters and buffers bfloat16."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def cpu(self) -> Self:
        """Move parameters and buffers to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Self:
        """Move parameters and buffers to a CUDA device."""
        return self._apply(lambda t: t.cuda(device))


def _names_device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    from ..backends import device

    return kwargs.get("device") is not None or any(isinstance(a, (str, int, device, Tensor)) for a in args)


def _names_dtype(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    from ..backends.dtypes import dtype

    return kwargs.get("dtype") is not None or any(isinstance(a, (dtype, Tensor)) for a in args)
