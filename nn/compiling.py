"""``tapegrad.compile`` and ``tapegrad.compiler``: accepted as PyTorch has them; nothing is compiled.

A function or module runs as it stands. What a compiler would fuse is fused in the kernels: a ``Sequential`` runs a
linear layer and its activation as one, losses and normalisations are one operation each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "is_compiling",
    "is_dynamo_compiling", "is_exporting", "list_backends", "reset", "set_stance",
]  # fmt: skip

T = TypeVar("T")
MODES = (None, "default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs", "lite")


def compile(
    model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: Any = "inductor",
    mode: str | None = None, options: dict[str, Any] | None = None, disable: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """The function or module itself; PyTorch's arguments are taken and change nothing.

    So ``compile(net)`` is ``net``, and its ``state_dict`` has no prefix ``_orig_mod.``. It is also a decorator, with or
    without arguments.

    Args:
        model: a function or a module; None gives the decorator.
        mode: one of PyTorch's names.
        fullgraph, dynamic, backend, options, disable: as in PyTorch.

    Raises:
        RuntimeError: an unknown mode, or a mode together with options.
        TypeError: what is to be compiled cannot be called.
    """
    if mode is not None and options is not None:
        raise RuntimeError("compile: give either mode or options, not both")
    if mode not in MODES:
        raise RuntimeError(f"compile: unknown mode {mode!r}; it is one of {', '.join(m for m in MODES if m)}")
    if model is None:
        return lambda found: compile(found)
    if not callable(model):
        raise TypeError(f"compile: needs a function or a module, got {type(model).__name__}")
    return model


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """A function that is never compiled, as none is; also a decorator."""
    return (lambda found: found) if fn is None else fn


def allow_in_graph(fn: T) -> T:
    """The function itself."""
    return fn


def assume_constant_result(fn: Callable[..., T]) -> Callable[..., T]:
    """The function itself."""
    return fn


def is_compiling() -> bool:
    """False: nothing is being compiled."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """The names of compilers: "eager", which runs the code as it stands."""
    return ["eager"]


def reset() -> None:
    """Forget what was compiled: there is nothing."""


def cudagraph_mark_step_begin() -> None:
    """Say that a training step begins; there are no recorded graphs that would need to know."""


class set_stance:  # noqa: N801
    """Say how compiled functions behave, as a call or a context; there are none, so nothing changes."""

    def __init__(self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None):
        self.stance = stance

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None

    def __call__(self, fn: T) -> T:
        return fn
