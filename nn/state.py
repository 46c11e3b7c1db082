"""Saving and loading what a module holds: ``state_dict`` and back."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..autograd import Tensor, no_grad
from .parameter import Parameter, Uninitialized

__all__ = ["IncompatibleKeys", "Stateful"]

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict(strict=False)`` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class StateDict(OrderedDict[str, Any]):
    """Parameters and buffers by dotted name; ``_metadata`` holds the version of each module by its name."""

    _metadata: dict[str, dict[str, Any]]


class Stateful:
    """The part of ``Module`` that saves and loads."""

    _version: int = 1
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent: set[str]
    _hooks: Any

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Put the module's own parameters and buffers, not its submodules', into ``destination``."""
        for name, p in self._parameters.items():
            if p is not None:
                destination[prefix + name] = p if keep_vars or isinstance(p, Uninitialized) else p.detach()
        for name, b in self._buffers.items():
            if b is not None and name not in self._non_persistent:
                destination[prefix + name] = b if keep_vars or isinstance(b, Uninitialized) else b.detach()
        if type(self).get_extra_state is not Stateful.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """What else belongs to the module's state; a subclass that defines it defines ``set_extra_state`` too."""
        raise RuntimeError(f"{type(self).__name__}: get_extra_state is not defined")

    def set_extra_state(self, state: Any) -> None:
        """Take over what ``get_extra_state`` has given."""
        raise RuntimeError(
            f"{type(self).__name__}: has no set_extra_state, but the state dict has an extra state for it"
        )

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Parameters and persistent buffers by dotted name; they share memory with the module.

        Args:
            destination: a dictionary to put them into.
            prefix: goes before every name.
            keep_vars: give the parameters themselves, not detached tensors.
            args: the three by position, as old programs hand them on.
        """
        if args:
            warnings.warn("state_dict: give destination, prefix and keep_vars by name", FutureWarning, stacklevel=2)
            named = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            destination, prefix = named.get("destination", destination), named.get("prefix", prefix)
            keep_vars = named.get("keep_vars", keep_vars)
        if destination is None:
            destination = StateDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        hooks = self._hooks
        for hook in list(hooks.save_pre.values()) if hooks is not None else ():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(hooks.save_post.values()) if hooks is not None else ():
            hook(self, destination, prefix, metadata)
        return destination

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values into parameters and buffers by name.

        Args:
            state_dict: what ``state_dict`` gave.
            strict: refuse missing and unexpected names.
            assign: take over the given tensors rather than copy their values.

        Raises:
            RuntimeError: names (where strict) or shapes that do not match; all of them are listed.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dictionary of tensors, got {type(state_dict).__name__}")
        state = OrderedDict(state_dict)
        loading = _Loading(getattr(state_dict, "_metadata", {}), assign)
        loading.load(self, state, "")
        missing, unexpected, wrong = loading.missing, loading.unexpected, loading.errors
        if strict and unexpected:
            wrong.insert(0, "Unexpected key(s) in state_dict: " + ", ".join(f'"{k}"' for k in unexpected) + ". ")
        if strict and missing:
            wrong.insert(0, "Missing key(s) in state_dict: " + ", ".join(f'"{k}"' for k in missing) + ". ")
        if wrong:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(wrong))
        return IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], strict: bool,
        missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Load the module's own parameters and buffers; what does not fit is added to the lists."""
        for hook in list(self._hooks.load_pre.values()) if self._hooks is not None else ():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        buffers = {k: b for k, b in self._buffers.items() if k not in self._non_persistent}
        own = {name: t for name, t in (*self._parameters.items(), *buffers.items()) if t is not None}
        for name, target in own.items():
            key = prefix + name
            if key in state_dict:
                error = self._load_one(name, target, key, state_dict[key], assign)
                error_msgs += [error] if error else []
            elif strict:
                missing_keys.append(key)
        if type(self).set_extra_state is not Stateful.set_extra_state:
            if prefix + EXTRA in state_dict:
                self.set_extra_state(state_dict[prefix + EXTRA])
            elif strict:
                missing_keys.append(prefix + EXTRA)
        elif strict and prefix + EXTRA in state_dict:
            unexpected_keys.append(prefix + EXTRA)
        for key in state_dict if strict else ():
            if key.startswith(prefix) and key != prefix + EXTRA:
                name, *below = key[len(prefix) :].split(".")
                if name not in own if not below else self._modules.get(name) is None:
                    unexpected_keys.append(key)

    def _load_one(self, name: str, target: Tensor, key: str, given: Any, assign: bool) -> str:
        """Load one parameter or buffer; returns what is wrong with it, or nothing."""
        if not isinstance(given, Tensor):
            return (
                f'While copying the parameter named "{key}", expected a Tensor from checkpoint but received '
                f"{type(given).__name__}."
            )
        if isinstance(given, Uninitialized):
            if not isinstance(target, Uninitialized):
                return f"{key}: the checkpoint's parameter is uninitialized, the current model's is not."
            return ""
        if given.ndim == 1 and target.ndim == 0:  # numbers were saved so before there were tensors without dimensions
            given = given[0]
        if given.shape != target.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, the shape in "
                f"current model is {target.shape}."
            )
        with no_grad():
            if not assign:
                target.copy_(given)
            elif isinstance(target, Parameter):
                new = given if isinstance(given, Parameter) else Parameter(given, requires_grad=target.requires_grad)
                setattr(self, name, new)
            else:
                setattr(self, name, given)
        return ""


class _Loading:
    """One ``load_state_dict``, on its way through the submodules."""

    def __init__(self, metadata: Mapping[str, Any], assign: bool) -> None:
        self._metadata, self._assign = metadata, assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def load(self, module: Any, state: dict[str, Any], prefix: str) -> None:
        """Load a module and all below it."""
        known = dict(self._metadata.get(prefix[:-1], {}))
        if self._assign:
            known["assign_to_params_buffers"] = True
        module._load_from_state_dict(state, prefix, known, True, self.missing, self.unexpected, self.errors)
        for name, child in module._modules.items():
            if child is not None:
                below = f"{prefix}{name}."
                self.load(child, {k: v for k, v in state.items() if k.startswith(below)}, below)
        keys = IncompatibleKeys(self.missing, self.unexpected)
        for hook in list(module._hooks.load_post.values()) if module._hooks is not None else ():
            if hook(module, keys) is not None:
                raise RuntimeError(
                    "load_state_dict: a post-hook must change the lists of keys in place and return None"
                )
