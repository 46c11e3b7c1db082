"""Padding layers."""

from __future__ import annotations

from typing import Any

from ..autograd import Tensor
from . import functional as F
from .module import Module
from .sizes import several

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """Adds places at the ends of the last dimensions.

    Args:
        padding: one number for all ends, or (before, after) for each dimension from the last one on.
    """

    n: int
    mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = several(padding, 2 * self.n)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad1d(_Pad):
    """Adds what lies at the other end, to (N, C, L)."""

    n, mode = 1, "circular"


class CircularPad2d(_Pad):
    """Adds what lies at the other end, to (N, C, H, W)."""

    n, mode = 2, "circular"


class CircularPad3d(_Pad):
    """Adds what lies at the other end, to (N, C, D, H, W)."""

    n, mode = 3, "circular"


class ReflectionPad1d(_Pad):
    """Mirrors at the edge, which is not repeated; (N, C, L)."""

    n, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Mirrors at the edge, which is not repeated; (N, C, H, W)."""

    n, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Mirrors at the edge, which is not repeated; (N, C, D, H, W)."""

    n, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Repeats the edge; (N, C, L)."""

    n, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Repeats the edge; (N, C, H, W)."""

    n, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Repeats the edge; (N, C, D, H, W)."""

    n, mode = 3, "replicate"


class _ConstantPad(_Pad):
    """Adds one number.

    Args:
        padding: one number for all ends, or (before, after) for each dimension from the last one on.
        value: what is added.
    """

    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Adds one number at the ends of the last dimension."""

    n = 1


class ConstantPad2d(_ConstantPad):
    """Adds one number at the ends of the last 2 dimensions."""

    n = 2


class ConstantPad3d(_ConstantPad):
    """Adds one number at the ends of the last 3 dimensions."""

    n = 3


class _ZeroPad(_ConstantPad):
    """Adds zeros.

    Args:
        padding: one number for all ends, or (before, after) for each dimension from the last one on.
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    """Adds zeros at the ends of the last dimension."""

    n = 1


class ZeroPad2d(_ZeroPad):
    """Adds zeros at the ends of the last 2 dimensions."""

    n = 2


class ZeroPad3d(_ZeroPad):
    """Adds zeros at the ends of the last 3 dimensions."""

    n = 3
