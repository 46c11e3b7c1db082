"""Parameters: the tensors that a module learns."""

from __future__ import annotations

from typing import Any

from ..autograd import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A tensor that a module counts among its parameters when it is assigned as an attribute.

    Args:
        data: a tensor; its memory is shared. None makes an empty one.
        requires_grad: whether it is learned.
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        made = super().__new__(cls, 0) if data is None else object.__new__(cls)
        if data is not None:
            if not isinstance(data, Tensor):
                raise TypeError(f"Parameter: data must be a Tensor, not {type(data).__name__}")
            made._array, made._device, made._cell = data._array, data._device, data._cell
            made._view, made._node = None, None
        made.requires_grad_(requires_grad)
        return made  # type: ignore[return-value]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
