"""The backward one step at a time, for tools that look at it: no hooks, no accumulation, nothing freed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .engine import _formulas, _sum_to
from .node import Node, reachable
from .rule import RULES

__all__ = ["newest_first", "pull"]


def newest_first(roots: Iterable[Node]) -> list[Node]:
    """All steps and leaves behind ``roots``, in the order in which a backward comes to them."""
    return sorted(reachable(roots), key=lambda n: n.seq, reverse=True)


def pull(node: Node, g: Any, *, users: bool = False) -> list[Any]:
    """The cotangents of a step's inputs, as raw arrays; None where none is wanted or can be told.

    They cannot be told where what the step saved was freed. A formula of the user's, which may do anything, runs only
    with ``users``.
    """
    rule, dev = node.rule, node.device
    if node.peek() is None or (RULES.get(rule.name) is not rule and not users):
        return [None] * len(node.edges)
    saved = node.saved
    formulas = (dev.vjps or _formulas(dev))[rule.index]
    if rule.joint:
        found = list(formulas[0](dev.backend, g, *saved))
    else:
        found = [
            formula(dev.backend, g, *kept) if e is not None else None
            for formula, kept, e in zip(formulas, saved, node.edges, strict=True)
        ]
    if node.shapes is not None:
        found = [c if c is None else _sum_to(dev, c, s, False) for c, s in zip(found, node.shapes, strict=True)]
    return found
