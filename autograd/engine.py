"""The backward pass: cotangents travel from the roots to the leaves, from the newest step to the oldest.

Every step has a number that grows, and what uses a result is newer than what made it; so the pending node with the
highest number has received all that it will receive. While only one node is pending (a chain), no heap is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from threading import Lock
from typing import Any

import numpy as np

from .grad_mode import recording
from .hooks import hooked, shown_before, shown_behind, told
from .node import Node, reachable
from .rule import RULES, P
from .steps import STEP, Bundle
from .tensor import Tensor, wrap
from .versions import spoiled
from .wirtinger import conjugates, prepared

__all__ = ["BATCHED", "accumulate", "propagate"]

new, ndarray = object.__new__, np.ndarray

# Several threads may run backward into the same leaves.
ACCUMULATING = Lock()

# From so many elements on a cotangent's memory is worth using again.
LARGE = 1 << 14

# The cotangents are of a deeper level of `vmap` than the steps.
BATCHED: Any = "batched"

# What looks at the cotangents of every step, called with the step, them, and whether they are tensors; or None.
check: Callable[[Node, Any, bool], None] | None = None


def propagate(
    roots: list[tuple[Node, Any]], *, retain: bool, record: Any, targets: list[Node] | None = None
) -> list[Any] | None:
    """Run backward from ``roots``.

    Args:
        roots: nodes with their cotangents: raw arrays, or tensors where ``record``.
        retain: keep what the nodes saved, for another backward.
        record: put the backward itself on the tape; or BATCHED, which does not, and computes on tensors all the same.
        targets: nodes whose cotangents are wanted; then no leaf accumulates. None: accumulate in all leaves.

    Returns:
        The cotangents of ``targets`` (None where nothing arrived), or None.

    Raises:
        RuntimeError: a saved value was changed in place, or freed by an earlier backward.
    """
    look = check
    needed, passing = (None, None) if targets is None else _reaching(roots, targets)
    caught: dict[Any, Any] = {} if targets is None else dict.fromkeys(targets)
    leaves: dict[Node, Any] = {}
    pending: dict[Node, Any] = {}
    heap: list[tuple[int, Node]] = []
    due: dict[Node, int] | None = None  # how many cotangents are still to come to each leaf with hooks
    follow: Any
    cotangents: Any
    node, g = _enter(roots, leaves, pending, heap, record)
    ours = taken = False  # whether nothing else knows of the memory of g, and whether it was used for a result
    while node is not None:
        edges, rule, dev, cells, hooks = node.edges, node.rule, node.device, node.cells, node.hooks
        if hooks is not None:
            g, ours = hooked(node, g, record), False
        if caught and node in caught:
            caught[node], ours = g, False
        if passing is None or node in passing:
            saved = node.saved
            if cells:
                version = 0
                for cell in cells:
                    version += cell[0]
                if version != node.version or saved is None:
                    raise spoiled(node)
            if hooks is not None and hooks.before:
                g = shown_before(node, g, record)
            if g is None and rule is not STEP:  # a hook has taken it away
                cotangents = (None,) * len(edges)
            elif record:
                cotangents = _recorded(node, g, saved, record is True)
            else:
                formulas = (dev.vjps or _formulas(dev))[rule.index]
                if ours and dev.taking[rule.index] is not None:
                    formulas = dev.taking[rule.index]
                    taken = True
                if rule.joint:
                    cotangents = formulas[0](dev.backend, g, *saved)
                elif len(edges) == 1:
                    cotangents = (formulas[0](dev.backend, g, *saved[0]),)
                elif len(edges) == 2 and needed is None:
                    a, b = edges
                    cotangents = (
                        None if a is None else formulas[0](dev.backend, g, *saved[0]),
                        None if b is None else formulas[1](dev.backend, g, *saved[1]),
                    )
                else:
                    cotangents = [
                        formula(dev.backend, g, *kept) if e is not None and (needed is None or e in needed) else None
                        for formula, kept, e in zip(formulas, saved, edges)
                    ]
            if look is not None:
                look(node, cotangents, record)
            if hooks is not None and hooks.behind:
                cotangents = shown_behind(node, _summed(node, cotangents, record), g, record)
            if taken:  # what is in its memory now is as good as new
                g, taken = None, False
            ours, k, follow, ahead, shapes = False, 0, None, None, node.shapes
            for edge in edges:
                c = cotangents[k]
                k += 1
                if edge is None or c is None or (needed is not None and edge not in needed):
                    continue
                if shapes is not None:
                    c = _sum_to(dev, c, shapes[k - 1], record)
                if edge.edges is None:
                    if edge in leaves:
                        leaves[edge] = _gathered(edge.device, leaves[edge], c, record)
                    elif record or rule.fresh or not _borrowed(c, g, edge, rule, saved):
                        leaves[edge] = c
                    else:
                        leaves[edge] = edge.device.backend.copy(c)
                    if edge.hooks is not None and targets is None:
                        if due is None:
                            due = _arrivals(roots)
                        due[edge] = left = due.get(edge, 0) - 1
                        if left == 0:
                            accumulate(edge, hooked(edge, leaves.pop(edge), record), record)
                elif edge is follow:
                    ahead = _sum(edge.device, ahead, c, record)
                elif pending and edge in pending:
                    pending[edge] = _sum(edge.device, pending[edge], c, record)
                elif follow is None and not heap:
                    follow, ahead = edge, c
                    if type(c) is ndarray and c.size >= LARGE and c.dtype.kind == "f" and look is None and not record:
                        ours = _alone(c, cotangents) and not _borrowed(c, g, edge, rule, saved)
                else:
                    pending[edge] = c
                    heappush(heap, (-edge.seq, edge))
            if cells and not retain:
                node.saved = None
            node, g = follow, ahead
        else:
            node = None
        if heap:
            if node is not None:
                pending[node] = g
                heappush(heap, (-node.seq, node))
            node = heappop(heap)[1]
            g, ours = pending.pop(node), False
    if targets is not None:
        return [_result(n, leaves.get(n) if n.edges is None else caught[n], record) for n in targets]
    _deliver(leaves, record)
    return None


def _deliver(leaves: dict[Node, Any], record: Any) -> None:
    """Add what came to the leaves to their gradients."""
    with ACCUMULATING:
        for leaf, g in leaves.items():
            if leaf.hooks is None is leaf.grad is leaf.extra and type(g) is ndarray and not record:
                leaf.grad = t = new(Tensor)
                t._array, t._device, t._cell, t._view, t._node = g, leaf.device, [0], None, None
            elif leaf.hooks is None:
                _add_to(leaf, g, record)
    for leaf, g in leaves.items():
        if leaf.hooks is not None:  # a root itself, or one of its users handed on nothing
            accumulate(leaf, hooked(leaf, g, record), record)


def _arrivals(roots: list[tuple[Node, Any]]) -> dict[Node, int]:
    """How many cotangents can come to each leaf with hooks."""
    count: dict[Node, int] = {}
    seen: set[Node] = set()
    stack = [node for node, _ in roots]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for edge in node.edges or ():
            if edge is None:
                continue
            if edge.edges is not None:
                stack.append(edge)
            elif edge.hooks is not None:
                count[edge] = count.get(edge, 0) + 1
    return count


def _enter(
    roots: list[tuple[Node, Any]], leaves: dict[Node, Any], pending: dict[Node, Any], heap: list[Any], record: bool
) -> tuple[Node | None, Any]:
    """Sort the roots into leaves and steps; returns the step to begin with."""
    if len(roots) == 1 and roots[0][0].edges is not None:
        return roots[0]
    for root, g in roots:
        place = leaves if root.edges is None else pending
        if root in place:
            place[root] = _sum(root.device, place[root], g, record)
        elif root.edges is None:
            leaves[root] = g if record else root.device.backend.copy(g)
        else:
            pending[root] = g
            heappush(heap, (-root.seq, root))
    if not heap:
        return None, None
    first = heappop(heap)[1]
    return first, pending.pop(first)


def _formulas(dev: Any) -> list[Any]:
    """Per primitive the formulas of its rule, or the backend's fused kernel ``NAME_vjp`` where it has one."""
    kernels = type(dev.backend)
    table: list[Any] = [None] * len(RULES) + [STEP.vjps]
    taking: list[Any] = [None] * len(table)
    for made in RULES.values():
        fused = getattr(kernels, made.name + "_vjp", None)
        table[made.index] = prepared(made, made.vjps if fused is None else (fused, *made.vjps[1:]), dev)
        overwriting = getattr(kernels, "overwriting", {}).get(made.name)
        if overwriting is not None:  # of real numbers, so there is nothing to conjugate
            taking[made.index] = (overwriting,)
    dev.taking = taking
    dev.vjps = table
    return table


def _recorded(node: Node, g: Tensor, saved: Any, hang: bool) -> Any:
    """The cotangents of a node's inputs as tensors, by formulas that go onto the tape themselves where ``hang``."""
    rule, cells = node.rule, iter(node.cells)
    with recording():
        conjugated = conjugates(rule, g._array)
        if conjugated:
            g = P.conj(g)
        if rule is STEP:
            found = saved[0]._differentiate(hang or BATCHED, g)
        elif rule.joint:
            found = rule.vjps[0](P, g, *_tensors(node, rule.saves[0], saved, cells, hang))
        else:
            found = [
                rule.vjps[k](P, g, *_tensors(node, rule.saves[k], saved[k], cells, hang)) if e is not None else None
                for k, e in enumerate(node.edges)
            ]
        return [None if c is None else P.conj(c) for c in found] if conjugated else found


def _tensors(node: Node, names: tuple[str, ...], values: Any, cells: Iterator[Any], hang: bool) -> Iterator[Any]:
    """The saved values with their arrays as tensors again, each hanging on the node that made it if ``hang``."""
    inputs = node.rule.inputs
    edges = node.edges if hang else (None,) * len(node.edges)
    for name, value in zip(names, values, strict=True):
        if name == "out":
            yield _revive(value, node.device, node if hang else None, next(cells, None))
        elif name == "res":
            yield wrap(value, node.device)
        elif name in inputs:
            first = inputs.index(name)
            if name == node.rule.variadic:
                yield [_revive(v, node.device, edges[first + i], next(cells, None)) for i, v in enumerate(value)]
            else:
                cell = next(cells, None)
                yield None if value is None else _revive(value, node.device, edges[first], cell)
        else:
            yield value


def _revive(array: Any, device: Any, made_by: Node | None, cell: list[int] | None) -> Tensor:
    tensor = wrap(array, device)
    tensor._node = made_by
    if cell is not None:  # a node that saved a number alone counts no versions
        tensor._cell = cell
    return tensor


def _borrowed(c: Any, g: Any, edge: Node, rule: Any, saved: Any) -> bool:
    """Whether a cotangent's memory may be seen elsewhere, so that a leaf must not keep it as its gradient."""
    if c is g or rule is STEP or not edge.device.backend.owned(c):
        return True
    for kept in (saved,) if rule.joint else saved:
        for s in kept or ():
            if c is s:
                return True
    return False


def _alone(c: Any, cotangents: Any) -> bool:
    """Whether a cotangent goes to one input only."""
    return sum([other is c for other in cotangents]) == 1


def _gathered(dev: Any, a: Any, b: Any, record: Any) -> Any:
    """The sum of what came to a leaf so far, which is its own, and what comes now."""
    if record or type(a) is not ndarray or a.size < LARGE or a.dtype != b.dtype:
        return _sum(dev, a, b, record)
    dev.backend.accumulate(a, b)
    return a


def _sum(dev: Any, a: Any, b: Any, record: bool) -> Any:
    return P.add(a, b) if record and type(a) is not Bundle else dev.backend.add(a, b)


def _sum_to(dev: Any, c: Any, shape: tuple[int, ...], record: bool) -> Any:
    """Sum a cotangent over the axes along which its input was broadcast."""
    if c.shape == shape:
        return c
    F = P if record else dev.backend
    lead = len(c.shape) - len(shape)
    dims = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and c.shape[lead + i] != 1))
    return F.reshape(F.sum(c, dims, True), shape)


def _summed(node: Node, cotangents: Any, record: bool) -> list[Any]:
    """The cotangents of a node's inputs in the shapes of the inputs."""
    if node.shapes is None:
        return list(cotangents)
    return [
        None if c is None or e is None else _sum_to(node.device, c, shape, record)
        for c, e, shape in zip(cotangents, node.edges, node.shapes, strict=True)
    ]


def accumulate(node: Node, g: Any, record: bool) -> None:
    """Add a cotangent to the gradient of a leaf, and call the hooks that want to know of it."""
    if node.hooks is not None and node.hooks.before:
        g = shown_before(node, g, record)
        if g is None:
            return
    if not record and node.grad is None:
        g = node.device.backend.copy(g)  # a hook may have kept it
    with ACCUMULATING:
        _add_to(node, g, record)
    if node.hooks is not None:
        told(node, g, record)


def _add_to(node: Node, g: Any, record: bool) -> None:
    """Add a cotangent to a leaf's gradient."""
    if node.extra is not None and not record:
        g = node.device.backend.normal(g).astype(node.extra, copy=False)
    held = node.grad
    if record:
        node.grad = P.copy(g) if held is None else P.add(held, g)
    elif held is None:
        node.grad = wrap(node.device.backend.normal(g), node.device)
    else:
        node.device.backend.accumulate(held._array, g)
        held._cell[0] += 1


def _result(node: Node, g: Any, record: bool) -> Tensor | None:
    """A caught cotangent as a tensor that shares its memory with nothing else."""
    if g is None:
        return None
    if node.edges is None and node.hooks is not None:
        g = hooked(node, g, record)
    if record:
        return g
    g = node.device.backend.normal(g)
    # A result's cotangent went on to what it was made from, and may have come from the caller.
    own = node.edges is None is node.hooks and node.device.backend.owned(g)
    return wrap(g if own else node.device.backend.copy(g), node.device)


def _reaching(roots: list[tuple[Node, Any]], targets: list[Node]) -> tuple[set[Node], set[Node]]:
    """The nodes from which a target can be reached (targets too), and those of them with a way on to one."""
    needed, passing = set(targets), set()
    for node in sorted(reachable([node for node, _ in roots]), key=lambda n: n.seq):
        if node.edges is not None and any(e in needed for e in node.edges):
            needed.add(node)
            passing.add(node)
    return needed, passing
