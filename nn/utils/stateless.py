"""Modules as functions of their parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.pieces import stack
from ..module import Module

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Module, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """Call a module with other tensors in the place of its parameters and buffers; the module stays as it is.

    Args:
        module: the module to call.
        parameter_and_buffer_dicts: tensors by the names of ``named_parameters()`` and ``named_buffers()``; one
            dictionary or several. What they do not name stays as the module has it.
        args: the argument, or a tuple of them.
        kwargs: keyword arguments.
        tie_weights: whether a tensor given for a parameter that has several names stands for all of them.
        strict: whether every parameter and buffer must be named, and nothing else; without it, names that the module
            does not have are passed over.

    Raises:
        RuntimeError: with ``strict``, names that the module does not have, or that are missing.
        ValueError: the same name in several dictionaries, or different tensors for names that are tied.
    """
    given = _merged(parameter_and_buffer_dicts)
    several = args if isinstance(args, tuple) else () if args is None else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*several, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Tensor]:
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, Sequence) or not all(isinstance(d, Mapping) for d in dicts):
        raise ValueError(f"functional_call: expected a dictionary or a sequence of them, got {type(dicts).__name__}")
    made: dict[str, Tensor] = {}
    for d in dicts:
        if twice := sorted(made.keys() & d.keys()):
            raise ValueError(f"functional_call: {twice} are named in more than one dictionary")
        made.update(d)
    return made


def _places(module: Module) -> dict[str, tuple[dict[str, Any], Module, str]]:
    """Where each parameter and buffer is kept: under its full name the table, the module and its name there."""
    found = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        for table in (owner._parameters, owner._buffers):
            for name, value in table.items():
                if value is not None:
                    found[f"{path}.{name}" if path else name] = (table, owner, name)
    return found


def _tied(places: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Tensor]:
    """What was given, for all names of the same parameter."""
    names: dict[int, list[str]] = {}
    for full, (table, _, name) in places.items():
        names.setdefault(id(table[name]), []).append(full)
    made = dict(given)
    for group in names.values():
        tensors = {id(given[full]): given[full] for full in group if full in given}
        if len(tensors) > 1:
            raise ValueError(f"functional_call: {group} are one tensor in the module, but were given different ones")
        for tensor in tensors.values():
            made.update(dict.fromkeys(group, tensor))
    return made


@contextlib.contextmanager
def _replaced(module: Module, given: dict[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    places = _places(module)
    if tie_weights:
        given = _tied(places, given)
    unknown, missing = sorted(given.keys() - places.keys()), sorted(places.keys() - given.keys())
    if strict and (unknown or missing):
        raise RuntimeError(
            f"functional_call: {type(module).__name__} "
            + "; ".join([f"has no {unknown}"] * bool(unknown) + [f"misses {missing}"] * bool(missing))
        )
    given = {full: tensor for full, tensor in given.items() if full in places}
    before = {full: places[full][0][places[full][2]] for full in given}
    try:
        for full, tensor in given.items():
            _put(places[full], tensor)
        yield
    finally:
        for full, tensor in before.items():
            _put(places[full], tensor)


def _put(place: tuple[dict[str, Any], Module, str], tensor: Any) -> None:
    table, _, name = place
    table[name] = tensor


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of several models of one make, each stacked along a new first dimension.

    Together with ``functional_call`` and ``vmap`` the models then run as one.

    Args:
        models: of the same class, in the same mode.

    Returns:
        Parameters (leaves that require grad where the models' do) and buffers, by name.

    Raises:
        RuntimeError: no models, models of different classes, in different modes, or parameters that differ in
            whether they require grad.
    """
    if not models:
        raise RuntimeError("stack_module_state: expected at least one model, got 0")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError(
            f"stack_module_state: models of different classes: {sorted({type(m).__name__ for m in models})}"
        )
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: all models must be in the same mode, training or evaluation")
    params = {name: _stacked([dict(m.named_parameters())[name] for m in models], name)
              for name, _ in models[0].named_parameters()}  # fmt: skip
    buffers = {name: _stacked([dict(m.named_buffers())[name] for m in models], name)
               for name, _ in models[0].named_buffers()}  # fmt: skip
    return params, buffers


def _stacked(tensors: list[Tensor], name: str) -> Tensor:
    wanted = {t.requires_grad for t in tensors}
    if len(wanted) > 1:
        raise RuntimeError(f"stack_module_state: '{name}' requires grad in some of the models only")
    made: Tensor = stack([t.detach() for t in tensors])
    return made.requires_grad_() if wanted == {True} else made
