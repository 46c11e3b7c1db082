"""Which classes and functions a file may name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .names import HARMLESS, READ

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals", "trusted", "unsafe_globals"]

_safe: list[Any] = []


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """Let ``load(weights_only=True)`` use these classes and functions.

    Args:
        safe_globals: classes and functions, or pairs of one and the full name by which files call it.
    """
    _safe.extend(item for item in safe_globals if item not in _safe)


def clear_safe_globals() -> None:
    """Trust none but those that are always safe."""
    _safe.clear()


def get_safe_globals() -> list[Any]:
    """What ``add_safe_globals`` was given."""
    return list(_safe)


class safe_globals:  # noqa: N801 - PyTorch's name
    """Trust these classes and functions within a ``with`` block."""

    def __init__(self, safe_globals: Iterable[Any]) -> None:
        self._items = list(safe_globals)

    def __enter__(self) -> None:
        self._before = get_safe_globals()
        add_safe_globals(self._items)

    def __exit__(self, *error: object) -> None:
        _safe[:] = self._before


def trusted() -> dict[tuple[str, str], Any]:
    """All that may be used, by module and name."""
    found = {**READ, **HARMLESS}
    for item in _safe:
        obj, full = item if isinstance(item, tuple) else (item, f"{item.__module__}.{item.__qualname__}")
        module, _, name = full.rpartition(".")
        for written in _also_called(module):
            found[written, name] = obj
    return found


def _also_called(module: str) -> Iterator[str]:
    """A module's name, and the one that it had before or has since: NumPy's and builtins'."""
    yield module
    if module.startswith("numpy._core"):
        yield module.replace("numpy._core", "numpy.core", 1)
    elif module.startswith("numpy.core"):
        yield module.replace("numpy.core", "numpy._core", 1)
    elif module == "builtins":
        yield "__builtin__"


def named(text: Any) -> Iterator[tuple[str, str]]:
    """The classes and functions that a pickle names, read without running it; (module, name)."""
    import pickletools

    strings: list[str] = []
    memo: dict[Any, Any] = {}
    last: Any = None
    for op, arg, _ in pickletools.genops(text):
        if op.name == "GLOBAL":
            module, _, name = str(arg).partition(" ")
            yield module, name
        elif op.name == "STACK_GLOBAL" and len(strings) >= 2:
            yield strings[-2], strings[-1]
        if op.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if arg is None else arg] = last
            continue
        last = arg if "UNICODE" in op.name else memo.get(arg) if op.name.endswith("GET") else None
        if isinstance(last, str):
            strings.append(last)


def unsafe_globals(f: Any) -> list[str]:
    """The full names of what a file needs and ``load(weights_only=True)`` refuses; nothing is run.

    Args:
        f: a path, or a seekable file.
    """
    from .archive import ArchiveReader

    if hasattr(f, "read"):
        found = list(named(ArchiveReader(f, "the file").read("data.pkl")))
    else:
        with open(f, "rb") as file:
            found = list(named(ArchiveReader(file, str(f)).read("data.pkl")))
    known = trusted()
    return sorted({f"{module}.{name}" for module, name in found if (module, name) not in known})
