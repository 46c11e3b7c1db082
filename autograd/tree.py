"""Nested tuples, lists and dictionaries of tensors: taken apart into leaves, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["flatten", "mapped", "spread", "unflatten"]


class _Leaf:
    """Stands in a structure where a leaf was."""

    def __repr__(self) -> str:
        return "*"


LEAF = _Leaf()


def _children(tree: Any) -> list[Any] | None:
    """What a container holds, in order; None of a leaf. ``None`` is a leaf, as in PyTorch."""
    if isinstance(tree, (tuple, list)):
        return list(tree)
    return list(tree.values()) if isinstance(tree, dict) else None


def _again(tree: Any, children: Iterable[Any]) -> Any:
    """A container like ``tree`` that holds ``children``."""
    if isinstance(tree, dict):
        made = dict(zip(tree, children, strict=True))
        return made if type(tree) is dict else type(tree)(made)
    if hasattr(tree, "_fields"):
        return type(tree)(*children)
    return type(tree)(children)


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of ``tree`` in order, and its structure, for ``unflatten``."""
    children = _children(tree)
    if children is None:
        return [tree], LEAF
    leaves: list[Any] = []
    shapes = []
    for child in children:
        found, shape = flatten(child)
        leaves += found
        shapes.append(shape)
    return leaves, _again(tree, shapes)


def unflatten(leaves: Iterable[Any], structure: Any) -> Any:
    """The leaves in the structure that ``flatten`` told."""
    return _rebuild(iter(leaves), structure)


def _rebuild(leaves: Iterator[Any], structure: Any) -> Any:
    if structure is LEAF:
        return next(leaves)
    return _again(structure, [_rebuild(leaves, child) for child in _children(structure) or ()])


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same structure with ``function`` of every leaf."""
    leaves, structure = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], structure)


def spread(prefix: Any, structure: Any) -> list[Any] | None:
    """One entry for each leaf of ``structure``, from a ``prefix`` of it whose leaves stand for all below them.

    None where the prefix does not have the structure's containers and keys.
    """
    if structure is LEAF:
        return None if _children(prefix) is not None else [prefix]
    held = _children(structure) or []
    given = _children(prefix)
    if given is None:
        return [prefix] * _count(structure)
    if isinstance(prefix, dict) != isinstance(structure, dict) or len(given) != len(held):
        return None
    if isinstance(prefix, dict) and prefix.keys() != structure.keys():
        return None
    if isinstance(prefix, dict):
        given = [prefix[key] for key in structure]
    found: list[Any] = []
    for part, below in zip(given, held, strict=True):
        entries = spread(part, below)
        if entries is None:
            return None
        found += entries
    return found


def _count(structure: Any) -> int:
    return 1 if structure is LEAF else sum(_count(child) for child in _children(structure) or ())
