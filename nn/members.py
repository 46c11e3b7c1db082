"""The tables in which a module keeps its parameters, buffers and submodules."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, Self

__all__ = ["Members"]


class Members(dict[str, Any]):
    """Names and values of one kind; every change is also one of the module's attribute of that name.

    Programs write into the tables (``model._modules["fc"] = ...``), and a module's forward reads the attributes.

    Args:
        owner: the module. It is not kept alive.
        values: what the module has already, also as attributes.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: Any, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(values or {})
        self._owner = weakref.ref(owner)

    def _attributes(self) -> dict[str, Any]:
        owner = self._owner()
        return {} if owner is None else owner.__dict__

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._attributes()[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._attributes().pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        """Take an entry out."""
        if name in self:
            self._attributes().pop(name, None)
        return super().pop(name, *default)

    def popitem(self) -> tuple[str, Any]:
        """Take the last entry out."""
        name, value = super().popitem()
        self._attributes().pop(name, None)
        return name, value

    def clear(self) -> None:
        """Take all entries out."""
        for name in list(self):
            del self[name]

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The value of a name, which is ``default`` where it was not there."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *others: Any, **named: Any) -> None:
        """Add or replace several entries."""
        for name, value in dict(*others, **named).items():
            self[name] = value

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc, override]
        self.update(other)
        return self

    def __reduce__(self) -> Any:
        return dict, (dict(self),)
