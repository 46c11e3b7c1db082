"""The batching rule of all element-wise primitives, and what the other rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..rule import P, Rule
from ..tensor import Tensor
from .level import Batched

__all__ = ["ALL", "aligned", "batch_of", "expanded", "over_elements", "rank_of"]

ALL = slice(None)


def batch_of(*operands: Any) -> int:
    """The size of the batch."""
    for x in operands:
        if type(x) is Batched and x.batched:
            return int(x.value._array.shape[0])
        if type(x) is list and any([v.batched for v in x]):
            return batch_of(*x)
    raise RuntimeError("vmap: nothing is batched here")


def rank_of(*operands: Any) -> int:
    """The largest number of dimensions, the batch not counted."""
    return max([x.ndim for x in operands if type(x) is Batched], default=0)


def aligned(x: Any, rank: int) -> Any:
    """The tensor inside, with axes of size 1 behind the batch until ``rank`` axes follow; numbers as they are."""
    if type(x) is not Batched:
        return x
    missing = rank - x.ndim
    return P.slice(x.value, (ALL, *(None,) * missing)) if x.batched and missing > 0 else x.value


def expanded(x: Batched, size: int) -> Tensor:
    """The tensor inside with the batch in front, also where all elements of the batch have the same."""
    return x.value if x.batched else P.expand(x.value, (size, *x.value._array.shape))


def over_elements(rule: Rule) -> Callable[..., Tensor]:
    """The operands side by side from their last axes, the batch in front."""
    inside = getattr(P, rule.name)
    count = len(rule.inputs)
    if rule.name == "overwrite":
        return _overwrite

    def batched(*args: Any) -> Tensor:
        rank = rank_of(*args[:count])
        out: Tensor = inside(*[aligned(x, rank) for x in args[:count]], *args[count:])
        return out

    return batched


def _overwrite(x: Batched, value: Any) -> Tensor:
    size = batch_of(x, value)
    return P.overwrite(expanded(x, size), aligned(value, x.ndim))
