"""Reading the files that ``save`` and PyTorch write."""

from __future__ import annotations

import io
import os
import pickle
import struct
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ...autograd.ops.memory import TypedStorage, UntypedStorage
from ...backends import device as Device
from ...backends import device_of, dtypes
from .damage import broken
from .locations import restorer
from .machine import run
from .names import READ, StorageType, explain
from .trust import trusted

if TYPE_CHECKING:
    from .archive import ArchiveReader

__all__ = ["load"]

ZIP = b"PK\x03\x04"
MAGIC, LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001  # how files of before PyTorch 1.6 begin

Read = Callable[[Any], Any]


def load(
    f: Any, map_location: Any = None, pickle_module: Any = None, *, weights_only: bool | None = None,
    mmap: bool | None = None, **pickle_load_args: Any,
) -> Any:  # fmt: skip
    """Read an object from a file that ``tapegrad.save`` or ``torch.save`` has written.

    Args:
        f: a path, or a seekable file opened in binary.
        map_location: where tensors go: a device or its name, a dictionary from saved names to new ones, or a function
            of a storage and its saved name that returns a storage (or None for the saved place). None: where they were.
        pickle_module: what unpickles where ``weights_only`` is False; ``pickle`` if None.
        weights_only: True, the default: only tensors, numbers, strings and containers, and what ``add_safe_globals``
            named; nothing of the file is run. False: any object. That runs what the file says: for trusted files only.
        mmap: True leaves the numbers in the file until they are used; ``f`` must be a path.
        pickle_load_args: of the unpickler, such as ``encoding``.

    Raises:
        pickle.UnpicklingError: ``weights_only`` forbids something that the file names.
        RuntimeError: the file is damaged, or holds what has no counterpart here, or tensors of a device that is not
            here. EOFError: the file is empty.
    """
    if weights_only is None:
        weights_only = pickle_module is None
    if weights_only and pickle_module is not None:
        raise RuntimeError("load: pickle_module is for weights_only=False; leave it out")
    path = isinstance(f, (str, os.PathLike))
    if mmap and not path:
        raise ValueError(f"load: mmap=True needs a path, not {type(f).__name__}")
    if not path and not (hasattr(f, "read") and hasattr(f, "seek")):
        raise AttributeError(f"load: f must be a path or a seekable file with a method 'read', not {type(f).__name__}")
    if path and os.fspath(f).endswith(".safetensors"):
        return _load_safetensors(f, map_location)
    restore = restorer(map_location)
    module = pickle_module or pickle

    def read(source: Any, persistent_load: Callable[[Any], Any]) -> Any:
        if weights_only:
            return run(source, trusted(), persistent_load)
        return _unpickle(source, module, persistent_load, pickle_load_args)

    if path:
        with open(f, "rb") as file:
            return _load(file, str(f), read, restore, f if mmap else None)
    whole = f if hasattr(f, "readinto") and not f.tell() else io.BytesIO(f.read())
    return _load(whole, getattr(f, "name", "the file"), read, restore, None)


def _load_safetensors(path: Any, map_location: Any) -> Any:
    """A file of the other format, which PyTorch's ``load`` knows by its name too."""
    from .safetensors import load_file

    if map_location is not None and not isinstance(map_location, (str, Device)):
        raise RuntimeError("load: map_location of a safetensors file must be a device or its name")
    return load_file(path, "cpu" if map_location is None else map_location)


def _load(file: IO[bytes], name: Any, read: Callable[..., Any], restore: Callable[..., Any], mapped: Any) -> Any:
    start = file.read(4)
    file.seek(0)
    if not start:
        raise EOFError(f"load: {name} is empty")
    if start == ZIP:
        from .archive import ArchiveReader  # imports zipfile, which a program that loads nothing does not need

        return _load_archive(ArchiveReader(file, str(name)), read, restore, mapped)
    if mapped is not None:
        raise RuntimeError(f"load: mmap=True needs a file of PyTorch 1.6 or later, which {name} is not")
    return _load_legacy(io.BytesIO(file.read()), str(name), read, restore)


def _load_archive(archive: ArchiveReader, read: Callable[..., Any], restore: Callable[..., Any], mapped: Any) -> Any:
    order = archive.read("byteorder") if archive.has("byteorder") else b"little"
    if order not in (b"little", b"big"):
        raise broken(archive.name, f"the order of bytes is {order!r}")
    swapped = (order == b"little") is not np.little_endian
    made: dict[str, UntypedStorage] = {}

    def persistent_load(described: Any) -> Any:
        kind, key, location, length = _described(described, 5)
        size = length * (1 if kind.dtype is None else kind.dtype.itemsize)
        if key not in made:
            name = f"data/{key}"
            array = archive.read_array(name, size) if mapped is None else archive.map_array(name, size, mapped)
            array = _swapped(array, kind.dtype) if swapped else array
            made[key] = restore(UntypedStorage(array, device_of("cpu"), [0]), location)
        found = made[key]
        if found.nbytes() < size:
            raise broken(archive.name, f"the memory {key} has two sizes")
        return found if kind.dtype is None else TypedStorage(found, kind.dtype)

    return read(archive.read("data.pkl"), persistent_load)


def _described(described: Any, parts: int) -> Any:
    """The kind, key, place and length of a memory, checked."""
    if not (isinstance(described, tuple) and len(described) >= parts and described[0] == "storage"):
        raise pickle.UnpicklingError(f"load: {str(described)[:80]!r} describes no memory")
    kind, key, location, length = described[1:5]
    if not (isinstance(kind, StorageType) and isinstance(location, str) and type(length) is int and length >= 0):
        raise pickle.UnpicklingError(f"load: {str(described)[:80]!r} describes no memory")
    return kind, str(key), location, length


def _swapped(array: Any, dtype: dtypes.dtype | None) -> Any:
    if dtype is None:
        raise RuntimeError("load: memory without an element type cannot be read from a machine of other byte order")
    width = dtype.itemsize // (2 if dtype.is_complex else 1)
    return array.view(f"u{width}").byteswap().view(np.uint8)


def _unpickle(source: Any, module: Any, persistent_load: Callable[[Any], Any], options: dict[str, Any]) -> Any:
    """Run a pickle that is trusted."""

    class Unpickler(module.Unpickler):  # type: ignore[misc]
        def find_class(self, name: str, attribute: str) -> Any:
            found = READ.get((name, attribute))
            if found is None and (why := explain(name, attribute)):
                raise pickle.UnpicklingError(why)
            return super().find_class(name, attribute) if found is None else found

    unpickler = Unpickler(io.BytesIO(source) if isinstance(source, bytes) else source, **options)
    unpickler.persistent_load = persistent_load
    return unpickler.load()


# Files of before PyTorch 1.6: pickles one after another, then the numbers


def _load_legacy(file: io.BytesIO, name: str, read: Callable[..., Any], restore: Callable[..., Any]) -> Any:
    def plain() -> Any:
        return run(file, {}, lambda described: None)

    try:
        magic = plain()
    except pickle.UnpicklingError:
        magic = None
    if magic != MAGIC:
        raise RuntimeError(
            f"load: {name} is no file of tapegrad.save or torch.save: it begins neither as a zip file nor as one of "
            "before PyTorch 1.6 (tar files of before 0.1.10 are not read; load and save them anew with PyTorch)"
        )
    version, system = plain(), plain()
    if version != LEGACY_VERSION or not system.get("little_endian", True):
        raise RuntimeError(f"load: {name} is of version {version} or of a machine of other byte order; save it anew")
    made: dict[str, tuple[UntypedStorage, int]] = {}

    def persistent_load(described: Any) -> Any:
        kind, key, location, length = _described(described, 5)
        if len(described) > 5 and described[5] is not None:
            raise RuntimeError("load: memory that looks at other memory (of before PyTorch 0.4); save the file anew")
        width = 1 if kind.dtype is None else kind.dtype.itemsize
        if key not in made:
            if length * width > len(file.getbuffer()):
                raise broken(name, f"a memory of {length * width} bytes is larger than the file")
            blank = UntypedStorage(np.zeros(length * width, np.uint8), device_of("cpu"), [0])
            made[key] = restore(blank, location), width
        found = made[key][0]
        return found if kind.dtype is None else TypedStorage(found, kind.dtype)

    found = read(file, persistent_load)
    for key in plain():
        storage, width = made.get(key, (None, 1))
        head = file.read(8)
        if len(head) < 8 or storage is None or struct.unpack("<q", head)[0] * width != storage.nbytes():
            raise broken(name, f"the memory {key} is missing or of another size")
        data = file.read(storage.nbytes())
        if len(data) != storage.nbytes():
            raise broken(name, f"the memory {key} is cut off")
        if data:
            storage._bytes()[:] = storage.device.backend.from_host(np.frombuffer(data, np.uint8))
    return found
