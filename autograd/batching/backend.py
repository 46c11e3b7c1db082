"""The kernels of a level of ``vmap``: each runs recording primitives on the tensors inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backends.device import device as Device
from ..rule import RULES, P, Rule
from ..steps import STEP
from ..tensor import Tensor, wrap
from ..wirtinger import conjugating
from ..writes import write
from .decompositions import DECOMPOSITIONS
from .elementwise import expanded, over_elements
from .indices import INDICES
from .level import Batched, Level, leaving
from .products import PRODUCTS
from .recurrent import RECURRENT
from .shapes import SHAPES
from .windows import WINDOWS

__all__ = ["REFUSED", "BatchingBackend", "tables"]

# Primitives that cannot be batched, and why.
REFUSED = {
    "nonzero": "the number of results depends on the values, and differs from one element of the batch to the next",
    "transfer": "move the tensors to the device before the mapped function is called",
}
RULED: dict[str, Callable[..., Tensor]] = {**SHAPES, **PRODUCTS, **INDICES, **DECOMPOSITIONS, **RECURRENT, **WINDOWS}


def _is_batched(args: Any) -> bool:
    for a in args:
        if type(a) is Batched:
            if a.batched:
                return True
        elif type(a) is list and _is_batched(a):
            return True
    return False


def _inside(a: Any) -> Any:
    if type(a) is Batched:
        return a.value
    return [_inside(v) for v in a] if type(a) is list else a


def _refusing(name: str) -> Callable[..., Tensor]:
    why = REFUSED.get(name, "write it with others inside the mapped function")

    def refuse(*args: Any) -> Tensor:
        raise RuntimeError(f"vmap: there is no batching rule for '{name}': {why}")

    return refuse


def _kernel(rule: Rule) -> Callable[..., Any]:
    """The kernel of a primitive: its batching rule, or where nothing is batched the primitive itself."""
    name, residual = rule.name, rule.residual
    plain = getattr(P, name)
    ruled = RULED.get(name) or (over_elements(rule) if rule.kind is not None else _refusing(name))
    if name == "transfer":
        plain = ruled

    def kernel(*args: Any) -> Any:
        batched = _is_batched(args)
        out = Batched(ruled(*args) if batched else plain(*map(_inside, args)), batched)
        return (out, out) if residual else out  # the second is for fused formulas, of which there are none here

    return kernel


_tables: tuple[list[Any], list[Any]] = ([], [])


def tables() -> tuple[list[Any], list[Any]]:
    """The kernels and the formulas by the primitives' places: the same for all levels."""
    global _tables
    if len(_tables[0]) != len(RULES):
        kernels: list[Any] = [None] * len(RULES)
        formulas: list[Any] = [None] * len(RULES)
        for rule in RULES.values():
            kernels[rule.index] = made = _kernel(rule)
            setattr(BatchingBackend, rule.name, staticmethod(made))
            each = [v if v is None or not rule.holomorphic else conjugating(v) for v in rule.vjps]
            formulas[rule.index] = tuple(each)
        formulas.append(STEP.vjps)
        _tables = (kernels, formulas)
    return _tables


class BatchingBackend:
    """What the engine asks of a backend, for one device of a level; ``tables`` adds the primitives."""

    name = "vmap"

    def __init__(self, level: Level, place: Device) -> None:
        self.level, self.place = level, place

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise RuntimeError(
            f"vmap: '{name}' is not possible with a batched tensor; do it outside of the mapped function"
        )

    def normal(self, out: Any) -> Any:
        return out

    def owned(self, array: Any) -> bool:
        return True  # `accumulate` writes into no memory

    def accumulate(self, target: Batched, value: Batched) -> None:
        total: Batched = self.add(target, value)
        target.value, target.batched = total.value, total.batched

    def storage(self, x: Batched) -> tuple[int, int]:
        """Where ``x`` begins in its memory, and how long that is; of a batch each element has a memory of its own."""
        if not x.batched:
            found: tuple[int, int] = x.value._device.backend.storage(x.value._array)
            return found
        return 0, 1 + sum((n - 1) * s // x.itemsize for n, s in zip(x.shape, x.strides, strict=True))

    def shares(self, a: Batched, b: Batched) -> bool:
        inner = a.value._device.backend
        return bool(inner.shares(a.value._array, b.value._array))

    def overlaps(self, a: Batched, b: Batched) -> bool:
        inner = a.value._device.backend
        return bool(inner.overlaps(a.value._array, b.value._array))

    def assign(self, target: Batched, value: Batched) -> None:
        """Write into the memory that ``target`` looks at; the tensors inside keep their history.

        Raises:
            RuntimeError: the value is batched and the target is not.
        """
        if value.batched and not target.batched:
            raise unbatched_target()
        content = value.value
        if target.batched and not value.batched:
            content = expanded(value, target.value._array.shape[0])
        write("vmap", target.value, lambda _: content)

    def draws(self, generator: Any) -> Any:
        return self.place.backend.draws(generator)

    # In and out

    def from_host(self, array: np.ndarray) -> Batched:
        place = self.place
        return Batched(wrap(place.backend.from_host(array), place), False)

    def arrive(self, array: np.ndarray, non_blocking: bool) -> Batched:
        return self.from_host(array)

    def to_host(self, array: Batched) -> np.ndarray:
        if array.batched:
            raise leaving(".item(), .numpy() or a Python number")
        host: np.ndarray = array.value._device.backend.to_host(array.value._array)
        return host

    def filled(self, shape: tuple[int, ...], value: Any, dtype: np.dtype) -> Batched:
        """A new array of one number, one for each element of the batch: what is batched may be written into it."""
        place, size = self.place, self.level.size
        return Batched(wrap(place.backend.filled((size, *shape), value, dtype), place), True)

    def counted(self, start: float, step: float, count: int, dtype: np.dtype) -> Batched:
        place = self.place
        return Batched(wrap(place.backend.counted(start, step, count, dtype), place), False)

    def spaced(self, *args: Any) -> Batched:
        return Batched(wrap(self.place.backend.spaced(*args), self.place), False)

    def identity(self, *args: Any) -> Batched:
        return Batched(wrap(self.place.backend.identity(*args), self.place), False)

    # Checks of all elements of the batch at once

    def refused(self, target: Batched, classes: int, ignore: int) -> Any:
        inner = target.value
        return inner._device.backend.refused(inner._array, classes, ignore)

    def within_unit(self, x: Batched) -> Any:
        return x.value._device.backend.within_unit(x.value._array)


def unbatched_target() -> RuntimeError:
    """The error for a write of a batched tensor into one that has no place for a batch."""
    return RuntimeError(
        "vmap: a batched tensor cannot be written in place into one that is not batched; "
        "make the target with new_zeros(), zeros_like() or clone() of a batched tensor"
    )
