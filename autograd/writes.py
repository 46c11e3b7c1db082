"""Writes in place: a new history for the memory, whoever looks at it.

The operation runs out of place on the old history; its result is written into the memory. A tensor that is no view
takes the new node; of a view, the base takes one that puts the result in its place, and other views look again when
they are next used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from .grad_mode import Untracked, is_recording, recording
from .node import Node, make
from .overlaps import AT_INDICES, assign_places, may_share, refuse_partial, refuse_repeated
from .placing import PLACING, placed
from .promote import describe, warn_of_lost_part
from .rule import RULES, P
from .saved import packing
from .steps import unmoved
from .tensor import Tensor, wrap
from .views import SEALED, UNSEEN, Part, Sealed, follow, look_again, refresh

__all__ = ["overwrite", "place", "refuse_leaf", "turn", "write"]


def turn(name: str, target: Tensor, look: Callable[[Tensor], Tensor]) -> Tensor:
    """Let ``target`` look at its memory as ``look(target)``, a view of it, does.

    A base becomes a view of a hidden one that stays as it was; its own views find that one by ``follow``.

    Raises:
        RuntimeError: a leaf that requires grad, or a view of one.
    """
    recorded = is_recording()
    if recorded:
        refuse_leaf(name, target)
        _refuse_kind(name, target, None)
    follow(target)
    if not recorded and target._current() is not None:
        target._array = look(wrap(target._array, target._device))._array  # its history stays, as in PyTorch
    else:
        seen = target
        if target._view is None:
            seen = wrap(target._array, target._device)
            seen._cell, seen._node, seen._turned = target._cell, target._node, ref(target)
        with recording():
            made = look(seen)
        target._array, target._node, target._view = made._array, made._node, made._view
    target._cell[0] += 1
    return target


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
    made: Tensor | None = None
    if _has_no_history(target, operands, recorded):
        if name in ARITHMETIC and _computed(name, target, compute, operands):
            return target
        if name in PLACING and compute.__name__ != "<lambda>" and placed(name, target, operands):
            return target  # keywords may come in any order
        made = None if compute is overwrite else compute(target, *operands)
        if _wrote(target, operands[0] if compute is overwrite else made):
            return target
    if type(target._cell) is Untracked:
        target._cell.expect_inference(name)
    follow(target)
    base = target if target._view is None else target._view[0]
    if recorded:
        refuse_leaf(name, target)
        if base is not target and target._view[1] and target._view[1][0][0] == "as_strided":
            refresh(target)  # what it was taken from may not hold all of it; the base does
    repeated = refuse_repeated(name, target, compute is overwrite, operands)
    first = target
    for x in operands:
        if isinstance(x, Tensor) and x._cell is target._cell:
            if compute is not overwrite and name in AT_INDICES:
                refuse_partial(name, target, x, True)
            elif x is not target and not may_share(name, target, x):
                refuse_partial(name, target, x)
            if recorded and x._array is target._array and first is target:
                first = _apart(target)
    if made is not None:
        result = made
    elif packing() is None:
        result = compute(first, *operands)
    else:  # what gets packed must not be what is overwritten
        old = wrap(target._device.backend.copy(target._array), target._device)
        old._node = target._current()
        result = compute(old, *[old if o is target else o for o in operands])
    _refuse_result(name, target, result)
    if result._array.dtype != target._array.dtype:
        result = P.cast(result, target._array.dtype)
    made_by = result._current()
    if recorded:
        if made_by is None and target._array.dtype.kind not in "biu":
            made_by = unmoved(name, (target, *operands))
        _refuse_kind(name, target, made_by)
    if made_by is not None and made_by.cells and type(made_by) is Node:
        _keep_old(made_by, target, first)
    if repeated:
        assign_places(name, target, result, compute, operands)
    else:
        target._device.backend.assign(target._array, result._array)
    target._cell[0] += 1
    if first is not target:
        first._cell[0] += 1
    if recorded:
        _watch(target, made_by, result)
        _rebase(target, base, made_by)
    return target


def _has_no_history(target: Tensor, operands: tuple[Any, ...], recorded: bool) -> bool:
    """Whether a write needs neither the tape nor a look at memory that is shared: most are such, and cost little."""
    if type(target._cell) is not list or target._device.depth or not target._array.flags.c_contiguous:
        return False
    base = target if target._view is None else target._view[0]
    if base._view is not None or base is SEALED or (recorded and (base._node is not None or target._node is not None)):
        return False
    for x in operands:
        if isinstance(x, Tensor):
            if x._cell is target._cell or (recorded and x._current() is not None):
                return False
        elif isinstance(x, (list, tuple)):  # may hold tensors
            return False
    return True


ARITHMETIC = frozenset({"add_", "sub_", "mul_", "div_", "clamp_", "follow_"})
OF_INTEGERS = frozenset({"add_", "sub_", "mul_"})


def _computed(name: str, target: Tensor, compute: Callable[..., Any], operands: tuple[Any, ...]) -> bool:
    """Let the backend compute in the memory of ``target``; False where types, sizes or the backend ask for more."""
    array, device = target._array, target._device
    whole = array.dtype.char not in "fd"
    if (
        (whole and (array.dtype.str[1:] != "i8" or name not in OF_INTEGERS))
        or not operands
        or (name == "clamp_" and (compute.__name__ == "<lambda>" or isinstance(operands[0], Tensor)))
    ):
        return False  # keywords may come in any order
    values: list[Any] = []
    for x in operands:
        if isinstance(x, Tensor):
            if x._array.dtype != array.dtype or x._array.shape != array.shape or x._device is not device or values:
                return False
            values.append(x._array)
        elif (type(x) is float and not whole) or (type(x) is int and -(1 << 24) <= x <= 1 << 24):
            values.append(x)
        else:
            return False
    if not device.backend.in_place(name, array, tuple(values)):
        return False
    target._cell[0] += 1
    return True


def _wrote(target: Tensor, value: Any) -> bool:
    """Write a value without history that fits as it is; False where it does not."""
    array, device = target._array, target._device
    if isinstance(value, Tensor):
        if value._array.dtype != array.dtype or value._array.shape != array.shape or value._device is not device:
            return False
        value = value._array
    elif array.dtype.char not in "fd" or type(value) not in (float, int):
        return False
    device.backend.assign(array, value)
    target._cell[0] += 1
    return True


def _apart(target: Tensor) -> Tensor:
    """``target`` with versions of its own: what an operation saves of it can be told from what it saves of operands."""
    made = wrap(target._array, target._device)
    made._node = target._current()
    return made


def place(name: str, target: Tensor, made_by: Node) -> None:
    """Hang a tensor that the step ``made_by`` has written in place on that step.

    Raises:
        RuntimeError: a view that was not recorded.
    """
    follow(target)
    base = target if target._view is None else target._view[0]
    _refuse_kind(name, target, made_by)
    _rebase(target, base, made_by)


def _refuse_kind(name: str, target: Tensor, made_by: Node | None) -> None:
    """Refuse a recorded write through a view whose base cannot follow it."""
    if target._view is None:
        return
    base, steps, _ = target._view
    if base._node is None and made_by is None and base is not SEALED:
        return
    kinds = [type(attributes) for _, attributes in steps]
    if base is SEALED or base is UNSEEN or Sealed in kinds:
        raise RuntimeError(
            f"{name}: this view was made under no_grad() or inference_mode(), or in the forward of an "
            "autograd.Function, so the history of what it looks at cannot follow the write; make the view where "
            "gradients are recorded, or write under no_grad() as well"
        )
    if Part in kinds:
        raise RuntimeError(
            f"{name}: one of several views that were made at once (by split, chunk, unbind, iteration) may not be "
            "written in place where gradients are recorded; make the view by indexing, or write to a clone()"
        )


def _rebase(target: Tensor, base: Tensor, made_by: Node | None) -> None:
    """Hang the new content of ``target`` on the history of its base."""
    if base is UNSEEN:
        return
    kept = [(t, t._node) for t in (base, target) if t._node is not None and t._node.hooks is not None]
    before = base._node
    if target is base:
        target._node = made_by
    elif before is not None or made_by is not None:
        steps = target._view[1]
        base._node = make(RULES["view_scatter"], (before, made_by), ((steps,), (steps,)), (), None, base._device)
        look_again(target)
    for tensor, node in kept:
        _keep_on(tensor, node)


def _keep_on(tensor: Tensor, before: Node) -> None:
    """Let ``retain_grad`` follow the tensor from the step ``before`` to the one that it hangs on now."""
    node, hooks = tensor._node, before.hooks
    if hooks.keep is not None and node is not before and node is not None:
        hooks.keep = None
        tensor.retain_grad()
        node.grad, before.grad = before.grad, None


def _keep_old(node: Node, target: Tensor, first: Tensor) -> None:
    """Give the step a copy of what it saved of ``target``, which is about to be overwritten.

    What it saved of an operand that is the target once more gets none, as in PyTorch: backward will be an error.
    """
    rule, cells, copy = node.rule, list(node.cells), None
    rows, at = [], 0
    for names, values in zip(rule.saves, (node.saved,) if rule.joint else node.saved, strict=True):
        row = list(values or ())
        for i, name in enumerate(names if values is not None else ()):
            if name not in rule.inputs and name != "out":
                continue
            if row[i] is target._array and (first is target or cells[at] is not target._cell):
                copy = target._device.backend.copy(target._array) if copy is None else copy
                row[i], cells[at] = copy, [0]
            at += len(row[i]) if name == rule.variadic else 1
        rows.append(None if values is None else tuple(row))
    if copy is not None:
        node.saved = rows[0] if rule.joint else tuple(rows)
        node.cells, node.version = tuple(cells), sum(c[0] for c in cells)


def _watch(target: Tensor, node: Node | None, result: Tensor) -> None:
    """Where the operation saved its own result, that result is now this tensor's memory: count its writes."""
    if type(node) is not Node or node.edges is None or not node.cells:
        return
    rule, at = node.rule, 0
    for names, row in zip(rule.saves, (node.saved,) if rule.joint else node.saved, strict=True):
        for name, value in zip(names, row or (), strict=False):
            if name == "out" and node.cells[at] is result._cell:
                node.version += target._cell[0] - node.cells[at][0]
                node.cells = (*node.cells[:at], target._cell, *node.cells[at + 1 :])
            if name == "out" or name in rule.inputs:
                at += len(value) if name == rule.variadic else 1


def refuse_leaf(name: str, target: Tensor) -> None:
    base = target if target._view is None else target._view[0]
    if base._node is not None and base._node.edges is None:
        what = "a leaf" if base is target else "a view of a leaf"
        raise RuntimeError(
            f"{name}: {what} that requires grad may not be written in place; "
            "do it under no_grad(), or on a clone() or detach() of it"
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
