"""Penalties on weights, added to the loss."""

from __future__ import annotations

from typing import Any

from ..autograd import Tensor

__all__ = ["L1", "L1L2", "L2", "get", "l1", "l1_l2", "l2"]


class L1L2:
    """``l1 * sum(|w|) + l2 * sum(w**2)``."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = float(l1), float(l2)

    def __call__(self, weight: Tensor) -> Tensor:
        total = self.l2 * (weight * weight).sum()
        return total + self.l1 * weight.abs().sum() if self.l1 else total

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"l1": self.l1, "l2": self.l2}


def L1(l1: float = 0.01) -> L1L2:
    """``l1 * sum(|w|)``."""
    return L1L2(l1=l1)


def L2(l2: float = 0.01) -> L1L2:
    """``l2 * sum(w**2)``."""
    return L1L2(l2=l2)


l1, l2 = L1, L2


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """``l1 * sum(|w|) + l2 * sum(w**2)``."""
    return L1L2(l1, l2)


def get(identifier: Any) -> Any:
    """A regulariser by name ("l1", "l2", "l1_l2"), from its saved form, or as it is.

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, dict):
        return L1L2(**identifier["config"])
    if identifier is None or callable(identifier):
        return identifier
    known = {"l1": l1, "l2": l2, "l1_l2": l1_l2, "L1": l1, "L2": l2, "L1L2": l1_l2}
    if identifier not in known:
        raise ValueError(f"unknown regularizer {identifier!r}; use 'l1', 'l2', 'l1_l2', or a function of the weight")
    return known[identifier]()
