"""How the named results of operations print."""

from __future__ import annotations

from typing import Any

__all__ = ["fields"]


def fields(result: Any) -> str:
    """The ``repr`` of a named tuple of tensors, one field a line, as PyTorch prints its return types."""
    name = type(result).__name__.removesuffix("_result")
    lines = ",\n".join(f"{field}={value!r}" for field, value in zip(result._fields, result, strict=True))
    return f"tapegrad.return_types.{name}(\n{lines})"
