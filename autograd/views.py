"""Views and in-place writes: several tensors over one memory, and one history for all of them.

A view remembers its base (the tensor that owns the memory), the steps from there, and the node that the base had when
the view was last looked at. A write through any of them gives the base a new node; a view whose base has moved on takes
the steps again, from the new node, when it is next used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import record
from .grad_mode import is_grad_enabled, set_grad_enabled
from .node import Node, make
from .promote import describe
from .rule import RULES, P
from .tensor import Tensor, wrap

__all__ = ["refresh", "write"]


def refresh(view: Tensor) -> Node | None:
    """Bring a view's node up to date with its base; returns the node."""
    base, steps, _ = view._view
    with set_grad_enabled(True):
        fresh = base
        for name, attributes in steps:
            fresh = getattr(P, name)(fresh, *attributes)
    view._node, view._view = fresh._node, (base, steps, base._node)
    return view._node


# The bases of views that were made while nothing was recorded, of tensors without and with a history. What such a view
# looks at is not known, and must not be kept alive; but a recorded write through it would escape that tensor's history.
UNSEEN, SEALED = (wrap(np.empty(0), None) for _ in range(2))


def unrecorded(x: Tensor) -> tuple[Tensor, tuple[()], None]:
    """The view record of an unrecorded view of ``x``."""
    sealed = x._node is not None or (x._view is not None and x._view[0] is SEALED)
    return (SEALED if sealed else UNSEEN), (), None


record.GLOBALS.update(refresh=refresh, unrecorded=unrecorded)


def write(name: str, target: Tensor, compute: Callable[..., Any], *operands: Any) -> Tensor:
    """Replace the content of ``target`` by ``compute(target, *operands)``, on the tape and in memory.

    Args:
        name: the operation as the user called it, such as ``add_``.
        target: the tensor to write to, and everything that shares its memory.
        compute: the same operation out of place.

    Raises:
        RuntimeError: a leaf that requires grad, a view that was not recorded, memory seen several times, or a result
            of another shape or type.
    """
    recording = is_grad_enabled()
    base = target if target._view is None else target._view[0]
    if recording and base._node is not None and base._node.edges is None:
        what = "a leaf" if base is target else "a view of a leaf"
        raise RuntimeError(
            f"{name}: {what} that requires grad may not be written in place; "
            "do it under no_grad(), or on a clone() or detach() of it"
        )
    _refuse_overlap(name, target)
    result = compute(target, *operands)
    _refuse_result(name, target, result)
    if result._array.dtype != target._array.dtype:
        result = P.cast(result, target._array.dtype)
    made_by = result._current()
    if recording and (base is SEALED or (base is UNSEEN and made_by is not None)):
        raise RuntimeError(
            f"{name}: this view was made under no_grad(), so the history of what it looks at cannot follow the write; "
            "make the view where gradients are recorded, or write under no_grad() as well"
        )
    if made_by is not None and made_by.cells:
        _keep_old(made_by, target)
    target._device.backend.assign(target._array, result._array)
    target._cell[0] += 1
    if recording:
        _rebase(target, base, made_by)
    return target


def _rebase(target: Tensor, base: Tensor, made_by: Node | None) -> None:
    """Hang the new content of ``target`` on the history of its base."""
    if base is UNSEEN:
        return
    if target is base:
        target._node = _watch(target, made_by)
        return
    before = base._node
    if before is not None or made_by is not None:
        steps = target._view[1]
        base._node = make(RULES["view_scatter"], (before, made_by), ((steps,), (steps,)), (), None, base._device)
    refresh(target)


def _keep_old(node: Node, target: Tensor) -> None:
    """Give the step a copy of what it saved of ``target``, which is about to be overwritten."""
    rule, cells, copy = node.rule, list(node.cells), None
    rows, at = [], 0
    for names, values in zip(rule.saves, (node.saved,) if rule.joint else node.saved, strict=True):
        row = list(values or ())
        for i, name in enumerate(names if values is not None else ()):
            if name not in rule.inputs and name != "out":
                continue
            if row[i] is target._array:
                copy = target._device.backend.copy(target._array) if copy is None else copy
                row[i], cells[at] = copy, [0]
            at += len(row[i]) if name == rule.variadic else 1
        rows.append(None if values is None else tuple(row))
    if copy is not None:
        node.saved = rows[0] if rule.joint else tuple(rows)
        node.cells, node.version = tuple(cells), sum(c[0] for c in cells)


def _watch(target: Tensor, made_by: Node | None) -> Node | None:
    """Where the operation saved its own result, that result is now this tensor's memory: count its writes."""
    if made_by is not None and made_by.edges is not None and made_by.saved is not None:
        rule = made_by.rule
        if any("out" in names for names in rule.saves) and len(made_by.cells) == 1:
            made_by.cells, made_by.version = (target._cell,), target._cell[0]
    return made_by


def _refuse_overlap(name: str, target: Tensor) -> None:
    array = target._array
    strides = getattr(array, "strides", ())
    if array.size and any(s == 0 and n > 1 for s, n in zip(strides, array.shape, strict=False)):
        raise RuntimeError(
            f"{name}: the tensor {describe(target)} is expanded, several of its elements are one place in memory; "
            "write to a clone() of it"
        )


def _refuse_result(name: str, target: Tensor, result: Tensor) -> None:
    if result._array.shape != target._array.shape:
        raise RuntimeError(
            f"{name}: the result has shape {list(result.shape)} and cannot be written into {describe(target)}"
        )
    have, want = result.dtype, target.dtype
    if have.category > want.category:
        raise RuntimeError(f"{name}: a result of type {have.name} cannot be written into a tensor of type {want.name}")


def overwrite(target: Tensor, value: Any) -> Tensor:
    """``target`` with every element replaced by ``value`` (a tensor that broadcasts to it), out of place."""
    device = target._device
    if not isinstance(value, Tensor):
        value = wrap(device.backend.from_host(np.asarray(value)), device)
    if value._array.dtype != target._array.dtype:
        value = P.cast(value, target._array.dtype)
    if value._device is not device:
        value = P.transfer(value, value._device, device)
    return P.overwrite(target, value)
