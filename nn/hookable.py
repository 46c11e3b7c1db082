"""How hooks on modules are registered: on one module, and on all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.handles import HookTable, RemovableHandle
from .call_hooks import EVERYWHERE, REGISTERED, ModuleHooks, run

__all__ = [
    "Hookable", "register_module_backward_hook", "register_module_buffer_registration_hook",
    "register_module_forward_hook", "register_module_forward_pre_hook", "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook", "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]  # fmt: skip


def _table(name: str) -> Any:
    """A table of hooks under the name that it has in PyTorch, which programs read, clear and replace."""

    def read(self: Hookable) -> HookTable:
        found: HookTable = getattr(self._hooks_of_calls(), name)
        return found

    def write(self: Hookable, hooks: dict[int, Any]) -> None:
        table, kept = read(self), dict(hooks)
        table.clear()
        table.update(kept)

    return property(read, write)


class Hookable:
    """The part of ``Module`` that hooks are registered with. Every method returns a handle that removes the hook."""

    _hooked = False  # whether a call must look for hooks: set on the instance, or on the class for all
    _hooks: ModuleHooks | None
    _forward_hooks, _forward_pre_hooks = _table("forward"), _table("forward_pre")
    _backward_hooks, _backward_pre_hooks = _table("backward"), _table("backward_pre")

    def _own_hooks(self) -> ModuleHooks:
        if self._hooks is None:
            self.__dict__["_hooks"] = ModuleHooks()
        assert self._hooks is not None
        return self._hooks

    def _hooks_of_calls(self) -> ModuleHooks:
        self.__dict__["_hooked"] = True
        return self._own_hooks()

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._hooks is not None and self._hooks.any_call():
            return run(self, args, kwargs)
        if EVERYWHERE.any_call():
            return run(self, args, kwargs)
        Hookable._hooked = False  # whatever was there for all modules is gone
        if "forward" not in self.__dict__:
            self.__dict__.pop("_hooked", None)
        return self.forward(*args, **kwargs)  # type: ignore[attr-defined]

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before every forward; what it returns replaces the arguments.

        Args:
            hook: the function; ``hook(module, args, kwargs)`` where ``with_kwargs``, which returns both or None.
            prepend: call it before the hooks that are there.
            with_kwargs: hand it the keyword arguments too.
        """
        return self._hooks_of_calls().add_forward("forward_pre", hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after every forward; what it returns replaces the output.

        Args:
            hook: the function; ``hook(module, args, kwargs, output)`` where ``with_kwargs``.
            prepend: call it before the hooks that are there.
            with_kwargs: hand it the keyword arguments too.
            always_call: call it even if the forward raises an error; the output is None then.
        """
        return self._hooks_of_calls().add_forward("forward", hook, prepend, with_kwargs, always_call)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when backward comes to the outputs; what it returns replaces the tuple."""
        return self._hooks_of_calls().backward_pre.add(hook, first=prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when backward has run the last step of the module's forward.

        The older kind, kept for old programs: of a module with several steps it sees only the last one, whose inputs
        are not the module's. Use ``register_full_backward_hook``.

        Raises:
            RuntimeError: the module has full backward hooks.
        """
        hooks = self._hooks_of_calls()
        _refuse_both(hooks.backward)
        return hooks.legacy.add(hook)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when backward has come to the inputs.

        Both are tuples over the positional arguments and the outputs, None where there is no gradient. What it returns
        takes the place of ``grad_input``. Where no input requires a gradient it is called at the outputs.
        """
        hooks = self._hooks_of_calls()
        _refuse_both(hooks.legacy)
        return hooks.backward.add(hook, first=prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict`` collects the module."""
        return self._own_hooks().save_pre.add(hook)

    def register_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after; it changes the dictionary in place."""
        return self._own_hooks().save_post.add(hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call a hook before ``load_state_dict`` loads the module.

        Args:
            hook: a function of ``(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                error_msgs)``, which may change the dictionary and the lists.
        """
        return self._own_hooks().load_pre.add(hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after; it may change the lists in place."""
        return self._own_hooks().load_post.add(hook)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before every forward of every module."""
    return _everywhere().add_forward("forward_pre", hook, False, False)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every forward of every module."""
    return _everywhere().add_forward("forward", hook, False, with_kwargs, always_call)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after the last step of any module's forward; the older kind."""
    hooks = _everywhere()
    _refuse_both(hooks.backward)
    return hooks.legacy.add(hook)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` when backward comes to the outputs of any module."""
    return _everywhere().backward_pre.add(hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` when backward has come to the inputs of any module."""
    hooks = _everywhere()
    _refuse_both(hooks.legacy)
    return hooks.backward.add(hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` when a module is given a parameter; what it returns replaces it."""
    return REGISTERED["parameter"].add(hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` when a module is given a buffer; what it returns replaces it."""
    return REGISTERED["buffer"].add(hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` when a module is given a submodule; what it returns replaces it."""
    return REGISTERED["module"].add(hook)


def _refuse_both(others: HookTable) -> None:
    if others:
        raise RuntimeError("backward hooks: a module takes those of the older kind or full ones, not both")


def _everywhere() -> ModuleHooks:
    Hookable._hooked = True
    return EVERYWHERE
