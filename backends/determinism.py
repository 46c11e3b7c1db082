"""Settings of determinism and of denormal numbers that PyTorch scripts touch."""

from __future__ import annotations

from typing import Any

__all__ = [
    "are_deterministic_algorithms_enabled", "get_deterministic_debug_mode",
    "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled", "set_deterministic_debug_mode",
    "set_flush_denormal", "set_warn_always", "use_deterministic_algorithms",
]  # fmt: skip

_MODES = {"default": 0, "warn": 1, "error": 2}
_mode = 0
_always = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Say that the same input must give the same bits each time.

    On the CPU it always does, whatever is said here. On a card sums into places that several threads reach
    (``index_add``, ``scatter_add``, the gradient of an embedding) take the order of their arrival, and saying so here
    does not change them.

    Args:
        mode: whether it must. warn_only: kept for ``is_deterministic_algorithms_warn_only_enabled``.
    """
    set_deterministic_debug_mode(0 if not mode else 1 if warn_only else 2)


def are_deterministic_algorithms_enabled() -> bool:
    """What ``use_deterministic_algorithms`` was last told; False at the start."""
    return _mode > 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether it was told to warn only."""
    return _mode == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """The same as one of "default", "warn" and "error", or 0, 1 and 2.

    Raises:
        RuntimeError: another value.
    """
    global _mode
    found: Any = _MODES.get(debug_mode, debug_mode) if isinstance(debug_mode, str) else debug_mode
    if found not in (0, 1, 2):
        raise RuntimeError(f"set_deterministic_debug_mode: {debug_mode!r} is not one of {', '.join(_MODES)}, 0, 1, 2")
    _mode = found


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: off, warn, refuse."""
    return _mode


def set_flush_denormal(mode: bool) -> bool:
    """Returns False: the processor's mode is the host program's and is left alone, as PyTorch says where it cannot."""
    return False


def set_warn_always(b: bool) -> None:
    """Whether warnings that come once per process come each time; the library's follow Python's own filters."""
    global _always
    _always = bool(b)


def is_warn_always_enabled() -> bool:
    """What ``set_warn_always`` was last told."""
    return _always
