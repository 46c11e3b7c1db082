"""What the programs of `test_tape` are written with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Programs", "attempt"]

ERRORS = (RuntimeError, TypeError, ValueError, IndexError, AttributeError)


class Programs(dict[str, Callable[[Any], Any]]):
    """Programs by name: a decorator that adds a function of the library."""

    def __call__(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        assert function.__name__ not in self
        self[function.__name__] = function
        return function


def attempt(function: Callable[[], Any]) -> Any:
    """What a part of a program answers, or the class of its error."""
    try:
        return function()
    except ERRORS as error:
        return "RuntimeError" if isinstance(error, RuntimeError) else type(error).__name__
