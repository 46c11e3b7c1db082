"""PyTorch's memory layouts and formats, accepted wherever PyTorch takes them; tensors here are strided, row by row."""

from __future__ import annotations

__all__ = [
    "channels_last", "channels_last_3d", "contiguous_format", "layout", "memory_format", "preserve_format", "strided",
]  # fmt: skip


class _Named:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"tapegrad.{self._name}"

    def __reduce__(self) -> str:
        return self._name


class layout(_Named):  # noqa: N801 - PyTorch's name
    """How the elements of a tensor lie in memory: ``tapegrad.strided``."""

    __slots__ = ()


class memory_format(_Named):  # noqa: N801 - PyTorch's name
    """In which order the dimensions of a tensor lie in memory."""

    __slots__ = ()


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
