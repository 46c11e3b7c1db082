"""Parameters: the tensors that a module learns."""

from __future__ import annotations

from typing import Any

from ..autograd import Tensor
from ..autograd.ops.factories import empty

__all__ = ["Buffer", "Parameter", "Uninitialized", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


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

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:  # the gradient is not copied
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        made: Parameter = memo[id(self)]
        return made

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a module counts among its buffers when it is assigned as an attribute.

    Args:
        data: a tensor; its memory is shared. None makes an empty one.
        persistent: whether it is part of the module's ``state_dict``.
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        made: Any = super().__new__(cls) if data is None else object.__new__(cls)
        if data is not None:
            if not isinstance(data, Tensor):
                raise TypeError(f"Buffer: data must be a Tensor, not {type(data).__name__}")
            made._array, made._device, made._cell = data._array, data._device, data._cell
            made._view, made._node = None, None
        made.persistent = persistent
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()


class Uninitialized(Tensor):
    """A parameter or buffer whose shape is not known yet: only its element type and device are.

    What asks for its elements or its shape is refused.
    """

    _held: Tensor
    _made: type[Tensor]

    def _refused(self) -> Any:
        raise ValueError(
            f"{type(self).__name__}: it has neither shape nor elements before the first forward pass of its module "
            "(or materialize(shape)), so nothing can be computed with it"
        )

    _array: Any = property(_refused)

    @property
    def shape(self) -> Any:
        """Refused.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    @property
    def dtype(self) -> Any:
        """The element type it will have."""
        return self._held.dtype

    @property
    def device(self) -> Any:
        """Where it will live."""
        return self._held.device

    def move(self, change: Any) -> None:
        """Take over the element type and device that ``change`` gives a tensor."""
        self._held = change(self._held)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a parameter or buffer of this shape, with memory that is not filled yet."""
        held, requires_grad = self._held, self.__dict__.pop("_wants_grad", False)
        found = empty(shape, device=held.device if device is None else device, dtype=dtype or held.dtype)
        del self.__dict__["_held"]
        self.__class__ = self._made  # type: ignore[assignment]
        self._array, self._device, self._cell = found._array, found._device, found._cell
        if requires_grad:
            self.requires_grad_()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        made = memo[id(self)] = _uninitialized(type(self), self.device, self.dtype)
        made.__dict__.update(self.__dict__)
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _restored, (type(self), self._held, self.requires_grad)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def _uninitialized(cls: type[Any], device: Any, dtype: Any) -> Any:
    made = object.__new__(cls)
    made._held = empty(0, device=device, dtype=dtype)
    made._device, made._cell, made._view, made._node = made._held._device, [0], None, None
    return made


def _restored(cls: type[Any], held: Tensor, requires_grad: bool) -> Any:
    made = _uninitialized(cls, held.device, held.dtype)
    return made.requires_grad_() if requires_grad and cls is UninitializedParameter else made


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter whose shape the first forward pass of its module will tell.

    Args:
        requires_grad: whether it will be learned.
        device, dtype: what it will have.
    """

    _made = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        made = _uninitialized(cls, device, dtype)
        made._wants_grad = requires_grad
        return made

    @property
    def requires_grad(self) -> bool:
        """Whether it will be learned."""
        return bool(self.__dict__.get("_wants_grad", False))

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self._wants_grad = value

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Set whether it will be learned."""
        self._wants_grad = requires_grad
        return self


class UninitializedBuffer(Uninitialized):
    """A buffer whose shape the first forward pass of its module will tell.

    Args:
        device, dtype: what it will have.
    """

    _made = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> UninitializedBuffer:
        made = _uninitialized(cls, device, dtype)
        made.persistent = persistent
        return made


def is_lazy(value: Any) -> bool:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(value, Uninitialized)
