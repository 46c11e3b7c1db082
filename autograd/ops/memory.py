"""The memory behind tensors: storages, adopting another's memory, functions of Python applied in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...backends import device_of, dtypes
from ...backends.device import device as Device
from ..grad_mode import is_grad_enabled, is_inference
from ..promote import describe, fitting
from ..rule import P
from ..tensor import Tensor, wrap
from ..writes import overwrite, write
from . import move
from .index import setitem

__all__ = ["METHODS", "TypedStorage", "UntypedStorage", "is_storage", "typename"]


class UntypedStorage:
    """The bytes that a tensor and all its views look at.

    It aliases the memory: writing an item changes the tensors.
    """

    def __init__(self, owner: Any, device: Any, cell: list[int]) -> None:
        self._owner, self._device, self._cell = owner, device, cell

    def _bytes(self) -> Any:
        flat = self._owner if self._owner.flags.c_contiguous else self._owner.T
        return flat.reshape(-1).view(np.uint8)

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return self._device

    def nbytes(self) -> int:
        """How many bytes there are."""
        return int(self._owner.nbytes)

    size = __len__ = nbytes

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return move.address(self._owner)

    def element_size(self) -> int:
        """1, since elements are bytes."""
        return 1

    def is_shared(self) -> bool:
        """Whether other processes see the memory: never."""
        return False

    def tolist(self) -> list[int]:
        """The bytes as numbers."""
        values: list[int] = self._device.backend.to_host(self._bytes()).tolist()
        return values

    def __getitem__(self, item: Any) -> Any:
        return self.tolist()[item]

    def __setitem__(self, item: Any, value: int) -> None:
        self._bytes()[item] = value
        self._cell[0] += 1

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def clone(self) -> UntypedStorage:
        """A copy with memory of its own."""
        return UntypedStorage(self._device.backend.copy(self._bytes()), self._device, [0])

    def to(self, device: Any) -> UntypedStorage:
        """The bytes on another device; itself where they are there."""
        where = device_of(device)
        if where is self._device:
            return self
        return UntypedStorage(where.backend.from_host(self._device.backend.to_host(self._bytes())), where, [0])

    def cpu(self) -> UntypedStorage:
        """The bytes on the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> UntypedStorage:
        """The bytes on a CUDA device: the current one, its number, or its name."""
        return self.to("cuda" if device is None else Device(device))

    def __repr__(self) -> str:
        lines = "".join(f" {v}\n" for v in self.tolist())
        return f"{lines}[tapegrad.UntypedStorage(device={self._device}) of size {self.nbytes()}]"


class TypedStorage:
    """The memory of a tensor as a list of elements of its type."""

    def __init__(self, untyped: UntypedStorage, dtype: dtypes.dtype) -> None:
        self._untyped, self.dtype = untyped, dtype

    def _elements(self) -> Any:
        return self._untyped._bytes().view(self.dtype.numpy)

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return self._untyped.device

    def untyped(self) -> UntypedStorage:
        """The bytes."""
        return self._untyped

    def size(self) -> int:
        """How many elements there are."""
        return self._untyped.nbytes() // self.dtype.itemsize

    __len__ = size

    def nbytes(self) -> int:
        """How many bytes there are."""
        return self._untyped.nbytes()

    def element_size(self) -> int:
        """The bytes of one element."""
        return self.dtype.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._untyped.data_ptr()

    def is_shared(self) -> bool:
        """Whether other processes see the memory: never."""
        return False

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        values: list[Any] = move.tolist(wrap(self._elements(), self._untyped._device))
        return values

    def __getitem__(self, item: Any) -> Any:
        return self.tolist()[item]

    def __setitem__(self, item: Any, value: Any) -> None:
        self._elements()[item] = value
        self._untyped._cell[0] += 1

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __repr__(self) -> str:
        lines = "".join(f" {v}\n" for v in self.tolist())
        return f"{lines}[tapegrad.TypedStorage(dtype={self.dtype}, device={self.device}) of size {self.size()}]"


def _untyped_storage(self: Tensor) -> UntypedStorage:
    """The bytes that this tensor and all its views look at."""
    return UntypedStorage(move.owner_of(self._array), self._device, self._cell)


def _storage(self: Tensor) -> TypedStorage:
    """The elements that this tensor and all its views look at."""
    return TypedStorage(_untyped_storage(self), self.dtype)


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is the storage of a tensor."""
    return isinstance(obj, (UntypedStorage, TypedStorage))


def _set_(self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
    """Look at the memory of another tensor or of a storage from now on; at none without ``source``.

    Args:
        source: a tensor, or a storage of this tensor's type.
        storage_offset, size, stride: where in the storage, in elements; by default all of it.

    Raises:
        RuntimeError: the tensor requires grad, the types differ, or the elements lie outside the storage.
    """
    if is_grad_enabled() and self.requires_grad:
        raise RuntimeError("set_: a tensor that requires grad cannot take other memory; use a detach() of it")
    dtype = self.dtype
    if source is None:
        source = wrap(self._device.backend.copy(P.reshape(self.detach(), (-1,))._array[:0]), self._device)
    if isinstance(source, Tensor) and size is None:
        if source.dtype is not dtype:
            raise RuntimeError(f"set_: a tensor of type {dtype.name} cannot take the memory of {describe(source)}")
        self._array, self._cell, self._device, self._view = source._array, source._cell, source._device, None
        return self
    storage = _untyped_storage(source) if isinstance(source, Tensor) else source
    untyped = storage.untyped() if isinstance(storage, TypedStorage) else storage
    if not isinstance(untyped, UntypedStorage):
        raise TypeError(f"set_: takes a tensor or a storage, not {type(source).__name__}")
    elements = TypedStorage(untyped, dtype)._elements()
    shape = tuple(size) if size is not None else (elements.shape[0] - storage_offset,)
    steps = tuple(stride) if stride is not None else _row_by_row(shape)
    last = storage_offset + sum((n - 1) * s for n, s in zip(shape, steps, strict=True))
    if 0 not in shape and not 0 <= last < elements.shape[0]:
        raise RuntimeError(f"set_: size {list(shape)} from {storage_offset} on leaves a storage of {elements.shape[0]}")
    self._array = untyped._device.backend.xp.lib.stride_tricks.as_strided(
        elements[storage_offset:], shape, tuple(s * dtype.itemsize for s in steps)
    )
    self._cell, self._device, self._view = untyped._cell, untyped._device, None
    return self


def _row_by_row(shape: tuple[int, ...]) -> tuple[int, ...]:
    steps, step = [], 1
    for n in reversed(shape):
        steps.append(step)
        step *= max(n, 1)
    return tuple(reversed(steps))


def _apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element by what a function of Python numbers makes of it; slow, and on the CPU only.

    Raises:
        RuntimeError: the tensor requires grad. TypeError: it is not on the CPU.
    """
    return _by_element("apply_", self, callable)


def _map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace each element by what a function makes of it and of the element of ``tensor`` there.

    Raises:
        RuntimeError: a tensor requires grad, or the types differ. TypeError: it is not on the CPU.
    """
    if tensor.dtype is not self.dtype:
        raise RuntimeError(f"map_: the types of {describe(self)} and {describe(tensor)} differ")
    return _by_element("map_", self, callable, tensor)


def _by_element(name: str, target: Tensor, function: Callable[..., Any], *others: Tensor) -> Tensor:
    if any([x.requires_grad for x in (target, *others)]):
        raise RuntimeError(f"{name}: a function of Python has no gradient; call it on .detach()")
    if target._device.type != "cpu":
        raise TypeError(f"{name}: runs on the CPU only, the tensor is on {target._device}; use .cpu()")
    arrays = [np.broadcast_to(x._array, target._array.shape) for x in (target, *others)]
    numbers = [a.astype(np.float32) if a.dtype.kind == "V" else a for a in arrays]
    kind = target._array.dtype
    made = [function(*row) for row in zip(*(a.reshape(-1).tolist() for a in numbers), strict=True)]
    array = np.array(made).astype(kind) if made else np.empty(0, kind)
    return write(name, target, overwrite, wrap(array.reshape(target._array.shape), target._device))


def typename(obj: Any) -> str:
    """The name of a tensor's type, such as "tapegrad.FloatTensor"; of anything else its module and class."""
    if isinstance(obj, Tensor):
        name: str = move.type_(obj)
        return name
    module, name = getattr(type(obj), "__module__", ""), type(obj).__qualname__
    if isinstance(obj, type):
        module, name = obj.__module__, obj.__qualname__
    return name if module in ("", "builtins") else f"{module}.{name}"


def detach_(self: Tensor) -> Tensor:
    """Drop the history of this tensor, which is a leaf that needs no gradient from then on.

    Raises:
        RuntimeError: a view, which shares its history with the tensor that it looks at.
    """
    if _base(self) is not None:
        raise RuntimeError("detach_: a view cannot be detached in place; use detach()")
    if self.is_leaf:
        return self.requires_grad_(False)
    self._node = self._view = None
    return self


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Set the main diagonal, where all indices are equal, to one number.

    Args:
        self: at least 2 dimensions; more than 2 must be of one size.
        fill_value: the number.
        wrap: whether the diagonal of a tall matrix starts again one row below its end.

    Raises:
        RuntimeError: fewer than 2 dimensions, or more of different sizes.
    """
    shape = self._array.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise RuntimeError(f"fill_diagonal_: needs a matrix, or more dimensions of one size, got {list(shape)}")
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    turn = shape[1] + 1 if wrap and len(shape) == 2 else max(shape[0], 1)
    places = [(i, i % turn) for i in range(shape[0]) if i % turn < min(shape[1:])]
    rows, columns = ([p[k] for p in places] for k in (0, 1))
    setitem(self, (rows, *[columns] * (len(shape) - 1)), fitting("fill_diagonal_", fill_value, self.dtype))
    return self


def _base(self: Tensor) -> Tensor | None:
    """The tensor that a view looks at; None of what is none, or was made from a tensor of inference mode."""
    if self._view is None or self._view[0]._device is None or is_inference(self):
        return None
    base: Tensor = self._view[0]
    owner = getattr(base, "_turned", None)  # of a base that took its place when it was turned
    if owner is None:
        return base
    return None if owner() is self else owner()


def _record_stream(self: Tensor, stream: Any) -> None:
    """Note that work in a stream uses the tensor: its memory goes to no other before what is queued there is done.

    Call it where a tensor is used in another stream than the one that it was made in. What is queued counts up to the
    moment at which nobody holds the memory any more.

    Args:
        stream: of ``tapegrad.cuda``.

    Raises:
        NotImplementedError: the tensor is on the CPU.
    """
    self._device.backend.record_stream(self._array, stream)


METHODS: dict[str, Any] = {
    "detach_": detach_, "fill_diagonal_": fill_diagonal_, "record_stream": _record_stream,
    "storage": _storage, "untyped_storage": _untyped_storage, "set_": _set_, "apply_": _apply_, "map_": _map_,
    "const_data_ptr": lambda self: self.data_ptr(), "dim_order": lambda self: tuple(
        sorted(range(self.ndim), key=lambda i: -self._array.strides[i])),
    "_is_view": lambda self: _base(self) is not None, "_base": property(_base),
    "is_sparse_csr": property(lambda self: False), "is_nested": property(lambda self: False),
    "is_mkldnn": property(lambda self: False), "is_xpu": property(lambda self: False),
    "is_xla": property(lambda self: False), "is_vulkan": property(lambda self: False),
    "is_distributed": lambda self: False, "is_coalesced": lambda self: False,
    "name": property(lambda self: None),
}  # fmt: skip
