"""The tape as text that draws itself: Graphviz's DOT and Mermaid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends import dtypes
from .node import Node, OutputNode, shown
from .pullback import newest_first, pull
from .tensor import Tensor

__all__ = ["to_dot", "to_mermaid"]

COLORS = {"leaf": "#dbeafe", "step": "#f3f4f6", "result": "#dcfce7"}
SHAPES = {"leaf": ("[(", ")]"), "step": ("[", "]"), "result": ("([", "])")}  # of Mermaid


@dataclass
class Box:
    """One box of the drawing: its number, kind (a key of ``COLORS``) and lines of text."""

    number: int
    kind: str
    lines: list[str]


def to_dot(tensor: Tensor | Iterable[Tensor], params: Mapping[str, Tensor] | None = None) -> str:
    """The tape behind a tensor, or several, as a graph in Graphviz's DOT language.

    A box is a step with its name, or a leaf; it tells the shape, dtype, device and backend of what it made. Arrows go
    the way of the data. ``dot -Tsvg`` draws the text, and so do many editors; making it needs no Graphviz.

    The shapes are found by sending zeros through the formulas, no gradient changes and no hook runs; what lies behind a
    step whose saved values are freed, or behind a formula of the user's, has none.

    Args:
        tensor: what was computed.
        params: names for leaves, such as ``dict(model.named_parameters())``.

    Raises:
        RuntimeError: a tensor has no history. TypeError: not a tensor.

    >>> import tapegrad as tg
    >>> w = tg.ones(2, requires_grad=True)
    >>> print(tg.autograd.to_dot((w * 3).sum(), {"w": w}))  # doctest: +ELLIPSIS
    digraph tape {
      rankdir=TB;
      node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];
      n0 [label="w\\nfloat32[2]\\ncpu (...)", fillcolor="#dbeafe"];
      n1 [label="MulBackward0\\nfloat32[2]\\ncpu (...)", fillcolor="#f3f4f6"];
      n2 [label="SumBackward0\\nfloat32[]\\ncpu (...)", fillcolor="#f3f4f6"];
      n3 [label="result\\nfloat32[]\\ncpu (...)", fillcolor="#dcfce7"];
      n0 -> n1;
      n1 -> n2;
      n2 -> n3;
    }
    """
    boxes, arrows = _drawn(tensor, params)
    lines = ["digraph tape {", "  rankdir=TB;"]
    lines.append('  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];')
    for box in boxes:
        label = "\\n".join(_for_dot(line) for line in box.lines)
        lines.append(f'  n{box.number} [label="{label}", fillcolor="{COLORS[box.kind]}"];')
    lines += [f"  n{a} -> n{b};" for a, b in arrows]
    return "\n".join([*lines, "}"])


def to_mermaid(tensor: Tensor | Iterable[Tensor], params: Mapping[str, Tensor] | None = None) -> str:
    """The tape behind a tensor, or several, as a Mermaid flowchart, which GitHub and notebooks draw in Markdown.

    Args:
        tensor: what was computed.
        params: names for leaves, such as ``dict(model.named_parameters())``.

    Raises:
        RuntimeError: a tensor has no history. TypeError: not a tensor.

    >>> import tapegrad as tg
    >>> w = tg.ones(2, requires_grad=True)
    >>> print(tg.autograd.to_mermaid(w * 3, {"w": w}))  # doctest: +ELLIPSIS
    flowchart TB
      n0[("w<br/>float32[2]<br/>cpu (...)")]:::leaf
      n1["MulBackward0<br/>float32[2]<br/>cpu (...)"]:::step
      n2(["result<br/>float32[2]<br/>cpu (...)"]):::result
      n0 --> n1
      n1 --> n2
      classDef leaf fill:#dbeafe
      classDef step fill:#f3f4f6
      classDef result fill:#dcfce7
    """
    boxes, arrows = _drawn(tensor, params)
    lines = ["flowchart TB"]
    for box in boxes:
        left, right = SHAPES[box.kind]
        lines.append(f'  n{box.number}{left}"{"<br/>".join(map(_for_mermaid, box.lines))}"{right}:::{box.kind}')
    lines += [f"  n{a} --> n{b}" for a, b in arrows]
    return "\n".join([*lines, *(f"  classDef {kind} fill:{color}" for kind, color in COLORS.items())])


def _for_dot(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "")


def _for_mermaid(text: str) -> str:
    """A label in quotes takes anything but quotes, Markdown, markup and its own way to write characters."""
    return "".join(c if c.isalnum() or c in " .,:_-[]()/=+" else f"#{ord(c)};" for c in text)


def _drawn(tensor: Any, params: Mapping[str, Tensor] | None) -> tuple[list[Box], list[tuple[int, int]]]:
    """The boxes, the oldest first, and the arrows between their numbers."""
    results = [tensor] if isinstance(tensor, Tensor) else list(tensor)
    names: dict[Node, str] = {}
    known: dict[Node, tuple[tuple[int, ...], Any]] = {}
    for name, p in (params or {}).items():
        if (node := p._current()) is not None:
            names.setdefault(node, str(name))
            known[node] = (tuple(p._array.shape), p._array.dtype)
    roots = [_root(t) for t in results]
    known.update({n: (tuple(t._array.shape), t._array.dtype) for n, t in zip(roots, results, strict=True)})
    nodes = newest_first(roots)
    _infer(nodes, known)
    steps = [node for node in reversed(nodes) if type(node) is not OutputNode]
    numbers = {node: k for k, node in enumerate(steps)}
    boxes = [
        Box(k, "leaf" if n.edges is None else "step", [_called(n, names), *_told(n.device, known.get(n))])
        for n, k in numbers.items()
    ]
    arrows = [(numbers[shown(e)[0]], numbers[n]) for n in steps for e in n.edges or () if e is not None]
    for i, (t, root) in enumerate(zip(results, roots, strict=True)):
        label = "result" if len(results) == 1 else f"result {i}"
        boxes.append(Box(len(boxes), "result", [label, *_told(t._device, known[root])]))
        arrows.append((numbers[shown(root)[0]], boxes[-1].number))
    return boxes, arrows


def _root(tensor: Any) -> Node:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"the tape is drawn of a Tensor or several, not of {type(tensor).__name__}")
    node = tensor._current()
    if node is None:
        raise RuntimeError("this tensor does not require grad: there is no tape behind it to draw")
    return node


def _called(node: Node, names: dict[Node, str]) -> str:
    if node.edges is None:
        return names.get(node, "leaf")
    return node.name() if node not in names else f"{node.name()} ({names[node]})"


def _told(device: Any, made: tuple[tuple[int, ...], Any] | None) -> list[str]:
    where = f"{device} ({device.backend.name})"
    return [where] if made is None else [f"{dtypes.of(made[1]).name}{list(made[0])}", where]


def _infer(nodes: list[Node], known: dict[Node, tuple[tuple[int, ...], Any]]) -> None:
    """Find what each step made: a cotangent of zeros, pulled through its formulas, has the shape of what it used."""
    for node in nodes:
        if node.edges is None or node not in known:
            continue
        shape, dtype = known[node]
        with np.errstate(all="ignore"):
            found = pull(node, node.device.backend.filled(shape, 0, dtype))
        for edge, c in zip(node.edges, found, strict=True):
            if edge is not None and c is not None and edge not in known:
                known[edge] = (tuple(c.shape), c.dtype)
