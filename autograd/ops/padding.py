"""Padding with what the tensor holds: reflected, replicated, or from the other end."""

from __future__ import annotations

from typing import Any

from ...backends import dtypes
from ..names import named
from ..rule import P
from ..tensor import Tensor
from .args import check_tensor
from .create import tensor

__all__ = ["pad_by_index"]

WORDS = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}


def pad_by_index(input: Tensor, pad: Any, mode: str) -> Tensor:
    """``input`` with the last dimensions extended by their own elements.

    Args:
        input: one or two dimensions more than ``pad`` has pairs.
        pad: (before, after) for each dimension, from the last one on; negative numbers crop.
        mode: "reflect", "replicate" or "circular".

    Raises:
        RuntimeError: another mode, a wrong number of dimensions, or too many places.
    """
    check_tensor("pad", "input", input)
    if mode not in WORDS:
        raise RuntimeError(f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', got {mode!r}")
    if len(pad) % 2:
        raise RuntimeError(f"pad: needs pairs of numbers, got {len(pad)} numbers")
    count = len(pad) // 2
    if not 1 <= count <= 3 or input.ndim not in (count + 1, count + 2):
        raise RuntimeError(
            f"pad: mode {mode!r} pads the last 1 to 3 dimensions of a tensor that has one or two more; "
            f"got {count} pairs for shape {list(input.shape)}"
        )
    if 0 in input._array.shape[1 if input.ndim == count + 2 else 0 :]:
        raise RuntimeError(f"pad: mode {mode!r} has nothing to pad with in shape {list(input.shape)}")
    out = input
    for k in range(count):
        axis, before, after = input.ndim - 1 - k, int(pad[2 * k]), int(pad[2 * k + 1])
        line = _line(mode, input._array.shape[axis], before, after, axis)
        if before or after:
            index = tensor(line, dtype=dtypes.int64, device=input.device)
            out = P.index(out, [index], (*(slice(None),) * axis, (0,)))
    return named(P.copy(out) if out is input else out, f"{WORDS[mode]}Pad{count}DBackward0")


def _line(mode: str, size: int, before: int, after: int, axis: int) -> list[int]:
    """The places along one dimension that the padded one takes, in order."""
    most = {"reflect": size - 1, "circular": size}.get(mode)
    if most is not None and max(before, after) > most:
        raise RuntimeError(
            f"pad: mode {mode!r} can add at most {most} places to dim {axis} of size {size}, got {before} and {after}"
        )
    if size + before + after <= 0:
        raise RuntimeError(f"pad: {before} and {after} leave nothing of dim {axis} of size {size}")
    line = range(-before, size + after)
    if mode == "replicate":
        return [min(max(i, 0), size - 1) for i in line]
    if mode == "circular":  # what is left after cropping goes round
        kept = range(max(-before, 0), size + min(after, 0))
        return [kept[i % len(kept)] for i in range(-max(before, 0), len(kept) + max(after, 0))]
    return [abs(i) if abs(i) < size else 2 * (size - 1) - abs(i) for i in line]
