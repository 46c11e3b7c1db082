"""Pruning: a parameter is multiplied by a mask of zeros and ones before every forward of its module.

The parameter itself is kept as ``<name>_orig``, the mask as the buffer ``<name>_mask``, and ``<name>`` is their
product, made anew by a hook before each forward. ``remove`` makes it permanent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import Tensor
from ...autograd.ops.factories import ones_like
from ...autograd.ops.pieces import cat
from ..module import Module
from .pruning_methods import (
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
    methods_of,
)

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
    "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove",
]  # fmt: skip


def identity(module: Module, name: str) -> Module:
    """Give a parameter a mask of ones; see ``BasePruningMethod.apply``. Returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune elements drawn at random: ``amount`` of them, or that share. Returns the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Prune the elements of the smallest absolute values, or scores. Returns the module."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune slices along ``dim`` drawn at random. Returns the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Prune the slices along ``dim`` of the smallest ``n``-norm. Returns the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune by a mask. Returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Prune several parameters as if they were one.

    Args:
        parameters: modules and names of theirs.
        pruning_method: an unstructured one.
        importance_scores: by (module, name), looked at in the place of the parameters.
        kwargs: of the method.

    Raises:
        TypeError: parameters or scores of another form, or a method that is not unstructured.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured: parameters must be an iterable of (module, name)")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured: importance_scores must be a dictionary")
    places = list(parameters)
    method = pruning_method(**kwargs)
    method._tensor_name = "all"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f"global_unstructured: needs an unstructured method, {pruning_method.__name__} is {method.PRUNING_TYPE}"
        )
    tensors = [getattr(module, name) for module, name in places]
    looked_at = cat([scores.get(p, t).detach().reshape(-1) for p, t in zip(places, tensors, strict=True)])
    masks = [getattr(module, name + "_mask", ones_like(t)) for (module, name), t in zip(places, tensors, strict=True)]
    whole = PruningContainer(method).compute_mask(looked_at, cat([m.reshape(-1) for m in masks]))
    begins = 0
    for (module, name), t in zip(places, tensors, strict=True):
        custom_from_mask(module, name, whole[begins : begins + t.numel()].reshape(t.shape))
        begins += t.numel()


def remove(module: Module, name: str) -> Module:
    """Make the pruning of a parameter permanent: it is an ordinary one again, with its zeros.

    Raises:
        ValueError: it is not pruned.
    """
    found = methods_of(module, name)
    if not found:
        raise ValueError(f"prune.remove: parameter '{name}' of {type(module).__name__} is not pruned")
    for key, method in found.items():
        method.remove(module)
        del module._forward_pre_hooks[key]
    return module


def is_pruned(module: Module) -> bool:
    """Whether a parameter of the module, or of one below it, is pruned."""
    return any(isinstance(h, BasePruningMethod) for m in module.modules() for h in m._forward_pre_hooks.values())
