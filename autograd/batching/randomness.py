"""Random numbers inside of ``vmap``: as each level's ``randomness`` says."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ...backends.memory import explain
from ..rule import P
from ..tensor import Tensor, wrap
from .level import Batched, Level, entered, place_of

__all__ = ["draw", "draw_by", "refuse_random"]

Shape = tuple[int, ...]


def refuse_random(name: str) -> None:
    """Refuse a random operation where a level of ``vmap`` asks for that.

    Raises:
        RuntimeError: inside of ``vmap(..., randomness="error")``.
    """
    for level in entered():
        if level.randomness == "error":
            raise RuntimeError(
                f"vmap: called the random operation '{name}' while in randomness error mode; say "
                "vmap(..., randomness='different') for other numbers for each element of the batch, or 'same'"
            )


def _explained(drawing: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function of an operation's name and more, whose refusal by the memory limit tells what the limit allows."""

    @wraps(drawing)
    def told(name: str, *args: Any) -> Tensor:
        try:
            return drawing(name, *args)
        except MemoryError as error:
            explain(name, error)
            raise

    return told


@_explained
def draw(name: str, shape: Shape, make: Callable[[Shape], Tensor]) -> Tensor:
    """Random numbers of a shape, for each element of the batch where the levels of ``vmap`` say so.

    Args:
        name: the operation, for the error.
        shape: without the batch.
        make: draws numbers of a shape.

    Raises:
        RuntimeError: "error". MemoryLimitError: the limit of memory allows no array of that size.
    """
    if not entered():
        return make(shape)
    refuse_random(name)
    levels = [level for level in entered() if level.randomness == "different"]
    return _batched(make((*[level.size for level in levels], *shape)), levels)


def _batched(made: Tensor, levels: list[Level]) -> Tensor:
    """A tensor whose first axes are the batches of ``levels`` as a batched one."""
    while isinstance(made._array, Batched) and not made._array.batched:  # it was made for the device of a level
        made = made._array.value
    for level in levels:
        made = wrap(Batched(made, True), level.device(place_of(made._device)))
    return made


@_explained
def draw_by(name: str, parameters: list[Tensor], make: Callable[..., Tensor]) -> Tensor:
    """Random numbers whose parameters are tensors, element by element or row by row, of which some may be batched.

    Args:
        name: the operation, for the error.
        parameters: they broadcast where there are several.
        make: draws from the parameters without batches.

    Raises:
        RuntimeError: "error", or batched parameters with "same". MemoryLimitError: as for ``draw``.
    """
    if not entered():
        return make(*parameters)
    refuse_random(name)
    levels = entered()
    rank = max(t._array.ndim for t in parameters)
    if any(level.randomness == "same" and any(_batched_at(t, level) for t in parameters) for level in levels):
        raise RuntimeError(
            f"vmap: '{name}' of a batched tensor has no numbers that are the same for all elements of the batch; "
            "use randomness='different'"
        )
    wanted = [level for level in levels if level.randomness == "different"]
    if not wanted:
        return make(*[_plain(t, [], rank) for t in parameters])
    return _batched(make(*[_plain(t, wanted, rank) for t in parameters]), wanted)


def _batched_at(x: Tensor, level: Level) -> bool:
    while isinstance(x._array, Batched):
        if x._device is level.device(place_of(x._device)) and x._array.batched:
            return True
        x = x._array.value
    return False


def _plain(x: Tensor, levels: list[Level], rank: int) -> Tensor:
    """The tensor without its batches: they become its first axes, those of all levels, the outermost first."""
    x = x.detach()
    shape = (*(1,) * (rank - x._array.ndim), *x._array.shape)
    if x._array.shape != shape:
        x = P.reshape(x, shape)
    return _opened(x, levels)


def _opened(x: Tensor, levels: list[Level]) -> Tensor:
    if not levels:
        while isinstance(x._array, Batched):
            x = x._array.value
        return x
    *outer, level = levels
    held = x._array
    if isinstance(held, Batched) and x._device.depth >= level.depth:
        if x._device.depth > level.depth:  # of a level where nothing differs
            return _opened(held.value, levels)
        value = held.value if held.batched else P.expand(held.value, (level.size, *held.value._array.shape))
    else:
        value = P.expand(x, (level.size, *x._array.shape))
    return _opened(value, outer)
