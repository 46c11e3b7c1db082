"""A backend with something around each of its kernels."""

from __future__ import annotations

from collections.abc import Callable, Collection
from inspect import isfunction
from typing import Any

from .array.math import UFUNCS

__all__ = ["wrapped_class"]

Kernel = Callable[..., Any]


def wrapped_class(cls: type, wrap: Callable[[str, Kernel], Kernel], free: Collection[str]) -> type:
    """A subclass of a backend's class with ``wrap(name, kernel)`` in place of every public method.

    Args:
        cls: the class.
        wrap: takes a method's name and the method; also those that are ufuncs and only an object has.
        free: the names of methods that stay as they are.
    """
    methods = {
        name: wrap(name, getattr(cls, name))
        for name in dir(cls)
        if not name.startswith("_") and name not in free and isfunction(getattr(cls, name))
    }

    def bind_ufuncs(self: Any) -> None:
        cls.bind_ufuncs(self)  # type: ignore[attr-defined]
        for name in UFUNCS:
            if name in vars(self):
                setattr(self, name, wrap(name, vars(self)[name]))

    return type(cls.__name__, (cls,), methods | {"bind_ufuncs": bind_ufuncs, "__module__": cls.__module__})
