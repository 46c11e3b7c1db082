"""What optimizers refuse, and how they reach raw arrays."""

from __future__ import annotations

from typing import Any

from ...autograd import Tensor

__all__ = ["check_betas", "check_lr", "check_range", "check_switches", "raw"]


def check_range(name: str, value: Any, low: float = 0.0, high: float | None = None) -> None:
    """Refuse an option outside its range.

    Raises:
        ValueError: outside.
    """
    if not low <= value or (high is not None and not value < high):
        bounds = f"at least {low}" if high is None else f"in [{low}, {high})"
        raise ValueError(f"Invalid {name}: {value}; it must be {bounds}")


def check_lr(lr: Any, text: str = "Invalid learning rate: {lr}; it must be at least 0.0") -> None:
    """Refuse a learning rate below zero, or a tensor that is not one number.

    Raises:
        ValueError: so.
    """
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element, but has shape {tuple(lr.shape)}")
    if not lr >= 0:
        raise ValueError(text.format(lr=lr))


def check_betas(betas: Any) -> None:
    """Refuse shares of running means that are not in [0, 1).

    Raises:
        ValueError: so.
    """
    for i, beta in enumerate(betas):
        check_range(f"beta parameter at index {i}", beta, 0.0, 1.0)


def check_switches(name: str, foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Refuse what the switches for PyTorch's ways to run a step cannot mean; the others are accepted without effect.

    Raises:
        RuntimeError: both of ``foreach`` and ``fused``, or ``differentiable``.
    """
    if fused and differentiable:
        raise RuntimeError(f"{name}: `fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError(f"{name}: `fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise RuntimeError(
            f"{name}: differentiable=True is not possible: a step writes to leaves and is not recorded; "
            "write the update with operations on tensors instead"
        )


def raw(moved: list[Tensor]) -> tuple[Any, list[Any], list[Any]]:
    """The backend of the parameters, their arrays, and those of their gradients."""
    return (
        moved[0]._device.backend,
        [p._array for p in moved],
        [(p if p._node is None else p._node).grad._array for p in moved],  # type: ignore[union-attr]
    )
