"""Modules without the cost of initial values that nobody looks at."""

from __future__ import annotations

import inspect
from typing import Any

from ...backends.random import default_generator
from ..module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Any:
    """A module whose parameters are not to be looked at before they are set; the generator stays where it was.

    Args:
        module_cls: the class; its constructor takes ``device``.
        args, kwargs: for the constructor.

    Raises:
        RuntimeError: no class of modules, or one that takes no ``device``.
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    state = default_generator.get_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        default_generator.set_state(state)
