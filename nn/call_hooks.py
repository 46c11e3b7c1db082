"""Hooks on modules: what is called before and after a module's forward and backward."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from ..autograd import Function, Tensor, is_grad_enabled
from ..autograd.handles import HookTable, RemovableHandle

__all__ = ["EVERYWHERE", "REGISTERED", "ModuleHooks", "run"]


class ModuleHooks:
    """The hooks of one module, or of all.

    Attributes:
        with_kwargs: numbers of the forward and pre-forward hooks that are given keyword arguments too.
        always: numbers of the forward hooks that are called after an error as well.
    """

    def __init__(self) -> None:
        self.forward_pre, self.forward = HookTable(), HookTable()
        self.backward_pre, self.backward, self.legacy = HookTable(), HookTable(), HookTable()
        self.with_kwargs, self.always = HookTable(), HookTable()
        self.save_pre, self.save_post, self.load_pre, self.load_post = (HookTable() for _ in range(4))

    def add_forward(
        self, name: str, hook: Callable[..., Any], prepend: bool, with_kwargs: bool, always: bool = False
    ) -> RemovableHandle:
        """Add a hook of the table ``forward`` or ``forward_pre``."""
        table = getattr(self, name)
        key = table.add(hook, first=prepend).id
        if with_kwargs:
            self.with_kwargs[key] = True
        if always:
            self.always[key] = True
        handle = RemovableHandle(table, extra_dict=[self.with_kwargs, self.always])
        handle.id = key
        return handle

    def any_call(self) -> bool:
        """Whether a call of the module has to look for hooks."""
        return bool(self.forward_pre or self.forward or self.backward_pre or self.backward or self.legacy)


# The hooks of all modules together, called before a module's own.
EVERYWHERE = ModuleHooks()
# What is called when any module is given a parameter, a buffer or a submodule.
REGISTERED = {kind: HookTable() for kind in ("parameter", "buffer", "module")}
_NONE = ModuleHooks()


def _hooks(module: Any, name: str) -> Iterator[tuple[ModuleHooks, int, Callable[..., Any]]]:
    for holder in (EVERYWHERE, module._hooks or _NONE):
        for key, hook in list(getattr(holder, name).items()):
            yield holder, key, hook


def run(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a module's forward with all hooks around it."""
    called: set[int] = set()
    out: list[Any] = [None]
    try:
        return _run(module, args, kwargs, out, called)
    except Exception:
        for holder, key, hook in _hooks(module, "forward"):
            if key in holder.always and key not in called:
                _call_after_error(module, holder, key, hook, args, kwargs, out)
        raise


def _run(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: list[Any], called: set[int]) -> Any:
    for holder, key, hook in _hooks(module, "forward_pre"):
        if key in holder.with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is not None:
                args, kwargs = _args_and_kwargs(changed)
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    pre, post = ([hook for _, _, hook in _hooks(module, name)] for name in ("backward_pre", "backward"))
    boundary = _Backward(module, pre, post) if pre or post else None
    if boundary is not None:
        args = boundary.enter(args)
    out[0] = module.forward(*args, **kwargs)
    for holder, key, hook in _hooks(module, "forward"):
        called.add(key)
        changed = _after(module, holder, key, hook, args, kwargs, out[0])
        if changed is not None:
            out[0] = changed
    if boundary is not None:
        out[0] = boundary.leave(out[0])
    for _, _, hook in _hooks(module, "legacy"):
        _at_last_step(module, hook, out[0])
    return out[0]


def _at_last_step(module: Any, hook: Callable[..., Any], out: Any) -> None:
    """Hang a hook of the older kind onto the last step of a module's forward."""
    while not isinstance(out, Tensor):
        if isinstance(out, dict):
            out = next(v for v in out.values() if isinstance(v, Tensor))
        else:
            out = out[0]
    step = out.grad_fn
    if step is not None:
        step.register_hook(lambda found, given: hook(module, found, given))


def _after(module: Any, holder: ModuleHooks, key: int, hook: Any, args: Any, kwargs: Any, out: Any) -> Any:
    return hook(module, args, kwargs, out) if key in holder.with_kwargs else hook(module, args, out)


def _call_after_error(module: Any, holder: ModuleHooks, key: int, hook: Any, args: Any, kwargs: Any, out: Any) -> None:
    try:
        changed = _after(module, holder, key, hook, args, kwargs, out[0])
        if changed is not None:
            out[0] = changed
    except Exception as error:
        warnings.warn(
            f"a forward hook with always_call=True raised an error that was silenced, since another was raised before: "
            f"{error}",
            stacklevel=4,
        )


def _args_and_kwargs(changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not isinstance(changed, tuple) or len(changed) != 2:
        raise RuntimeError(
            f"forward pre-hook: with with_kwargs=True it must return None or a tuple of new args and kwargs, not "
            f"{changed!r}"
        )
    return changed


class _Boundary(Function):
    """Hands tensors on as they are: a step of the tape where all gradients come by together."""

    @staticmethod
    def forward(ctx: Any, *args: Tensor) -> tuple[Tensor, ...]:
        ctx.mark_non_differentiable(*[a for a in args if not a.requires_grad])
        return args

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        return grads


class _Backward:
    """The backward hooks around one call of a module: its gradients are seen where they enter it and where they leave.

    Attributes:
        leaving: the gradients of the module's outputs, from when backward has come to them.
        inputs: which of the arguments are tensors; None where none of them wants a gradient.
    """

    def __init__(self, module: Any, pre: list[Any], post: list[Any]) -> None:
        self._module, self._pre, self._post = module, pre, post
        self._leaving: tuple[Any, ...] | None = None
        self._inputs: list[int] | None = None
        self._count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put the step before the module's inputs."""
        self._count = len(args)
        args, step, self._inputs = _bounded(args)
        if step is not None:
            step.register_hook(self._at_inputs)
        return args

    def leave(self, out: Any) -> Any:
        """Put the step behind the module's outputs."""
        several = out if isinstance(out, tuple) else (out,)
        made, step, places = _bounded(several)
        if step is None:
            return out

        def at_outputs(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            return self._at_outputs(grads, places or [], len(several))

        step.register_prehook(at_outputs)
        return made if isinstance(out, tuple) else made[0]

    def _at_outputs(self, grads: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
        whole = _spread(grads, places, count)
        for hook in self._pre:
            changed = hook(self._module, whole)
            if changed is not None:
                whole = _as_many("full backward pre-hook", changed, whole)
        self._leaving = whole
        if self._inputs is None:  # nothing will come out at the inputs
            for hook in self._post:
                changed = hook(self._module, (None,) * self._count, whole)
                if changed is not None and any(c is not None for c in _as_tuple(changed)):
                    raise RuntimeError(
                        "full backward hook: of a module where no input requires a gradient it must return None"
                    )
            self._leaving = None
        return tuple(whole[k] for k in places)

    def _at_inputs(self, found: tuple[Any, ...], _: Any) -> tuple[Any, ...] | None:
        if self._leaving is None:  # the gradient came round the module
            return None
        whole = _spread(found, self._inputs or [], self._count)
        for hook in self._post:
            changed = hook(self._module, whole, self._leaving)
            if changed is not None:
                whole = _as_many("full backward hook", changed, whole)
        self._leaving = None
        return tuple(whole[k] for k in self._inputs or [])


def _bounded(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any, list[int] | None]:
    """The values with their tensors behind one step of the tape, the step, and the places of the tensors."""
    places = [k for k, v in enumerate(values) if isinstance(v, Tensor)]
    if not is_grad_enabled() or not any(values[k].requires_grad for k in places):
        return values, None, None
    passed = list(values)
    step = None
    for k, t in zip(places, _Boundary.apply(*[values[k] for k in places]), strict=True):
        passed[k] = t
        step = t.grad_fn if step is None else step
    return tuple(passed), step, places


def _spread(grads: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
    whole = [None] * count
    for k, g in zip(places, grads, strict=True):
        whole[k] = g
    return tuple(whole)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _as_many(name: str, changed: Any, before: tuple[Any, ...]) -> tuple[Any, ...]:
    several = _as_tuple(changed)
    if len(several) != len(before):
        raise RuntimeError(f"{name}: returned {len(several)} gradients, expected {len(before)}")
    return several
