"""The tape: a node is one recorded step, or a leaf where a gradient ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from .handles import NodeHooks, RemovableHandle
from .names import name_of
from .wirtinger import expect_complex

__all__ = ["NamedNode", "Node", "OutputNode", "leaf", "make", "reachable", "shown", "ticket"]

ticket = count(1).__next__


class Node:
    """One step of the tape.

    One class serves operations and leaves alike, since attribute reads are fastest where every node has the
    same layout.

    Attributes:
        rule: how to differentiate the step.
        edges: for each input the node that made it, None where no gradient is wanted; None itself in a leaf.
        saved: for each input the arguments of its formula (for a joint rule: one tuple); None once freed. Of a leaf a
            weak reference to its tensor.
        cells: the version cells of the saved arrays, in the order in which `saved` holds them.
        version: the sum of those versions when they were saved. Versions only grow, so one sum checks all.
        shapes: the shapes of the inputs where one was broadcast, else None.
        seq: a number that grows with every step; backward goes from the highest to the lowest.
        device: where the step ran.
        hooks: what was hung onto the step (`handles.NodeHooks`), or None.
        grad: of a leaf, the gradient accumulated so far; of another node, that of a tensor with ``retain_grad``.
        extra: of a step its name where `names` cannot tell it; of a leaf the dtype that cotangents are rounded to,
            where rules may widen it; else None.
    """

    __slots__ = (
        "__weakref__", "cells", "device", "edges", "extra", "grad", "hooks", "rule", "saved", "seq", "shapes",
        "version",
    )  # fmt: skip

    rule: Any
    edges: Any
    saved: Any
    cells: tuple[Any, ...]
    version: int
    shapes: Any
    seq: int
    device: Any
    hooks: Any
    grad: Any
    extra: Any

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    def name(self) -> str:
        """PyTorch's name for this kind of step, such as ``MulBackward0``."""
        return name_of(self)

    def peek(self) -> Any:
        """``saved`` as it is kept; a step that packs it need not unpack."""
        return self.saved

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The steps that made the inputs, each with the number of its output; None where no gradient goes."""
        return tuple((None, 0) if edge is None else shown(edge) for edge in self.edges or ())

    @property
    def variable(self) -> Any:
        """Of a leaf, its tensor, as long as there is one."""
        if self.edges is not None or self.saved is None:
            raise AttributeError(f"{self.name()} has no attribute 'variable': only leaves do")
        return self.saved()

    @property
    def metadata(self) -> dict[Any, Any]:
        """Whatever you want to note about the step."""
        return NodeHooks.of(self).metadata

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)``, both tuples, when backward has run this step.

        A tuple that it returns takes the place of ``grad_inputs``. Returns a handle that removes the hook.
        """
        return NodeHooks.of(self).behind.add(hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` before backward runs this step; a tuple that it returns takes their place."""
        return NodeHooks.of(self).before.add(hook)


class OutputNode(Node):
    """One output of a step that has several: it hands its cotangent on to that step."""

    __slots__ = ()


class NamedNode(Node):
    """A plain node that users have looked at: its class has the step's name, as ``type(y.grad_fn).__name__`` tells."""

    __slots__ = ()


_classes: dict[str, type[NamedNode]] = {}  # by name


def shown(node: Node) -> tuple[Node, int]:
    """The step that users see for a node, and the number of the output that the node stands for."""
    if type(node) is OutputNode:
        return node.edges[0], node.saved[0].k
    if type(node) is Node:
        name = node.name()
        if name not in _classes:
            _classes[name] = type(name, (NamedNode,), {"__slots__": (), "__module__": __name__})
        node.__class__ = _classes[name]
    return node, 0


def leaf(device: Any, dtype: Any) -> Node:
    """A node where gradients accumulate, of a tensor of NumPy's ``dtype``."""
    if dtype.kind == "c":
        expect_complex()
    node = object.__new__(Node)
    node.rule = node.edges = node.saved = node.shapes = node.hooks = node.grad = None
    node.extra = dtype if dtype.char == "E" else None  # a Python float beside bfloat16 makes NumPy answer float32
    node.cells, node.version, node.seq, node.device = (), 0, 0, device
    return node


def make(
    rule: Any, edges: tuple[Any, ...], saved: Any, cells: tuple[Any, ...], shapes: Any, device: Any,
    kind: type[Node] = Node,
) -> Node:  # fmt: skip
    """A node of the tape, from everything that it holds; the hot operations write this out in place."""
    node = object.__new__(kind)
    node.rule, node.edges, node.saved, node.cells, node.shapes = rule, edges, saved, cells, shapes
    version = 0
    for cell in cells:
        version += cell[0]
    node.version, node.seq, node.device = version, ticket(), device
    node.hooks = node.grad = node.extra = None
    return node


def reachable(roots: Iterable[Node]) -> set[Node]:
    """All steps and leaves behind ``roots``, and those themselves."""
    seen: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(e for e in node.edges or () if e is not None)
    return seen
