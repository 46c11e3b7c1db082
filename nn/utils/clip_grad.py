"""Bounds on gradients."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

from ...autograd import Tensor, no_grad
from ...autograd.ops.create import tensor
from ...autograd.ops.pieces import stack
from ...autograd.ops.reduce import norm
from ...autograd.tensor import wrap

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    several = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad for p in several if p.grad is not None]


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """The old name of ``clip_grad_norm_``; warns."""
    warnings.warn("clip_grad_norm is an old name; use clip_grad_norm_", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """Scale all gradients so that their norm, taken as one vector, is at most ``max_norm``.

    Args:
        parameters: one or several tensors with gradients.
        max_norm: the bound.
        norm_type: the order of the norm; may be infinite.
        error_if_nonfinite: refuse a norm that is nan or infinite.
        foreach: accepted.

    Returns:
        The norm before.

    Raises:
        RuntimeError: a norm that is not finite, where asked.
    """
    grads = _grads(parameters)
    if not grads:
        return tensor(0.0)
    order = float(norm_type)
    if not error_if_nonfinite and order > 0 and _alike(grads):
        backend = grads[0]._device.backend
        total = backend.clip_norm([g._array for g in grads], float(max_norm), order)
        for g in grads:
            g._cell[0] += 1
        return wrap(backend.normal(total), grads[0]._device)
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    _scale(grads, max_norm, total)
    return total


def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """The norm of several tensors, taken as one vector.

    Args:
        tensors: one or several.
        norm_type: the order of the norm; may be infinite.
        error_if_nonfinite: refuse a norm that is nan or infinite.
        foreach: accepted.

    Raises:
        RuntimeError: a norm that is not finite, where asked.
    """
    several, order = [tensors] if isinstance(tensors, Tensor) else list(tensors), float(norm_type)
    if not several:
        return tensor(0.0)
    with no_grad():
        total = norm(stack([norm(t, order) for t in several]), order)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(f"clip_grad_norm_: the norm of order {norm_type} is {total.item()}, and cannot be clipped")
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients by ``max_norm / total_norm`` where that is below 1; see ``get_total_norm``."""
    _scale(_grads(parameters), max_norm, total_norm)


def _scale(grads: list[Tensor], max_norm: float, total: Tensor) -> None:
    with no_grad():
        factor = (float(max_norm) / (total + 1e-6)).clamp(max=1.0)
        for g in grads:
            g.mul_(factor)


def _alike(grads: list[Tensor]) -> bool:
    """Whether the gradients are plain arrays of one float type on one device, so that one call serves them all."""
    first = grads[0]
    kind, device = first._array.dtype, first._device
    if kind.char not in "fd" or device.backend.name == "vmap":
        return False
    return all([g._array.dtype == kind and g._device is device and g._array.size and g._node is None for g in grads])


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Limit every element of every gradient to ``-clip_value .. clip_value``."""
    with no_grad():
        for g in _grads(parameters):
            g.clamp_(-float(clip_value), float(clip_value))
