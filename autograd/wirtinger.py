"""Complex gradients, in PyTorch's convention: the gradient of a real L by z = x + iy is dL/dx + i dL/dy.

For a holomorphic f with derivative f', the cotangent g of f(z) becomes g conj(f'). The formulas of the rule table
multiply by f' and know nothing of conjugates, which real numbers have no use for; conj(formula(conj(g))) is the same
number. So one formula serves both, and a program without complex numbers pays nothing: a device's table of formulas is
replaced by the conjugating one when the first complex tensor comes onto the tape. Rules that are not holomorphic
(``abs``, ``conj``, ``cast`` …) say so in the table and are written in the convention itself.
(Kreutz-Delgado, The Complex Gradient Operator and the CR-Calculus, 2009.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["conjugates", "conjugating", "expect_complex", "prepared"]

_expected = False
_devices: list[Any] = []  # whose tables were filled


def expect_complex() -> None:
    """Take note that complex tensors are on the tape from now on."""
    global _expected
    if not _expected:
        _expected = True
        for dev in _devices:
            dev.vjps = []  # another thread may be reading the old one, which serves it well


def conjugates(rule: Any, g: Any) -> bool:
    """Whether a cotangent must be conjugated before and after the rule's formula."""
    return rule.holomorphic and g.dtype.kind == "c"


def prepared(rule: Any, formulas: tuple[Any, ...], dev: Any) -> tuple[Any, ...]:
    """The formulas of a rule as the backward of the device is to call them."""
    if dev not in _devices:
        _devices.append(dev)
    if not _expected or not rule.holomorphic:
        return formulas
    return tuple(None if f is None else conjugating(f) for f in formulas)


def conjugating(formula: Callable[..., Any]) -> Callable[..., Any]:
    """The formula with the cotangent conjugated before it and its result after, where they are complex."""

    def conjugated(F: Any, g: Any, *saved: Any) -> Any:
        if g.dtype.kind != "c":
            return formula(F, g, *saved)
        found = formula(F, F.conj(g), *saved)
        if isinstance(found, (tuple, list)):  # of a joint rule
            return [None if c is None else F.conj(c) for c in found]
        return F.conj(found)

    return conjugated
