"""What the tape saves for backward, and the hooks that may keep it in another form (on disk, compressed, not at all).

While hooks are active anywhere, recorded steps are of the class ``PackingNode``, which packs as its last field is set
and unpacks when backward reads ``saved``. Without them nothing of this runs.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from ..backends import dtypes
from . import record
from .grad_mode import set_grad_enabled
from .node import Node
from .tensor import Tensor, wrap

__all__ = ["Kept", "PackingNode", "disable_saved_tensors_hooks", "keep", "packing", "saved_tensors_hooks"]

_saved, _device = vars(Node)["saved"], vars(Node)["device"]  # the slots that PackingNode hides


class _Stack(threading.local):
    """The hooks of the current thread, innermost last, and why there may be none."""

    def __init__(self) -> None:
        self.hooks: list[saved_tensors_hooks] = []
        self.forbidden: str | None = None


_stack = _Stack()
_active = 0  # how many hooks are active in all threads
_counting = threading.Lock()


def packing() -> saved_tensors_hooks | None:
    """The hooks that pack what the current thread saves; None where there are none."""
    return _stack.hooks[-1] if _active and _stack.hooks else None


def _count(change: int) -> None:
    global _active
    with _counting:
        _active += change
        record.GLOBALS["Node"] = PackingNode if _active else Node


class saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """A context in which every tensor that is saved for backward is packed, to be unpacked when backward needs it.

    Of nested contexts only the innermost packs. Packed values are not watched for writes in place.

    Args:
        pack_hook: function of the saved tensor; what it returns is kept in the tensor's place.
        unpack_hook: function of that; returns the tensor.

    Raises:
        RuntimeError: hooks are disabled here; or, when something is saved, ``pack_hook`` changed its input in place.

    >>> import tapegrad as tg
    >>> sizes = []
    >>> x = tg.ones(3, requires_grad=True)
    >>> with tg.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t.numpy(), tg.from_numpy):
    ...     y = x.detach() * x
    >>> y.sum().backward()
    >>> sizes, x.grad
    ([3], tensor([1., 1., 1.]))
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if _stack.forbidden is not None:
            raise RuntimeError(_stack.forbidden)
        _stack.hooks.append(self)
        _count(1)

    def __exit__(self, *exc: object) -> None:
        _stack.hooks.pop()
        _count(-1)

    def pack(self, tensor: Tensor) -> _Packed:
        """A saved tensor as the hook wants it kept."""
        tensor._cell = cell = [0]
        with set_grad_enabled(False):
            held = self.pack_hook(tensor)
        if cell[0]:
            raise RuntimeError(
                "saved_tensors_hooks: the pack hook changed the tensor that it was given in place, and so the value "
                "that others see; let it work on a clone()"
            )
        return _Packed(held, self.unpack_hook, tensor)


class disable_saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """A context in which ``saved_tensors_hooks`` may not be used.

    Args:
        error_message: of the error that entering them raises.
    """

    def __init__(self, error_message: str) -> None:
        self._message = error_message

    def __enter__(self) -> None:
        if _stack.hooks:
            raise RuntimeError(self._message)
        self._before, _stack.forbidden = _stack.forbidden, self._message

    def __exit__(self, *exc: object) -> None:
        _stack.forbidden = self._before


class _Packed:
    """What the pack hook made of one tensor."""

    __slots__ = ("dtype", "held", "shape", "unpack_hook")

    def __init__(self, held: Any, unpack_hook: Callable[[Any], Tensor], like: Tensor) -> None:
        self.held, self.unpack_hook = held, unpack_hook
        self.shape, self.dtype = like._array.shape, like._array.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def array(self) -> Any:
        """The raw array that the unpack hook gives back."""
        with set_grad_enabled(False):
            tensor = self.unpack_hook(self.held)
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"saved_tensors_hooks: the unpack hook must return a Tensor, it returned {type(tensor).__name__}"
            )
        return tensor._array


class _PackedRows:
    """The packed ``saved`` of a node: the rows with packed values where arrays stood."""

    __slots__ = ("joint", "rows")

    def __init__(self, rows: list[Any], joint: bool) -> None:
        self.rows, self.joint = rows, joint

    def unpacked(self) -> Any:
        """The rows as the engine wants them."""
        rows = [None if row is None else tuple(map(_unpacked, row)) for row in self.rows]
        return rows[0] if self.joint else rows


def _unpacked(value: Any) -> Any:
    if type(value) is _Packed:
        return value.array()
    if type(value) is _PackedRows:  # a list of inputs, or a residue of several arrays
        return value.unpacked()
    return value


class PackingNode(Node):
    """A step whose saved tensors are packed by the hooks that were active when it was recorded."""

    __slots__ = ()

    @property
    def saved(self) -> Any:
        kept = _saved.__get__(self)
        return kept.unpacked() if type(kept) is _PackedRows else kept

    @saved.setter
    def saved(self, value: Any) -> None:
        _saved.__set__(self, value)

    def peek(self) -> Any:
        kept = _saved.__get__(self)
        return (kept.rows[0] if kept.joint else kept.rows) if type(kept) is _PackedRows else kept

    @property
    def device(self) -> Any:
        return _device.__get__(self)

    @device.setter
    def device(self, value: Any) -> None:
        _device.__set__(self, value)
        hooks = packing()
        kept = _saved.__get__(self)
        if hooks is not None and type(kept) is not _PackedRows:
            self._pack(hooks, kept, value)

    def _pack(self, hooks: saved_tensors_hooks, kept: Any, device: Any) -> None:
        rule, cells = self.rule, iter(self.cells)
        rows: list[list[Any] | None] = []
        for names, row in zip(rule.saves, (kept,) if rule.joint else kept, strict=True):
            if row is None:
                rows.append(None)
                continue
            packed = []
            for name, value in zip(names, row, strict=True):
                packed.append(self._packed(hooks, name, value, cells, device))
            rows.append(packed)
        _saved.__set__(self, _PackedRows(rows, rule.joint))
        self.cells, self.version = tuple([0] for _ in self.cells), 0

    def _packed(self, hooks: saved_tensors_hooks, name: str, value: Any, cells: Any, device: Any) -> Any:
        """One saved value in the form in which it is kept: packed where it is a tensor."""
        inputs = self.rule.inputs
        if name == "res":
            if isinstance(value, (tuple, list)):
                return _PackedRows([[self._packed(hooks, "res", v, cells, device) for v in value]], True)
            return hooks.pack(wrap(value, device)) if hasattr(value, "dtype") else value
        if name == "out":
            next(cells)
            return hooks.pack(wrap(value, device))
        if name not in inputs:
            return value
        first = inputs.index(name)
        if name == self.rule.variadic:
            return _PackedRows(
                [[hooks.pack(self._tensor(v, first + i, cells, device)) for i, v in enumerate(value)]], True
            )
        if next(cells) is record.GLOBALS["CONSTANT"]:  # a plain number, or an input that was left out
            return value
        return hooks.pack(self._tensor(value, first, None, device))

    def _tensor(self, array: Any, k: int, cells: Any, device: Any) -> Tensor:
        if cells is not None:
            next(cells)
        tensor = wrap(array, device)
        tensor._node = self.edges[k]
        return tensor


class Kept:
    """One tensor that something beside the tape's operations saved, with its place on the tape.

    Attributes:
        output: the number of the output of the saving step that this tensor is; None for any other tensor.
    """

    __slots__ = ("array", "cell", "device", "node", "output", "tensor", "version")

    def __init__(self, tensor: Tensor, node: Node | None, output: int | None) -> None:
        self.device, self.node, self.output = tensor._device, node, output
        hooks = packing()
        if hooks is None:
            self.tensor: weakref.ref[Tensor] | None = weakref.ref(tensor)
            self.array = tensor._array
            self.cell, self.version = tensor._cell, tensor._cell[0]
        else:
            seen = wrap(tensor._array, tensor._device)
            seen._node = node
            self.tensor, self.array, self.cell, self.version = None, hooks.pack(seen), [0], 0

    def unpack(self, name: str, made_by: Node | None = None) -> Tensor:
        """The tensor again: the very one, where it is still there and on the same place of the tape.

        Args:
            name: of the operation, for errors.
            made_by: the node of the tensor where it is an output.

        Raises:
            RuntimeError: it was changed in place since.
        """
        if self.cell[0] != self.version:
            kind = f"{dtypes.of(self.array.dtype).name}{list(self.array.shape)}"
            raise RuntimeError(
                f"{name}: a tensor ({kind}) that it saved for backward was changed in place afterwards (saved at "
                f"version {self.version}, now at {self.cell[0]}); write to a clone() of it instead"
            )
        node = self.node if self.output is None else made_by
        tensor = None if self.tensor is None else self.tensor()
        if tensor is not None and tensor._node is node and tensor._array is self.array:
            return tensor
        tensor = wrap(self.array.array() if type(self.array) is _Packed else self.array, self.device)
        tensor._node, tensor._cell = node, self.cell
        return tensor


def keep(tensor: Tensor, node: Node | None, output: int | None = None) -> Kept:
    """Save a tensor for later, packed where hooks are active.

    Args:
        tensor: any tensor.
        node: its node on the tape.
        output: its number among the outputs of the saving step, if it is one of them.
    """
    return Kept(tensor, node, output)
