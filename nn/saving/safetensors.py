"""Files of the safetensors format: tensors by name, and nothing that could be run.

Needs the package ``safetensors`` (``pip install tapegrad[safetensors]``).
"""

from __future__ import annotations

import os
from collections import defaultdict
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from ...autograd import Tensor
from ...autograd.tensor import wrap
from ...backends import device_of, dtypes
from .atomic import written
from .damage import broken

__all__ = ["load", "load_file", "load_model", "save", "save_file", "save_model"]

NAMES = {
    "BOOL": dtypes.bool_, "U8": dtypes.uint8, "I8": dtypes.int8, "I16": dtypes.int16, "I32": dtypes.int32,
    "I64": dtypes.int64, "U16": dtypes.uint16, "U32": dtypes.uint32, "U64": dtypes.uint64, "F16": dtypes.float16,
    "BF16": dtypes.bfloat16, "F32": dtypes.float32, "F64": dtypes.float64, "C64": dtypes.complex64,
}  # fmt: skip


def _package(part: str = "") -> ModuleType:
    try:
        return import_module(f"safetensors.{part}" if part else "safetensors")
    except ImportError as error:
        raise ImportError(
            "safetensors: needs the package 'safetensors', which is not installed: pip install 'tapegrad[safetensors]'"
        ) from error


def save(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these tensors.

    Args:
        tensors: by name; no two may share memory (``save_model`` copes with those of a module).
        metadata: text by name, kept in the file's head.

    Raises:
        ValueError: something else than tensors, or an element type that the format does not have.
        RuntimeError: tensors that share memory.
    """
    serialize = _package("numpy").save
    _check(tensors)
    arrays = {}
    for name, x in tensors.items():
        # The package writes memory from the first byte to the last, whatever the strides: only C order is right.
        array = x._device.backend.to_host(x._array)
        arrays[name] = np.require(array, requirements="C").reshape(array.shape)
    found: bytes = serialize(arrays, metadata)
    return found


def _check(tensors: Any) -> None:
    if not isinstance(tensors, dict):
        raise ValueError(f"safetensors: expected a dict of [str, Tensor], got {type(tensors).__name__}")
    for name, x in tensors.items():
        if not isinstance(x, Tensor):
            raise ValueError(f"safetensors: '{name}' is no tensor but {type(x).__name__}; only tensors can be saved")
        if x.dtype not in NAMES.values():
            raise ValueError(f"safetensors: '{name}' has type {x.dtype.name}, which the format does not have")
    shared = [sorted(names) for names in _sharing(tensors) if len(names) > 1]
    if shared:
        raise RuntimeError(
            f"safetensors: these tensors share memory: {shared}. The format cannot say so: save clone()s, or the "
            "module with save_model, which keeps one of them"
        )


def _sharing(tensors: dict[str, Tensor]) -> list[list[str]]:
    """The names in groups that share memory."""
    places: defaultdict[Any, list[str]] = defaultdict(list)
    for name, x in tensors.items():
        storage = x.untyped_storage()
        key = (x.device, storage.data_ptr()) if x._array.size else name
        places[key].append(name)
    groups = []
    for names in places.values():
        apart: list[tuple[int, int, list[str]]] = []  # parts of one memory that do not meet are not shared
        for low, high, name in sorted((*_span(tensors[n]), n) for n in names):
            if apart and low < apart[-1][1]:
                begin, end, group = apart[-1]
                apart[-1] = begin, max(end, high), [*group, name]
            else:
                apart.append((low, high, [name]))
        groups += [group for *_, group in apart]
    return groups


def _span(x: Tensor) -> tuple[int, int]:
    """The first byte of a tensor in memory, and the one after its last."""
    low = x.data_ptr()
    reach = sum((n - 1) * s for n, s in zip(x._array.shape, x._array.strides)) if x._array.size else 0
    return low, low + reach + x.dtype.itemsize


def save_file(
    tensors: dict[str, Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Write a file with these tensors; as ``save``. The name stands for the old file or for the complete new one."""
    data = save(tensors, metadata)
    with written(filename) as file:
        file.write(data)


def load(data: bytes) -> dict[str, Tensor]:
    """The tensors of the bytes of a file, on the CPU.

    Raises:
        RuntimeError: the bytes are damaged, or hold an element type that tensors do not have.
    """
    return _loaded(data, "the data", "cpu")


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """The tensors of a file.

    Args:
        filename: its path.
        device: where the tensors go.

    Raises:
        RuntimeError: the file is damaged, or holds an element type that tensors do not have.
    """
    with open(filename, "rb") as file:
        return _loaded(file.read(), str(filename), device)


def _loaded(data: bytes, name: str, device: Any) -> dict[str, Tensor]:
    package = _package()
    try:
        found = package.deserialize(data)
    except package.SafetensorError as error:
        raise broken(name, error) from error
    where, out = device_of(device), {}
    for key, described in sorted(found, key=lambda item: item[0]):  # the package gives them in any order
        dtype = NAMES.get(described["dtype"])
        if dtype is None:
            raise RuntimeError(f"safetensors: '{key}' has type {described['dtype']}, which tensors do not have here")
        array = np.frombuffer(bytearray(described["data"]), np.uint8).view(dtype.numpy).reshape(described["shape"])
        out[key] = wrap(where.backend.from_host(array), where)
    return out


def save_model(
    model: Any, filename: str | os.PathLike[str], metadata: dict[str, str] | None = None, force_contiguous: bool = True
) -> None:
    """Write the state of a module. Of parameters that share memory one is kept; the head names what it stands for.

    Args:
        model: the module.
        filename: a path.
        metadata: text by name.
        force_contiguous: accepted; tensors are always written row by row.

    Raises:
        RuntimeError: tensors that share a part of their memory only.
    """
    state = dict(model.state_dict())
    notes = dict(metadata or {})
    for names in _sharing(state):
        kept = _complete(state, names)
        for name in sorted(set(names) - {kept}):
            notes.setdefault(name, kept)
            del state[name]
    save_file(state, filename, notes)


def _complete(state: dict[str, Tensor], names: list[str]) -> str:
    """Of tensors that share memory the one that is kept: the first by name of those that are all of it."""
    if len(names) == 1:
        return names[0]
    alike = {(_span(state[n]), tuple(state[n].shape), state[n]._array.strides) for n in names}
    if len(alike) > 1:
        raise RuntimeError(
            f"safetensors: {sorted(names)} share a part of their memory only; save clone()s with save_file"
        )
    return min(names)


def load_model(
    model: Any, filename: str | os.PathLike[str], strict: bool = True, device: Any = "cpu"
) -> tuple[set[str], list[str]]:
    """Load the state of a module from a file.

    Args:
        model: the module.
        filename: a path.
        strict: refuse names that are missing or not known.
        device: where the file's tensors go first.

    Returns:
        The names that the file lacks, without those that share memory with one that it has, and those of the file that
        the module does not know.

    Raises:
        RuntimeError: with ``strict``, missing or unknown names; other shapes.
    """
    state = load_file(filename, device)
    missing, unexpected = model.load_state_dict(state, strict=False)
    lacking = set(missing)
    for names in _sharing(dict(model.state_dict())):
        if set(names) & set(state):
            lacking -= set(names)
    if strict and (lacking or unexpected):
        raise RuntimeError(
            f"safetensors: {filename} does not fit {type(model).__name__}: missing {sorted(lacking)}, "
            f"unknown {sorted(unexpected)}"
        )
    return lacking, list(unexpected)
