"""The names that PyTorch's files use, and what stands for them here."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

from ...autograd import Size, Tensor
from ...autograd.layouts import strided
from ...backends import device as Device
from ...backends import dtypes
from ..parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from . import rebuild

__all__ = ["READ", "STORAGE_TYPES", "WRITTEN", "StorageType", "explain"]


class StorageType:
    """PyTorch's class of the memory of one element type; without one of plain bytes."""

    def __init__(self, name: str, dtype: dtypes.dtype | None) -> None:
        self.name, self.dtype = name, dtype

    def __repr__(self) -> str:
        return self.name


_OF_TYPE = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16, "BFloat16": dtypes.bfloat16,
    "Long": dtypes.int64, "Int": dtypes.int32, "Short": dtypes.int16, "Char": dtypes.int8, "Byte": dtypes.uint8,
    "Bool": dtypes.bool_, "ComplexFloat": dtypes.complex64, "ComplexDouble": dtypes.complex128,
}  # fmt: skip
STORAGE_TYPES: dict[dtypes.dtype | None, StorageType] = {
    None: StorageType("UntypedStorage", None),
    **{dtype: StorageType(f"{word}Storage", dtype) for word, dtype in _OF_TYPE.items()},
}


def _layout(name: str) -> Any:
    if name != "torch.strided":
        raise ValueError(f"load: tensors of the layout {name} are not supported; save x.to_dense()")
    return strided


# The first name of each object is the one that is written.
_SAME: list[tuple[str, str, Any]] = [
    ("torch._utils", "_rebuild_tensor_v2", rebuild.tensor),
    ("torch._utils", "_rebuild_tensor_v3", rebuild.tensor_of_type),
    ("torch._utils", "_rebuild_tensor", rebuild.tensor_of_old),
    ("torch._utils", "_rebuild_parameter", rebuild.parameter),
    ("torch._utils", "_rebuild_parameter_with_state", rebuild.parameter_with_state),
    ("torch._tensor", "_rebuild_from_type_v2", rebuild.from_type),
    ("torch", "Tensor", Tensor),
    ("torch.nn.parameter", "Parameter", Parameter),
    ("torch.nn.parameter", "Buffer", Buffer),
    ("torch.nn.parameter", "UninitializedParameter", UninitializedParameter),
    ("torch.nn.parameter", "UninitializedBuffer", UninitializedBuffer),
    ("torch", "Size", Size),
    ("torch", "device", Device),
    ("torch.serialization", "_get_layout", _layout),
    ("torch.storage", "UntypedStorage", STORAGE_TYPES[None]),
    *(("torch", kind.name, kind) for dtype, kind in STORAGE_TYPES.items() if dtype is not None),
    *(("torch", dtype.name, dtype) for dtype in dtypes.DTYPES),
    *(("torch.cuda", kind.name, kind) for dtype, kind in STORAGE_TYPES.items() if dtype is not None),
]
READ: dict[tuple[str, str], Any] = {(module, name): found for module, name, found in _SAME}
WRITTEN: dict[Any, tuple[str, str]] = {found: (module, name) for module, name, found in reversed(_SAME)}


def _encode(text: str, encoding: str) -> bytes:
    """Bytes as pickles of protocol 2 hold them."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"load: bytes are written as latin1, not as {encoding!r}")
    return text.encode("latin1")


def _bytearray(*content: bytes) -> bytearray:
    if content and not isinstance(content[0], bytes):
        raise ValueError(f"load: a bytearray is made of bytes, not of {type(content[0]).__name__}")
    return bytearray(*content)


# Names outside of PyTorch that do nothing but make an object.
HARMLESS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict, ("collections", "Counter"): Counter,
    ("builtins", "set"): set, ("__builtin__", "set"): set, ("builtins", "complex"): complex,
    ("__builtin__", "complex"): complex, ("builtins", "bytearray"): _bytearray,
    ("__builtin__", "bytearray"): _bytearray, ("_codecs", "encode"): _encode,
}  # fmt: skip


def explain(module: str, name: str) -> str | None:
    """Why a name of PyTorch's is not loaded, or None for a name that is none of its."""
    if module.partition(".")[0] != "torch":
        return None
    full = f"{module}.{name}"
    if module.startswith(("torch.nn.modules", "torch.nn.utils", "torch.optim")):
        return (
            f"load: the file holds an object of PyTorch's class {full}, which only PyTorch can load; load it there, "
            "save its state_dict(), and give that to load_state_dict() of the same model here"
        )
    return f"load: the file needs {full}, which has no counterpart here (an element type, layout or class of PyTorch's)"
