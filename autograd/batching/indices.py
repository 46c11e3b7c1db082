"""Batching rules of reads and writes by index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..rule import P
from ..tensor import Tensor, wrap
from .elementwise import ALL, aligned, batch_of, expanded
from .level import Batched, place_of

__all__ = ["INDICES"]

Shape = tuple[int, ...]


class _Plan:
    """How an advanced index reads where the batch is axis 0: the index to use, and where its result's axes belong.

    The axes of index arrays take the place of the indexed axes if these lie side by side, else they come first. An
    index into a batch has one array more, the numbers of the batch's elements, or one slice more; this moves them.

    Args:
        where: the index arrays.
        places: the index, as the primitive ``index`` has it.
        over_batch: whether what is indexed has the batch as axis 0.
        size: of the batch.
    """

    def __init__(self, where: list[Batched], places: tuple[Any, ...], over_batch: bool, size: int) -> None:
        for w in where:
            if w.batched and w.dtype.kind == "b":
                raise RuntimeError(
                    "vmap: a mask that is batched selects as many elements as it has places that hold, which differs "
                    "from one element of the batch to the next; use where(mask, ...) instead"
                )
        at = [i for i, p in enumerate(places) if type(p) is tuple or type(p) is int]
        together = not at or at[-1] - at[0] == len(at) - 1
        self.rank = max([1 if w.dtype.kind == "b" else w.ndim for w in where], default=0)
        before = at[0] if together and at else 0  # what stands there are slices and new axes: one axis each
        self.where = [aligned(w, self.rank) for w in where]
        self.order: Callable[[int], Shape] | None = None
        if not any([w.batched for w in where]):
            self.places = (ALL, *places)
            if not together:
                self.order = lambda n: _moved(n, self.rank)
        elif over_batch:
            device = place_of(where[0].value._device)
            line = np.arange(size).reshape((size, *(1,) * self.rank))
            self.places = ((len(where),), *places)
            self.where.append(wrap(device.backend.from_host(line), device))
            if before:
                self.order = lambda n: _behind(n, self.rank, before)
        else:
            self.places = places
            if before:
                self.order = lambda n: _moved(n, before)

    def from_raw(self, out: Tensor) -> Tensor:
        """What the index reads, with the batch in front and the other axes where they belong."""
        return out if self.order is None else P.permute(out, self.order(out._array.ndim))

    def to_raw(self, value: Tensor) -> Tensor:
        """A value to write, with its axes as the index reads them."""
        if self.order is None:
            return value
        order = self.order(value._array.ndim)
        return P.permute(value, tuple(sorted(range(len(order)), key=order.__getitem__)))


def _moved(n: int, axis: int) -> Shape:
    """The order that brings an axis to the front."""
    return (axis, *(i for i in range(n) if i != axis))


def _behind(n: int, rank: int, before: int) -> Shape:
    """The order that brings the ``rank`` axes behind the batch further behind, by ``before`` places."""
    return (0, *range(rank + 1, rank + 1 + before), *range(1, rank + 1), *range(rank + 1 + before, n))


def _index(x: Batched, where: list[Batched], places: tuple[Any, ...]) -> Tensor:
    plan = _Plan(where, places, x.batched, batch_of(x, where))
    return plan.from_raw(P.index(x.value, plan.where, plan.places))


def _unindex(g: Batched, where: list[Batched], places: tuple[Any, ...], shape: Shape) -> Tensor:
    size = batch_of(g, where)
    plan = _Plan(where, places, True, size)
    return P.unindex(plan.to_raw(expanded(g, size)), plan.where, plan.places, (size, *shape))


def _index_put(x: Batched, value: Batched, where: list[Batched], places: tuple[Any, ...], accumulate: bool) -> Tensor:
    size = batch_of(x, value, where)
    if places == ((0,),) and where[0].batched and where[0].dtype.kind == "b" and not value.ndim:
        return _where_mask_holds(x, value, where[0], accumulate, size)
    plan = _Plan(where, places, True, size)
    taken = sum(
        where[p[0]].ndim if type(p) is tuple and where[p[0]].dtype.kind == "b" else p is not None for p in places
    )
    axes = plan.rank + sum(p is None or isinstance(p, slice) for p in places) + x.ndim - taken
    written = aligned(value, axes) if value.batched else P.slice(value.value, (None,) * (axes + 1 - value.ndim))
    return P.index_put(expanded(x, size), plan.to_raw(written), plan.where, plan.places, accumulate)


def _where_mask_holds(x: Batched, value: Batched, mask: Batched, accumulate: bool, size: int) -> Tensor:
    held = P.slice(mask.value, (*(ALL,) * (mask.ndim + 1), *(None,) * (x.ndim - mask.ndim)))
    old, new = expanded(x, size), aligned(value, x.ndim)
    return P.where(held, P.add(old, new) if accumulate else new, old)


def _take(x: Batched, rows: Batched) -> Tensor:
    return _index(x, [rows], ((0,),))


def _untake(g: Batched, rows: Batched, count: int) -> Tensor:
    return _unindex(g, [rows], ((0,),), (count, *g.shape[rows.ndim :]))


def _along(name: str, arrays: int) -> Callable[..., Tensor]:
    """Reads and writes along one axis, the last attribute: all arrays get the batch."""
    inside = getattr(P, name)

    def batched(*args: Any) -> Tensor:
        size = batch_of(*args)
        out: Tensor = inside(*[expanded(x, size) for x in args[:arrays]], *args[arrays:-1], args[-1] + 1)
        return out

    return batched


def _ungather(g: Batched, index: Batched, shape: Shape, dim: int) -> Tensor:
    size = batch_of(g, index)
    return P.ungather(expanded(g, size), expanded(index, size), (size, *shape), dim + 1)


INDICES: dict[str, Callable[..., Tensor]] = {
    "index": _index, "unindex": _unindex, "index_put": _index_put, "take": _take, "untake": _untake,
    "gather": _along("gather", 2), "ungather": _ungather,
    **{name: _along(name, 3) for name in ("scatter", "scatter_add", "scatter_amax", "scatter_amin")},
}  # fmt: skip
