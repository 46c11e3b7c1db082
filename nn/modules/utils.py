"""Sizes that may be given once for all dimensions, under PyTorch's path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..sizes import reversed_twice, several

__all__ = [
    "consume_prefix_in_state_dict_if_present",
    "_ntuple",
    "_pair",
    "_quadruple",
    "_reverse_repeat_tuple",
    "_single",
    "_triple",
]


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives a sequence as a tuple, and anything else ``n`` times."""

    def parse(x: Any) -> tuple[Any, ...]:
        return several(x, n)

    parse.__name__ = name
    return parse


_single, _pair, _triple, _quadruple = (_ntuple(n) for n in (1, 2, 3, 4))


def _reverse_repeat_tuple(t: tuple[int, ...], n: int) -> tuple[int, ...]:
    """The numbers from the last to the first, each ``n`` times."""
    return tuple(reversed_twice(t)) if n == 2 else tuple(x for x in reversed(t) for _ in range(n))


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take a prefix such as ``module.`` off the names in a ``state_dict``, in place, where they have it."""
    for names in (state_dict, getattr(state_dict, "_metadata", {})):
        for name in list(names):
            if name.startswith(prefix) or (names is not state_dict and name and name == prefix.rstrip(".")):
                names[name[len(prefix) :]] = names.pop(name)
