"""The Tensor: an array, the device it lives on, and its place on the tape."""

from __future__ import annotations

import warnings
from threading import get_ident
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from ..backends import dtypes
from ..backends.device import device as Device
from ..backends.dtypes import OF_NUMPY
from . import record
from .grad_mode import OFF, is_inference, is_inference_mode_enabled
from .node import Node, leaf, shown, ticket
from .wirtinger import expect_complex

if TYPE_CHECKING:
    from ._typing import TensorMethods
else:
    TensorMethods = object

__all__ = ["Size", "Tensor", "wrap"]

new = object.__new__


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple that prints as PyTorch's does."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"tapegrad.Size([{', '.join(map(str, self))}])"

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        count = 1
        for n in self:
            count *= n
        return count

    def __getitem__(self, item: Any) -> Any:
        got = tuple.__getitem__(self, item)
        return Size(got) if isinstance(item, slice) else got

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__


def wrap(array: Any, device: Any) -> Tensor:
    """A tensor around a raw array, on no tape."""
    tensor = new(Tensor)
    tensor._array, tensor._device = array, device
    tensor._cell, tensor._view, tensor._node = [0], None, None
    return tensor


class Tensor(TensorMethods):
    """An n-dimensional array that can record what is done with it.

    Tensors are made by ``tapegrad.tensor``, ``zeros``, ``randn`` and their kin; ``Tensor(3, 4)`` and
    ``Tensor([1, 2])`` make float32 tensors as PyTorch's old constructor does.

    Internals (read by the operations, not by users): ``_array`` the raw array; ``_device``; ``_cell`` the version
    counter, a one-element list shared by all tensors over the same memory; ``_view`` None or ``(base, steps,
    node of the base when the view was last brought up to date)``; ``_node`` the node that made it, a leaf's own node,
    or None where no gradient is wanted.
    """

    __slots__ = ("__dict__", "__weakref__", "_array", "_cell", "_device", "_kept_grad", "_node", "_view")

    _array: Any
    _device: Any
    _cell: list[int]
    _view: Any
    _node: Node | None
    _kept_grad: Any
    _turned: Any
    __hash__ = object.__hash__
    __array_priority__ = 1000

    def __new__(cls, *args: Any, device: Any = None) -> Tensor:
        filled = record.GLOBALS["legacy"](cls.__name__, args, None, device)
        made = new(cls)
        made._array, made._device, made._cell = filled._array, filled._device, filled._cell
        made._view, made._node = None, None
        return made

    # What it is

    @property
    def shape(self) -> Size:
        """The size along each dimension."""
        return Size(self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        try:
            return OF_NUMPY[self._array.dtype]
        except KeyError:
            return dtypes.of(self._array.dtype)

    @property
    def device(self) -> Device:
        """Where the data lives."""
        return self._device

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    # Its place on the tape

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded; settable on a leaf."""
        try:
            return self._current() is not None
        except RuntimeError:  # one of several views whose base, which has a history, was written
            return True

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError(f"requires_grad: must be a bool, not {type(value).__name__}")
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start or stop recording operations on this leaf; returns the tensor.

        Raises:
            RuntimeError: the element type has no gradient, or the tensor is the result of a recorded operation.
        """
        if not isinstance(requires_grad, bool):
            raise TypeError(f"requires_grad_: takes a bool, not {type(requires_grad).__name__}")
        node = self._current()
        if node is not None and node is not self._node and node.edges is None:
            node = None  # a view that was not recorded has none of its own
        if node is not None and node.edges is not None:
            if not requires_grad:
                raise RuntimeError(
                    "requires_grad: only of a leaf can it be switched off; use detach() for a tensor without history"
                )
        elif requires_grad and node is None:
            if self._array.dtype.kind not in "fcV":
                raise RuntimeError(
                    f"requires_grad: only floating and complex tensors have gradients, this one is {self.dtype}; "
                    "convert it first, e.g. with .float()"
                )
            if is_inference(self) and not is_inference_mode_enabled():
                raise RuntimeError(
                    "requires_grad: a tensor that was made in inference mode cannot require grad outside the mode; "
                    "take a clone() of it"
                )
            # A leaf is its own base, whatever memory it looks at.
            self._node, self._view = leaf(self._device, self._array.dtype), None
            self._node.grad, self._node.saved = getattr(self, "_kept_grad", None), ref(self)
        elif not requires_grad and node is not None:
            self._kept_grad, self._node = node.grad, None
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        node = self._current()
        return node is None or node.edges is None

    @property
    def grad_fn(self) -> Node | None:
        """The recorded step that made this tensor; None for a leaf."""
        node = self._current()
        return None if node is None or node.edges is None else shown(node)[0]

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated by ``backward`` in this leaf (or in a tensor after ``retain_grad``), or None."""
        node = self._node
        if node is None:
            return getattr(self, "_kept_grad", None)
        if node.grad is None and node.edges is not None and (node.hooks is None or node.hooks.keep is None):
            warnings.warn(
                "the .grad of a tensor that is not a leaf is None, backward keeps none for it; call retain_grad() on "
                "it before, or look at the leaf that it was made from",
                stacklevel=2,
            )
        return node.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"grad: assign a Tensor or None, not {type(value).__name__}")
            if value is self:
                raise RuntimeError("grad: a tensor cannot be its own gradient; assign a clone() of it")
            if value._array.shape != self._array.shape or value._device is not self._device:
                raise RuntimeError(
                    f"grad: assigned has shape {tuple(value.shape)} on {value.device}, "
                    f"the tensor {tuple(self.shape)} on {self.device}"
                )
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(f"grad: assigned is {value.dtype.name}, the tensor {self.dtype.name}")
        if self._node is None:
            self._kept_grad = value
        else:
            self._node.grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def data(self) -> Tensor:
        """The same memory outside the tape: writes through it are not tracked. Assignable."""
        return wrap(self._array, self._device)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data: assign a Tensor, not {type(value).__name__}")
        if self._node is not None and value._array.dtype.kind in "biu":
            raise RuntimeError(
                f"data: a tensor that requires grad takes floating or complex data, not {value.dtype.name}; convert it "
                "with .float()"
            )
        self._array, self._device = value._array, value._device
        if self._node is not None and self._node.edges is None:
            self._node.device, self._node.extra = value._device, leaf(value._device, value._array.dtype).extra

    @property
    def _version(self) -> int:
        """How often the memory was written in place; not known of tensors that were made in inference mode."""
        if is_inference(self):
            raise RuntimeError("_version: tensors that were made in inference mode have no version counter")
        return self._cell[0]

    def _current(self) -> Node | None:
        """The node that made the current content (a view's base may have been written through since)."""
        view = self._view
        if view is not None and view[0]._node is not view[2]:
            return record.GLOBALS["refresh"](self)
        return self._node


record.GLOBALS.update(
    Tensor=Tensor, Node=Node, OFF=OFF, expect_complex=expect_complex, get_ident=get_ident, ticket=ticket, new=new,
    ndarray=np.ndarray, node_of=Tensor._current, CONSTANT=[0], total=lambda cells: sum([c[0] for c in cells]),
)  # fmt: skip
