"""Writes where memory is shared: several elements of the target in one place, operands that overlap it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .grad_mode import is_recording
from .promote import describe
from .tensor import Tensor, wrap

__all__ = ["AT_INDICES", "assign_places", "is_repeated", "may_share", "refuse_partial", "refuse_repeated"]

# What writes values at indices: they may not be the target itself
AT_INDICES = frozenset({"setitem", "index_add_", "index_copy_", "index_put_", "put_", "scatter_", "scatter_add_"})
# What may write to some elements of a tensor that is expanded, or of one that sees its memory repeatedly.
FILLS = frozenset({"setitem", "index_fill_", "index_put_", "masked_fill_", "tril_", "triu_"})
PLACES = frozenset({"index_copy_", "masked_scatter_", "put_", "scatter_"})


def refuse_repeated(name: str, target: Tensor, whole: bool, operands: tuple[Any, ...]) -> bool:
    """Whether several elements of ``target`` are one place, so that only the elements that get a value are written.

    Args:
        whole: whether every element gets a value that does not depend on what was there.

    Raises:
        RuntimeError: what such a write leaves is not defined, or it has a history to take along.
    """
    array = target._array
    if array.flags.c_contiguous or not array.size:
        return False
    steps = [(abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1]
    if not is_repeated(steps):
        return False
    expanded = any([s == 0 for s, _ in steps])
    if whole and (not expanded or (name in ("fill_", "zero_") and not isinstance(operands[0], Tensor))):
        return False
    allowed = FILLS if expanded else FILLS | PLACES
    followed = is_recording() and any([isinstance(x, Tensor) and x.requires_grad for x in (target, *operands)])
    if not whole and name in allowed and not followed:
        return True
    raise RuntimeError(
        f"{name}: the tensor {describe(target)} {'is expanded' if expanded else 'sees its memory repeatedly'}, "
        "several of its elements are one place in memory; write to a clone() of it"
    )


def assign_places(name: str, target: Tensor, result: Tensor, compute: Any, operands: tuple[Any, ...]) -> None:
    """Write those elements of ``result`` to ``target`` that do not depend on what was there."""
    device = target._device
    backend, old = device.backend, target._array
    zeros, ones = (
        compute(wrap(backend.filled(old.shape, value, old.dtype), device), *operands)._array for value in (0, 1)
    )
    written = (zeros == ones) | ((zeros != zeros) & (ones != ones))
    if not bool((written | (result._array == old) | (old != old)).all()):
        raise RuntimeError(
            f"{name}: several elements of the tensor {describe(target)} are one place in memory, and cannot be added "
            "up there; write to a clone() of it"
        )
    old[written] = result._array[written]


def is_repeated(steps: list[tuple[int, int]]) -> bool:
    """Whether several elements of a tensor are one place in memory.

    Args:
        steps: stride and size of each dimension that has several places.
    """
    steps, reach = sorted(steps), 0
    for stride, n in steps:
        if stride <= reach:
            break
        reach += (n - 1) * stride
    else:
        return False
    if steps[0][0] == 0:
        return True
    places = np.zeros(1, np.int64)  # the dimensions interlock: count the places
    for stride, n in steps:
        places = (places[:, None] + np.arange(n) * stride).reshape(-1)
    return np.unique(places).size < places.size


def refuse_partial(name: str, target: Tensor, other: Tensor, wholly: bool = False) -> None:
    """Refuse an operand that shares some of the memory that is written to.

    Args:
        wholly: refuse one that is the target, too; one of other dimensions is refused anyhow, as in PyTorch.

    Raises:
        RuntimeError: they overlap.
    """
    if other._device is not target._device:
        return
    a, b = target._array, other._array
    same = False  # the same elements in the same order
    if (wholly or (a.ndim != b.ndim and name != "setitem")) and a.size == b.size > 0:
        same = (a.flags.c_contiguous or a.flags.f_contiguous) and (a is b or other.data_ptr() == target.data_ptr())
    if same or target._device.backend.overlaps(a, b):
        raise RuntimeError(
            f"{name}: an operand {describe(other)} shares some of its memory with the tensor {describe(target)} that "
            "is written to; pass a clone() of it"
        )


def may_share(name: str, target: Tensor, operand: Tensor) -> bool:
    """Whether PyTorch lets an operand share some memory with the target: a value that is repeated."""
    if name == "setitem":
        return operand._array.size < target._array.size
    return operand._array.ndim == 0 and name in ("fill_", "index_fill_", "masked_fill_")
