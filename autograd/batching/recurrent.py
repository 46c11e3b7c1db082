"""The batching rule of recurrent layers: the batch joins the sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..rule import P
from ..tensor import Tensor
from .elementwise import batch_of, expanded
from .level import Batched

__all__ = ["RECURRENT"]


def _rows(x: Batched | None, size: int) -> Tensor | None:
    """One below the other, each row of all elements of the batch before the next row."""
    if x is None:
        return None
    turned = P.permute(expanded(x, size), (1, 0, 2))
    return P.reshape(turned, (turned._array.shape[0] * size, turned._array.shape[2]))


def _recurrent(x: Batched, h: Batched, memory: Batched | None, *rest: Any) -> Tensor:
    weights, (mode, sizes, reverse) = rest[:5], rest[5:]
    size = batch_of(x, h, memory, *weights)
    if any([w is not None and w.batched for w in weights]):  # as many layers as elements
        inputs = [None if a is None else expanded(a, size) for a in (x, h, memory, *weights)]
        each = [
            P.recurrent(*[None if a is None else P.slice(a, (k,)) for a in inputs], mode, sizes, reverse)
            for k in range(size)
        ]
        return P.stack(each, 0)
    shared = [None if w is None else w.value for w in weights]
    many = tuple(n * size for n in sizes)
    out = P.recurrent(_rows(x, size), _rows(h, size), _rows(memory, size), *shared, mode, many, reverse)
    count, width = out._array.shape
    return P.permute(P.reshape(out, (count // max(size, 1), size, width)), (1, 0, 2))


RECURRENT: dict[str, Callable[..., Any]] = {"recurrent": _recurrent}
