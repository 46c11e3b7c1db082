"""Hooks around the steps of optimizers: of one optimizer, and of all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ...autograd.handles import HookTable, RemovableHandle

__all__ = ["hooked", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

BEFORE_ALL = HookTable()
AFTER_ALL = HookTable()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before the steps of all optimizers; it may return other arguments."""
    return BEFORE_ALL.add(hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after the steps of all optimizers."""
    return AFTER_ALL.add(hook)


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """A method ``step`` with the hooks around it."""

    @wraps(step)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not (BEFORE_ALL or AFTER_ALL or self._step_pre_hooks or self._step_post_hooks):
            return step(self, *args, **kwargs)
        given: tuple[Any, ...] = (self, *args)
        for hook in [*BEFORE_ALL.values(), *self._step_pre_hooks.values()]:
            changed = hook(self, given, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{step.__qualname__}: a step pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {changed}"
                    )
                given, kwargs = changed
        out = step(*given, **kwargs)
        for hook in [*self._step_post_hooks.values(), *AFTER_ALL.values()]:
            hook(self, given, kwargs)
        return out

    return run
