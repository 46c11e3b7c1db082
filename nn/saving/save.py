"""Writing objects to a file that PyTorch reads too."""

from __future__ import annotations

import io
import os
import pickle
import types
from collections import OrderedDict
from typing import IO, Any

import numpy as np

from ...autograd import Size, Tensor
from ...autograd.ops.memory import TypedStorage, UntypedStorage
from ...backends import device as Device
from ...backends import dtypes
from ..parameter import Buffer, Parameter, Uninitialized
from ..state import StateDict
from . import rebuild
from .atomic import written
from .names import STORAGE_TYPES, WRITTEN, StorageType

__all__ = ["save"]

PROTOCOL = 2
PYTHONS: Any = pickle._Pickler  # C's cannot write names of modules that are not there
PLAIN = {int, float, str, bool, type(None), bytes, list, tuple, dict, complex}


def save(
    obj: Any, f: Any, pickle_module: Any = pickle, pickle_protocol: int = PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
) -> None:  # fmt: skip
    """Write an object to a file: tensors, state dicts, containers of them, whole modules.

    The file is the one that ``torch.save`` writes, and ``torch.load`` reads it, except for classes that PyTorch does
    not have. Tensors that share memory share it again when loaded; a view is saved with all of its memory (save a
    ``clone()`` of a small part of a large tensor). A path names either the old file or the complete new one, also when
    the program is killed meanwhile. Gradients, hooks and histories are not saved.

    Args:
        obj: what to save.
        f: a path, or an object with a method ``write`` for bytes.
        pickle_module: accepted; ``pickle`` is what is used.
        pickle_protocol: the version of pickle's language, 2 for PyTorch's default loading.

    Raises:
        AttributeError: ``f`` is neither a path nor has it a method ``write``.
        RuntimeError: tensors that see the same memory as different types.
        ValueError: the format of before PyTorch 1.6 is asked for.
    """
    if not _use_new_zipfile_serialization:
        raise ValueError(
            "save: the format of before PyTorch 1.6 is only read; leave _use_new_zipfile_serialization=True"
        )
    if isinstance(f, (str, os.PathLike)):
        with written(f) as file:
            _write(obj, file, pickle_protocol)
    elif hasattr(f, "write"):
        _write(obj, f, pickle_protocol)
    else:
        raise AttributeError(f"save: f must be a path or have a method 'write', not {type(f).__name__}")


def _write(obj: Any, file: IO[bytes], protocol: int) -> None:
    from .archive import ArchiveWriter  # imports zipfile, which a program that saves nothing does not need

    text = io.BytesIO()
    pickler = _Pickler(text, protocol)
    pickler.dump(obj)
    with ArchiveWriter(file) as archive:
        archive.add("data.pkl", text.getbuffer())
        archive.add(".format_version", b"1")
        archive.add(".storage_alignment", b"64")
        archive.add("byteorder", b"little")
        for number, storage in enumerate(pickler.storages):
            archive.add(f"data/{number}", _little(storage))
        archive.add("version", b"3\n")


def _little(storage: TypedStorage) -> Any:
    """The bytes of a memory on the host, the lowest byte of each number first."""
    untyped = storage.untyped()
    flat = untyped._device.backend.to_host(untyped._bytes())
    if np.little_endian or storage.dtype.itemsize == 1:
        return flat
    width = storage.dtype.itemsize // (2 if storage.dtype.is_complex else 1)
    return flat.view(f"u{width}").byteswap().view(np.uint8)


class _Pickler(PYTHONS):  # type: ignore[misc]
    """Writes tensors as PyTorch's, with their memories apart.

    Attributes:
        storages: the memories, each once, by number.
    """

    dispatch = PYTHONS.dispatch.copy()

    def __init__(self, file: IO[bytes], protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: list[TypedStorage] = []
        self._numbers: dict[Any, int] = {}

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Write an object. For plain tensors, of which a file may have thousands, without the detours of the rest."""
        if type(obj) is Tensor and id(obj) not in self.memo and obj.dtype in STORAGE_TYPES and not vars(obj):
            self._save_tensor(obj)
        else:
            super().save(obj, save_persistent_id)

    def _save_tensor(self, x: Tensor) -> None:
        """What ``_reduced`` says of a tensor, in pickle's own codes."""
        storage, offset, steps = _place(x)
        word, kind, number, device, length = self.persistent_id(storage)
        for part in (rebuild.tensor, None, None, word, kind, number, device):
            self.write(pickle.MARK) if part is None else super().save(part)
        self.write(_number(length) + pickle.TUPLE + pickle.BINPERSID + _number(offset))
        for several in (x.shape, steps):
            self.write(pickle.MARK + b"".join(map(_number, several)) + pickle.TUPLE)
        self.write(pickle.NEWTRUE if x.requires_grad else pickle.NEWFALSE)
        super().save(OrderedDict)
        self.write(pickle.EMPTY_TUPLE + pickle.REDUCE + pickle.TUPLE + pickle.REDUCE)
        self.memoize(x)

    def persistent_id(self, obj: Any) -> Any:
        """The description of a memory, which is not pickled itself; None for everything else."""
        if not isinstance(obj, (TypedStorage, UntypedStorage)):
            return None
        untyped = isinstance(obj, UntypedStorage) or obj.dtype not in STORAGE_TYPES
        storage = TypedStorage(obj, dtypes.uint8) if isinstance(obj, UntypedStorage) else obj
        if storage.nbytes():
            key = (storage.device, storage.data_ptr(), storage.nbytes())
        else:
            key = len(self.storages)  # type: ignore[assignment]  # what has no memory shares none
        number = self._numbers.setdefault(key, len(self.storages))
        if number == len(self.storages):
            self.storages.append(storage)
        elif self.storages[number].dtype is not storage.dtype:
            raise RuntimeError(
                f"save: one memory is seen as {self.storages[number].dtype.name} and as {storage.dtype.name}, which "
                "the format cannot say; save a clone() of one of the tensors"
            )
        kind = STORAGE_TYPES[None if untyped else storage.dtype]
        length = storage.nbytes() if untyped else storage.size()
        return "storage", kind, str(number), str(storage.device), length

    def reducer_override(self, obj: Any) -> Any:
        """How the types that PyTorch has too are written."""
        kind = type(obj)
        if kind in PLAIN:
            return NotImplemented
        if isinstance(obj, Tensor):
            return _reduced(obj)
        if kind is StateDict:
            return OrderedDict, (), dict(vars(obj)), None, iter(obj.items())
        if kind is Size:
            return Size, (tuple(obj),)
        if kind is Device:
            return Device, (obj.type,) if obj.index is None else (obj.type, obj.index)
        return NotImplemented

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Write a class or a function by name: by PyTorch's name, where it has one."""
        theirs = WRITTEN.get(obj)
        if theirs is None:
            super().save_global(obj, name)
            return
        self.write(b"c" + "\n".join((*theirs, "")).encode("ascii"))
        self.memoize(obj)

    dispatch[types.FunctionType] = dispatch[dtypes.dtype] = dispatch[StorageType] = save_global


def _number(n: int) -> bytes:
    if 0 <= n < 256:
        return pickle.BININT1 + n.to_bytes(1, "little")
    if -(1 << 31) <= n < 1 << 31:
        return pickle.BININT + n.to_bytes(4, "little", signed=True)
    code = pickle.encode_long(n)
    return pickle.LONG1 + len(code).to_bytes(1, "little") + code


def _reduced(x: Tensor) -> tuple[Any, ...]:
    """The function and the arguments that make a tensor again, as PyTorch names them."""
    if isinstance(x, Uninitialized):
        return type(x), (x.requires_grad,)
    state = {name: value for name, value in vars(x).items() if name != "_kept_grad"}
    if isinstance(x, Parameter):
        parts: tuple[Any, ...] = (x.detach(), x.requires_grad, OrderedDict())
        if type(x) is not Parameter:
            return rebuild.from_type, (rebuild.parameter, type(x), parts, state)
        return (rebuild.parameter_with_state, (*parts, state)) if state else (rebuild.parameter, parts)
    if isinstance(x, Buffer):
        state.pop("persistent", None)
    storage, offset, steps = _place(x)
    args: tuple[Any, ...] = (storage, offset, tuple(x.shape), steps, x.requires_grad, OrderedDict())
    make: Any = rebuild.tensor
    if x.dtype not in STORAGE_TYPES:
        make, args = rebuild.tensor_of_type, (*args, x.dtype)
    kind = Tensor if type(x) is Buffer else type(x)
    return (rebuild.from_type, (make, kind, args, state)) if state or kind is not Tensor else (make, args)


def _place(x: Tensor) -> tuple[Any, int, tuple[int, ...]]:
    """The memory of a tensor, where in it the tensor begins, and its strides in elements."""
    array, item = x._array, x.dtype.itemsize
    storage = x.storage()
    owner = storage.untyped()._owner
    plain = (owner.flags.c_contiguous or owner.flags.f_contiguous) and not owner.nbytes % item
    begins = x.data_ptr() - storage.data_ptr()
    steady = all(s >= 0 and not s % item for s in array.strides) and not begins % item
    if not (plain and steady and array.size):
        # Memory that is not one piece (a NumPy array of another's with gaps) is saved without the gaps.
        array = x._device.backend.copy(array)
        storage, begins = TypedStorage(UntypedStorage(array, x._device, [0]), x.dtype), 0
    return storage, begins // item, tuple(s // item for s in array.strides)
