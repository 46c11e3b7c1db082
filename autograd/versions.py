"""The error for a saved value that was written in place before backward came to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..backends import dtypes
from .node import Node

__all__ = ["saved_tensors", "spoiled"]


def spoiled(node: Node) -> RuntimeError:
    """The error for a node whose saved values are gone or no longer what they were."""
    if node.saved is None:
        return RuntimeError(
            f"backward through {node.name()} a second time: what it saved was freed by the first backward; "
            "pass retain_graph=True there to keep it"
        )
    where, writes = _changed(node)
    return RuntimeError(
        f"{node.rule.name}: {' or '.join(where)}, which this operation ({node.name()}) saved for backward, was changed "
        f"in place afterwards{writes}; write to a clone() of it instead"
    )


def _changed(node: Node) -> tuple[list[str], str]:
    """What may have been changed, and the versions where they can be told.

    A node keeps the sum of the versions only. A version that is 0 now was 0 then; where one memory is left, whether
    saved once or several times, its version then follows from the sum.
    """
    cells = {id(cell): cell for cell in node.cells if cell[0]}
    names: dict[str, None] = {}
    for label, array, cell in saved_tensors(node):
        if cell[0]:
            names[f"{label} ({dtypes.of(array.dtype).name}{list(array.shape)})"] = None
    if len(cells) != 1:
        return list(names), ""
    cell = next(iter(cells.values()))
    times = sum(c is cell for c in node.cells)
    return list(names), f" (saved at version {node.version // times}, now at {cell[0]})"


def saved_tensors(node: Node) -> Iterator[tuple[str, Any, list[int]]]:
    """The saved inputs and results with their version cells."""
    rule, cells = node.rule, iter(node.cells)
    rows = (node.saved,) if rule.joint else node.saved
    for names, values in zip(rule.saves, rows, strict=True):
        for name, value in zip(names, values or (), strict=False):
            if name == "out":
                yield "its result", value, next(cells)
            elif name == rule.variadic:
                for i, part in enumerate(value):
                    yield f"its argument '{name}[{i}]'", part, next(cells)
            elif name in rule.inputs:
                yield f"its argument '{name}'", value, next(cells)
