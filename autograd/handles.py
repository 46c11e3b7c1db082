"""Where hooks are kept: tables of them, the handles that take them out again, and what a step of the tape has."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import Any, Self

__all__ = ["HookTable", "NodeHooks", "RemovableHandle"]

_number = count().__next__


class HookTable(dict[int, Any]):
    """Hooks by number, in the order in which they are called."""

    __slots__ = ("__weakref__",)

    def add(self, hook: Any, *, first: bool = False) -> RemovableHandle:
        """Put a hook at the end, or before all others; returns the handle that takes it out."""
        handle = RemovableHandle(self)
        if first:
            others = dict(self)
            self.clear()
            self[handle.id] = hook
            self.update(others)
        else:
            self[handle.id] = hook
        return handle


class RemovableHandle:
    """Takes a registered hook away again: with ``remove()``, or at the end of a ``with`` block.

    Args:
        hooks_dict: the table that the hook stands in.
        extra_dict: other tables that say something about the hook under the same number.
    """

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = _number()
        others = extra_dict if isinstance(extra_dict, (list, tuple)) else () if extra_dict is None else (extra_dict,)
        self._tables = tuple(weakref.ref(table) for table in (hooks_dict, *others))

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        for found in self._tables:
            table = found()
            if table is not None:
                table.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class NodeHooks:
    """What is hung onto one node of the tape.

    Attributes:
        tensor: functions of the cotangent that has arrived, which may replace it.
        keep: what ``retain_grad`` does with the cotangent, after those; or None.
        before: functions of the tuple of cotangents, called when the step runs, which may replace it.
        behind: functions of the inputs' cotangents and the outputs', which may replace the former.
        accumulated: of a leaf, functions of the tensor, called when its gradient has grown.
        metadata: whatever the user notes about the step.
    """

    __slots__ = ("accumulated", "before", "behind", "keep", "metadata", "tensor")

    def __init__(self) -> None:
        self.tensor, self.before, self.behind, self.accumulated = (HookTable() for _ in range(4))
        self.keep: Callable[[Any], None] | None = None
        self.metadata: dict[Any, Any] = {}

    @classmethod
    def of(cls, node: Any) -> NodeHooks:
        """The hooks of a node, made where it has none yet."""
        if node.hooks is None:
            node.hooks = cls()
        found: NodeHooks = node.hooks
        return found
