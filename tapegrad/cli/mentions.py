"""Which tests use an operation, read from their code: text and comments do not count, nor do NumPy's functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Mention", "mentions"]

LIBRARIES = ("tapegrad", "torch")
# Of `x.sum()` or `x.add()` nobody knows whether x is a tensor: NumPy's arrays and Python's containers have them too.
SHARED = frozenset(name for cls in (np.ndarray, set, list, dict, str, bytes, complex, Path) for name in dir(cls))


class Mention(NamedTuple):
    """A use of a name: the file, the line, and the test or the helper that it is in ("" outside all functions)."""

    path: Path
    line: int
    function: str


@cache
def mentions(folder: Path) -> dict[str, list[Mention]]:
    """Every name of an operation, module or method that the Python files below ``folder`` use, and where."""
    found: dict[str, list[Mention]] = {}
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        ours, theirs = _imported(tree)
        for node, function in _inside(tree, ""):
            name = _used(node, ours, theirs)
            if name is not None:
                found.setdefault(name, []).append(Mention(path, _line(node), function))
    return found


def _imported(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The names that a file imports, at any depth: those of tapegrad or PyTorch, and the others."""
    ours: set[str] = set()
    theirs: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known = alias.name.split(".")[0] in LIBRARIES
                (ours if known else theirs).add(alias.asname or alias.name.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            known = not node.level and (node.module or "").split(".")[0] in LIBRARIES
            (ours if known else theirs).update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign) and 'importorskip("torch' in ast.unparse(node.value).replace("'", '"'):
            ours.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return ours, theirs


def _inside(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    """Every node below, with the outermost function that it is in."""
    for child in ast.iter_child_nodes(node):
        own = function
        if not function and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            own = child.name
        yield child, own
        yield from _inside(child, own)


def _used(node: ast.AST, ours: set[str], theirs: set[str]) -> str | None:
    """The name that a node uses: ``tg.exp``, ``x.softmax``, or ``relu`` where that is imported from tapegrad."""
    if isinstance(node, ast.Name):
        return node.id if node.id in ours and isinstance(node.ctx, ast.Load) else None
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
        return None
    root: ast.AST = node.value
    while isinstance(root, ast.Attribute | ast.Call | ast.Subscript):
        root = root.func if isinstance(root, ast.Call) else root.value
    of = root.id if isinstance(root, ast.Name) else ""
    return node.attr if of in ours or (of not in theirs and node.attr not in SHARED) else None


def _line(node: ast.AST) -> int:
    return int(node.end_lineno if isinstance(node, ast.Attribute) else node.lineno)  # type: ignore[attr-defined,arg-type]
