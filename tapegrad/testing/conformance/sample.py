"""What a check runs a primitive on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["CPU", "HERE", "Sample"]

HERE = "the device of the backend under test"
CPU = "the host"


@dataclass(frozen=True)
class Sample:
    """One call of a primitive.

    Attributes:
        inputs: the tensor inputs in order: arrays (floating ones are cast to the dtype under test; strides and the
            writeable flag are kept), Python numbers, None where an input is optional, a list for a variadic one.
        attrs: the plain attributes; HERE and CPU stand for devices.
        expect: another way to compute the result, from the inputs and attributes as they stand here.
        smooth: whether derivatives of first and second order may be compared with finite differences.
        slopes: where they are known by hand (at kinks), the gradients of the sum of the result for each input.
        gradient: whether the first derivative is compared at all; not at nan and inf, where types overflow apart.
        rtol: tolerance relative to each element, in units of the dtype's epsilon.
        atol: tolerance relative to the largest element, in units of the dtype's epsilon; for sums that cancel.
    """

    inputs: tuple[Any, ...]
    attrs: tuple[Any, ...] = ()
    expect: Callable[..., Any] | None = None
    smooth: bool = True
    slopes: tuple[Any, ...] | None = None
    gradient: bool = True
    rtol: float = 16
    atol: float = 0

    def __repr__(self) -> str:
        parts = [_describe(x) for x in self.inputs] + [repr(a) for a in self.attrs]
        return f"Sample({', '.join(parts)})"


def _describe(x: Any) -> str:
    if isinstance(x, np.ndarray):
        layout = "" if x.flags.c_contiguous else " strided"
        values = f" {x.tolist()}" if x.size <= 8 else ""
        return f"{x.dtype}{list(x.shape)}{layout}{'' if x.flags.writeable else ' read-only'}{values}"
    if isinstance(x, list):
        return "[" + ", ".join(_describe(v) for v in x) + "]"
    return repr(x)
