"""The backward pass: cotangents travel from the roots to the leaves, from the newest step to the oldest.

Every step has a number that grows, and what uses a result is newer than what made it; so the pending node with the
highest number has received all that it will receive. While only one node is pending (a chain), no heap is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any

from .grad_mode import set_grad_enabled
from .node import Node
from .rule import RULES, P
from .tensor import Tensor, wrap

__all__ = ["propagate"]


def propagate(
    roots: list[tuple[Node, Any]], *, retain: bool, record: bool, targets: list[Node] | None = None
) -> list[Any] | None:
    """Run backward from ``roots``.

    Args:
        roots: nodes with their cotangents: raw arrays, or tensors where ``record``.
        retain: keep what the nodes saved, for another backward.
        record: put the backward itself on the tape.
        targets: nodes whose cotangents are wanted; then no leaf accumulates. None: accumulate in all leaves.

    Returns:
        The cotangents of ``targets`` (None where nothing arrived), or None.

    Raises:
        RuntimeError: a saved value was changed in place, or freed by an earlier backward.
    """
    needed, passing = (None, None) if targets is None else _reaching(roots, targets)
    caught: dict[Node, Any] = {} if targets is None else dict.fromkeys(targets)
    leaves: dict[Node, Any] = {}
    pending: dict[Node, Any] = {}
    heap: list[tuple[int, Node]] = []
    for root, g in roots:
        place = leaves if root.edges is None else pending
        if root in place:
            place[root] = _sum(root.device, place[root], g, record)
        else:
            place[root] = g
            if root.edges is not None:
                heappush(heap, (-root.seq, root))
    while heap:
        node: Node | None = heappop(heap)[1]
        g = pending.pop(node)  # type: ignore[arg-type]
        while node is not None:
            if node.hooks is not None:
                g = _hooked(node, g, record)
            if node in caught:
                caught[node] = g
            if passing is not None and node not in passing:
                break
            dev, shapes, edges = node.device, node.shapes, node.edges
            cotangents = _recorded(node, g) if record else _raw(node, g, needed)
            follow = ahead = None
            for k, edge in enumerate(edges):  # type: ignore[arg-type]
                if edge is None or (c := cotangents[k]) is None or (needed is not None and edge not in needed):
                    continue
                if shapes is not None:
                    c = _sum_to(dev, c, shapes[k], record)
                if edge.edges is None:
                    if edge in leaves:
                        leaves[edge] = _sum(edge.device, leaves[edge], c, record)
                    else:
                        leaves[edge] = edge.device.backend.copy(c) if not record and _borrowed(c, g, edge, node) else c
                elif edge is follow:
                    ahead = _sum(edge.device, ahead, c, record)
                elif edge in pending:
                    pending[edge] = _sum(edge.device, pending[edge], c, record)
                elif follow is None and not heap:
                    follow, ahead = edge, c
                else:
                    pending[edge] = c
                    heappush(heap, (-edge.seq, edge))
            if not retain and node.cells:
                node.saved = None
            if follow is not None and heap:
                pending[follow] = ahead
                heappush(heap, (-follow.seq, follow))
                break
            node, g = follow, ahead
    if targets is None:
        for node, g in leaves.items():
            _accumulate(node, g, record)
        return None
    return [_result(node, leaves.get(node) if node.edges is None else caught[node], record) for node in targets]


def _raw(node: Node, g: Any, needed: set[Node] | None) -> Any:
    """The cotangents of a node's inputs, computed on raw arrays."""
    saved, dev, rule = node.saved, node.device, node.rule
    if node.cells:
        _check(node)
    formulas = (dev.vjps or _formulas(dev))[rule.index]
    if rule.joint:
        return formulas[0](dev.backend, g, *saved)
    edges = node.edges
    if len(edges) == 1:  # type: ignore[arg-type]
        return (formulas[0](dev.backend, g, *saved[0]),)  # type: ignore[index]
    return [
        formulas[k](dev.backend, g, *saved[k]) if e is not None and (needed is None or e in needed) else None  # type: ignore[index]
        for k, e in enumerate(edges)  # type: ignore[arg-type]
    ]


def _formulas(dev: Any) -> list[Any]:
    """Per primitive the formulas of its rule, or the backend's fused kernel ``NAME_vjp`` where it has one."""
    kernels = type(dev.backend)
    table: list[Any] = [None] * len(RULES)
    for made in RULES.values():
        fused = getattr(kernels, made.name + "_vjp", None)
        table[made.index] = made.vjps if fused is None else (fused, *made.vjps[1:])
    dev.vjps[:] = table
    return dev.vjps  # type: ignore[no-any-return]


def _recorded(node: Node, g: Tensor) -> Any:
    """The cotangents of a node's inputs as tensors, by formulas that go onto the tape themselves."""
    _check(node)
    rule, cells, saved = node.rule, iter(node.cells), node.saved
    with set_grad_enabled(True):
        if rule.joint:
            return rule.vjps[0](P, g, *_tensors(node, rule.saves[0], saved, cells))
        return [
            rule.vjps[k](P, g, *_tensors(node, rule.saves[k], saved[k], cells)) if e is not None else None  # type: ignore[index]
            for k, e in enumerate(node.edges)  # type: ignore[arg-type]
        ]


def _tensors(node: Node, names: tuple[str, ...], values: Any, cells: Iterator[Any]) -> Iterator[Any]:
    """The saved values with their arrays as tensors again, each hanging on the node that made it."""
    inputs = node.rule.inputs
    for name, value in zip(names, values, strict=True):
        if name == "out":
            yield _revive(value, node.device, node, next(cells))
        elif name == "res":
            yield wrap(value, node.device)
        elif name in inputs:
            first = inputs.index(name)
            if name == node.rule.variadic:
                yield [_revive(v, node.device, node.edges[first + i], next(cells)) for i, v in enumerate(value)]  # type: ignore[index]
            else:
                cell = next(cells)
                yield None if value is None else _revive(value, node.device, node.edges[first], cell)  # type: ignore[index]
        else:
            yield value


def _revive(array: Any, device: Any, made_by: Node | None, cell: list[int]) -> Tensor:
    tensor = wrap(array, device)
    tensor._node, tensor._cell = made_by, cell
    return tensor


def _check(node: Node) -> None:
    """Refuse a node whose saved values are gone or no longer what they were."""
    if node.saved is None:
        raise RuntimeError(
            f"backward through {node.name()} a second time: what it saved was freed by the first backward; "
            "pass retain_graph=True there to keep it"
        )
    version = 0
    for cell in node.cells:
        version += cell[0]
    if version != node.version:
        raise RuntimeError(
            f"{node.rule.name}: a tensor that this operation saved for backward was changed in place afterwards "
            f"(saved at version {node.version}, now at {version}); write to a clone() of it instead"
        )


def _borrowed(c: Any, g: Any, edge: Node, node: Node) -> bool:
    """Whether a cotangent's memory may be seen elsewhere, so that a leaf must not keep it as its gradient."""
    if c is g or not edge.device.backend.owned(c):
        return True
    saved = node.saved
    if node.rule.joint:
        return any(c is s for s in saved)  # type: ignore[union-attr]
    return any(c is s for args in saved if args for s in args)  # type: ignore[union-attr]


def _sum(dev: Any, a: Any, b: Any, record: bool) -> Any:
    return P.add(a, b) if record else dev.backend.add(a, b)


def _sum_to(dev: Any, c: Any, shape: tuple[int, ...], record: bool) -> Any:
    """Sum a cotangent over the axes along which its input was broadcast."""
    if c.shape == shape:
        return c
    F = P if record else dev.backend
    lead = len(c.shape) - len(shape)
    dims = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and c.shape[lead + i] != 1))
    return F.reshape(F.sum(c, dims, True), shape)


def _hooked(node: Node, g: Any, record: bool) -> Any:
    """Show a cotangent to the node's hooks; each may return another in its place."""
    tensor = g if record else wrap(node.device.backend.normal(g), node.device)
    for hook in list(node.hooks):
        replaced = hook(tensor)
        if replaced is not None:
            tensor = replaced
    return tensor if record else tensor._array


def _accumulate(node: Node, g: Any, record: bool) -> None:
    """Add a cotangent to a leaf's gradient."""
    if node.hooks is not None:
        g = _hooked(node, g, record)
    held = node.grad
    if record:
        node.grad = g if held is None else P.add(held, g)
    elif held is None:
        node.grad = wrap(node.device.backend.normal(g), node.device)
    elif held._node is not None:
        node.grad = P.add(held, wrap(node.device.backend.normal(g), node.device))
    else:
        node.device.backend.accumulate(held._array, g)
        held._cell[0] += 1


def _result(node: Node, g: Any, record: bool) -> Tensor | None:
    """A caught cotangent as a tensor that shares its memory with nothing else."""
    if g is None:
        return None
    if node.edges is None and node.hooks is not None:
        g = _hooked(node, g, record)
    if record:
        return g  # type: ignore[no-any-return]
    g = node.device.backend.normal(g)
    return wrap(g if node.device.backend.owned(g) else node.device.backend.copy(g), node.device)


def _reaching(roots: list[tuple[Node, Any]], targets: list[Node]) -> tuple[set[Node], set[Node]]:
    """The nodes from which a target can be reached (targets too), and those of them with a way on to one."""
    seen: set[Node] = set()
    stack = [node for node, _ in roots]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(e for e in node.edges or () if e is not None)
    needed, passing = set(targets), set()
    for node in sorted(seen, key=lambda n: n.seq):
        if node.edges is not None and any(e in needed for e in node.edges):
            needed.add(node)
            passing.add(node)
    return needed, passing
