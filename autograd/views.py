"""Views: several tensors over one memory, and one history for all of them.

A view remembers its base (the tensor that owns the memory), the steps from there, and the node that the base had when
the view was last looked at. A write through any of them gives the base a new node; a view whose base has moved on takes
the steps again, from the new node, when it is next used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import record
from .grad_mode import recording
from .names import named
from .node import Node, leaf
from .rule import P
from .tensor import Tensor, wrap

__all__ = [
    "HIDDEN", "SEALED", "UNSEEN", "Part", "Sealed", "follow", "kind_of_steps", "look_again", "own", "part", "refresh",
    "seal", "unrecorded",
]  # fmt: skip


def refresh(view: Tensor) -> Node | None:
    """Bring a view's node up to date with its base, which has been written; returns the node.

    Raises:
        RuntimeError: the view is one of several that were made at once, or was made while nothing was recorded.
    """
    follow(view)
    base, steps, _ = view._view
    if any([type(attributes) is Sealed for _, attributes in steps]):
        return _look_unrecorded(view)
    written = base._node is not None and base._node.edges is not None
    if written and any([type(attributes) is Part for _, attributes in steps]):
        raise RuntimeError(
            "this is one of several views that were made at once (by split, chunk, unbind, iteration), and its base or "
            "another view of it was written in place since; make the view by indexing, or write to a clone()"
        )
    return look_again(view)


def look_again(view: Tensor) -> Node | None:
    """Take the steps from a view's base to it once more."""
    base, steps, _ = view._view
    with recording():
        fresh = base
        for name, attributes in steps:
            fresh = getattr(P, name)(fresh, *attributes)
    if steps and not steps[-1][0].startswith("view_as_"):
        named(fresh, "AsStridedBackward0")  # as PyTorch takes them, at once
    view._node, view._view = fresh._node, (base, steps, base._node)
    return view._node


def _look_unrecorded(view: Tensor) -> Node | None:
    """The node of a view that was made while nothing was recorded.

    It requires grad as its base does, but no gradient gets from it to the base: it ends in a node of its own.
    """
    base, steps, seen = view._view
    node = base._node
    if node is None:
        view._node, view._view = None, (base, steps, None)
        return None
    if seen != view._cell[0] if type(seen) is int else node.edges is not None:
        raise RuntimeError(
            "a view that was made under no_grad() or inference_mode() is used where gradients are recorded, and its "
            "base or another view of it was written in place since; make the view where gradients are recorded, or "
            "take a detach() of it"
        )
    if type(seen) is not int:
        view._view = (base, steps, view._cell[0])
    return leaf(view._device, view._array.dtype) if view._node is None else view._node


class Part(tuple[Any, ...]):
    """The attributes of a step to one of several views that were made at once."""

    __slots__ = ()


def part(view: Tensor) -> Tensor:
    """Mark a view as one of several made at once: where gradients are recorded PyTorch lets nobody write to it."""
    if view._view is not None and view._view[1]:
        base, (*steps, (name, attributes)), seen = view._view
        if type(attributes) is not Sealed:
            view._view = (base, (*steps, (name, Part(attributes))), seen)
    return view


def own(made: Tensor, *given: Tensor) -> Tensor:
    """``made`` as a tensor of its own where it is a view of what an operation made on its way, not of the user's."""
    if all([x._cell is not made._cell for x in given]):
        made._view = None
    return made


def follow(view: Tensor) -> None:
    """Let a view whose base was turned refer to the hidden one that took the base's place."""
    if view._view is not None and view._view[0]._view is not None:
        base, steps, seen = view._view
        view._view = (base._view[0], steps, seen)


class Sealed(tuple[Any, ...]):
    """The attributes of steps that were taken while nothing was recorded: they are not taken again."""

    __slots__ = ()


HIDDEN = (("sealed", Sealed()),)


def unrecorded(x: Tensor) -> tuple[Tensor, tuple[Any, ...], int | None]:
    """The view record of a view of ``x`` that is made while nothing is recorded.

    In the place of the base's node, if there is one, stands the version of the memory, so that it never is that node.
    """
    view = x._view
    base = x if view is None else view[0]
    return base, HIDDEN, None if base._node is None else x._cell[0]


def kind_of_steps(steps: tuple[tuple[str, tuple[Any, ...]], ...]) -> type[tuple[Any, ...]]:
    """What the attributes of one step that stands for several must be."""
    kinds = [type(attributes) for _, attributes in steps]
    return Sealed if Sealed in kinds else Part if Part in kinds else tuple


# The bases of views that a function of the user's made of tensors without and with a history: what such a view looks at
# is that function's business, but a recorded write through it would escape the history.
UNSEEN, SEALED = (wrap(np.empty(0), None) for _ in range(2))


def seal(x: Tensor) -> tuple[Tensor, tuple[()], None]:
    """The view record of a view of ``x`` that a function of the user's returns."""
    sealed = x is SEALED or x._node is not None or (x._view is not None and x._view[0] is SEALED)
    return (SEALED if sealed else UNSEEN), (), None


record.GLOBALS.update(refresh=refresh, unrecorded=unrecorded)
