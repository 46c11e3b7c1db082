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
from .grad_mode import Untracked, is_recording, recording
from .node import Node, make
from .promote import describe, warn_of_lost_part
from .rule import RULES, P
from .saved import packing
from .tensor import Tensor, wrap

__all__ = ["follow", "part", "place", "refresh", "refuse_leaf", "refuse_partial", "turn", "unrecorded", "write"]


def refresh(view: Tensor) -> Node | None:
    """Bring a view's node up to date with its base, which has been written; returns the node.

    Raises:
        RuntimeError: the view is one of several that were made at once.
    """
    follow(view)
    base, steps, _ = view._view
    written = base._node is not None and base._node.edges is not None
    if written and any([type(attributes) is Part for _, attributes in steps]):
        raise RuntimeError(
            "this is one of several views that were made at once (by split, chunk, unbind, iteration), and its base or "
            "another view of it was written in place since; make the view by indexing, or write to a clone()"
        )
    return _look_again(view)


def _look_again(view: Tensor) -> Node | None:
    """Take the steps from a view's base to it once more."""
    base, steps, _ = view._view
    with recording():
        fresh = base
        for name, attributes in steps:
            fresh = getattr(P, name)(fresh, *attributes)
    view._node, view._view = fresh._node, (base, steps, base._node)
    return view._node


def turn(name: str, target: Tensor, look: Callable[[Tensor], Tensor]) -> Tensor:
    """Let ``target`` look at its memory as ``look(target)``, a view of it, does.

    A base becomes a view of a hidden one that stays as it was; its own views find that one by ``follow``.

    Raises:
        RuntimeError: a leaf that requires grad, or a view of one.
    """
    recorded = is_recording()
    if recorded:
        refuse_leaf(name, target)
    follow(target)
    if not recorded and target._current() is not None:
        target._array = look(wrap(target._array, target._device))._array  # its history stays, as in PyTorch
    else:
        seen = target
        if target._view is None:
            seen = wrap(target._array, target._device)
            seen._cell, seen._node = target._cell, target._node
        with recording():
            made = look(seen)
        target._array, target._node, target._view = made._array, made._node, made._view
    target._cell[0] += 1
    return target


class Part(tuple[Any, ...]):
    """The attributes of a step to one of several views that were made at once."""

    __slots__ = ()


def part(view: Tensor) -> Tensor:
    """Mark a view as one of several made at once: where gradients are recorded PyTorch lets nobody write to it."""
    if view._view is not None and view._view[1]:
        base, (*steps, (name, attributes)), seen = view._view
        view._view = (base, (*steps, (name, Part(attributes))), seen)
    return view


def follow(view: Tensor) -> None:
    """Let a view whose base was turned refer to the hidden one that took the base's place."""
    if view._view is not None and view._view[0]._view is not None:
        base, steps, seen = view._view
        view._view = (base._view[0], steps, seen)


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
    recorded = is_recording()
    if type(target._cell) is Untracked:
        target._cell.expect_inference(name)
    follow(target)
    base = target if target._view is None else target._view[0]
    if recorded:
        refuse_leaf(name, target)
        if base is not target and target._view[1] and target._view[1][0][0] == "as_strided":
            refresh(target)  # what it was taken from may not hold all of it; the base does
        if base is not target and base._node is not None and any([type(a) is Part for _, a in target._view[1]]):
            raise RuntimeError(
                f"{name}: one of several views that were made at once (by split, chunk, unbind, iteration) may not be "
                "written in place where gradients are recorded; make the view by indexing, or write to a clone()"
            )
    _refuse_overlap(name, target, *operands)
    if compute is overwrite or name != "setitem":  # what is written at indices is read as a whole before
        for x in operands:
            if isinstance(x, Tensor) and x is not target and x._cell is target._cell:
                if name != "setitem" or x._array.size >= target._array.size:  # PyTorch lets a repeated value pass
                    refuse_partial(name, target, x)
    if packing() is None:
        result = compute(target, *operands)
    else:  # what gets packed must not be what is overwritten
        old = wrap(target._device.backend.copy(target._array), target._device)
        old._node = target._current()
        result = compute(old, *[old if o is target else o for o in operands])
    _refuse_result(name, target, result)
    if result._array.dtype != target._array.dtype:
        result = P.cast(result, target._array.dtype)
    made_by = result._current()
    if recorded and (base is SEALED or (base is UNSEEN and made_by is not None)):
        raise _unfollowed(name)
    if made_by is not None and made_by.cells and type(made_by) is Node:
        _keep_old(made_by, target)
    target._device.backend.assign(target._array, result._array)
    target._cell[0] += 1
    if recorded:
        _rebase(target, base, made_by)
    return target


def place(name: str, target: Tensor, made_by: Node) -> None:
    """Hang a tensor that the step ``made_by`` has written in place on that step.

    Raises:
        RuntimeError: a view that was not recorded.
    """
    follow(target)
    base = target if target._view is None else target._view[0]
    if base is SEALED or base is UNSEEN:
        raise _unfollowed(name)
    _rebase(target, base, made_by)


def _unfollowed(name: str) -> RuntimeError:
    return RuntimeError(
        f"{name}: this view was made under no_grad() or in the forward of an autograd.Function, so the history of what "
        "it looks at cannot follow the write; make the view where gradients are recorded, or write under no_grad() as "
        "well"
    )


def _rebase(target: Tensor, base: Tensor, made_by: Node | None) -> None:
    """Hang the new content of ``target`` on the history of its base."""
    if base is UNSEEN:
        return
    kept = [(t, t._node) for t in (base, target) if t._node is not None and t._node.hooks is not None]
    if target is base:
        target._node = _watch(target, made_by)
    else:
        before = base._node
        if before is not None or made_by is not None:
            steps = target._view[1]
            base._node = make(RULES["view_scatter"], (before, made_by), ((steps,), (steps,)), (), None, base._device)
        _look_again(target)
    for tensor, node in kept:
        _keep_on(tensor, node)


def _keep_on(tensor: Tensor, before: Node) -> None:
    """Let ``retain_grad`` follow the tensor from the step ``before`` to the one that it hangs on now."""
    node, hooks = tensor._node, before.hooks
    if hooks.keep is not None and node is not before and node is not None:
        hooks.keep = None
        tensor.retain_grad()
        node.grad, before.grad = before.grad, None


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
    if type(made_by) is Node and made_by.edges is not None and made_by.saved is not None:
        rule = made_by.rule
        rows = (made_by.saved,) if rule.joint else made_by.saved
        kept = [names for names, row in zip(rule.saves, rows, strict=True) if row is not None]
        if any(["out" in names for names in kept]) and len(made_by.cells) == 1:
            made_by.cells, made_by.version = (target._cell,), target._cell[0]
    return made_by


def refuse_leaf(name: str, target: Tensor) -> None:
    base = target if target._view is None else target._view[0]
    if base._node is not None and base._node.edges is None:
        what = "a leaf" if base is target else "a view of a leaf"
        raise RuntimeError(
            f"{name}: {what} that requires grad may not be written in place; "
            "do it under no_grad(), or on a clone() or detach() of it"
        )


def _refuse_overlap(name: str, target: Tensor, *operands: Any) -> None:
    if name in ("fill_", "zero_"):  # every element takes the same value
        return
    array = target._array
    if array.flags.c_contiguous:
        return
    steps = [(abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1]
    if not array.size or not is_repeated(steps):
        return
    expanded = any([s == 0 for s, _ in steps])
    if name == "setitem" and not expanded and not isinstance(operands[0], Tensor):  # one number for all of them
        return
    raise RuntimeError(
        f"{name}: the tensor {describe(target)} {'is expanded' if expanded else 'sees its memory repeatedly'}, "
        "several of its elements are one place in memory; write to a clone() of it"
    )


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


def refuse_partial(name: str, target: Tensor, other: Tensor) -> None:
    """Refuse an operand that shares some of the memory that is written to.

    Raises:
        RuntimeError: they overlap in part.
    """
    if other._device is target._device and target._device.backend.overlaps(target._array, other._array):
        raise RuntimeError(
            f"{name}: an operand {describe(other)} shares some of its memory with the tensor {describe(target)} that "
            "is written to; pass a clone() of it"
        )


def _refuse_result(name: str, target: Tensor, result: Tensor) -> None:
    if result._device.depth > target._device.depth:
        raise RuntimeError(
            f"{name}: inside of vmap a batched tensor cannot be written in place into one that is not batched, "
            f"{describe(target)}; make it with new_zeros(), zeros_like() or clone() of a batched tensor"
        )
    if result._array.shape != target._array.shape:
        raise RuntimeError(
            f"{name}: the result has shape {list(result.shape)} and cannot be written into {describe(target)}"
        )
    have, want = result.dtype, target.dtype
    if name == "abs_" and want.is_complex:
        raise RuntimeError("abs_: the sizes of complex numbers are real; use .abs()")
    if have.category > want.category:
        raise RuntimeError(f"{name}: a result of type {have.name} cannot be written into a tensor of type {want.name}")


def overwrite(target: Tensor, value: Any) -> Tensor:
    """``target`` with every element replaced by ``value`` (a tensor that broadcasts to it), out of place."""
    device = target._device
    if not isinstance(value, Tensor):
        value = wrap(device.backend.from_host(np.asarray(value)), device)
    if value._array.dtype != target._array.dtype:
        warn_of_lost_part(value._array.dtype, target._array.dtype)
        value = P.cast(value, target._array.dtype)
    if value._device != device:
        value = P.transfer(value, value._device, device, False)
    return P.overwrite(target, value)
