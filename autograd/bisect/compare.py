"""``compare``: one step on two backends, primitive by primitive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...backends import registry
from ...backends.device import device
from ..origin import unwatch, watch
from .paired import pair
from .report import Report

__all__ = ["compare"]


def compare(
    step: Callable[[], Any], first: str = "numpy", second: str = "numba", *, rtol: float | None = None,
    atol: float = 0.0,
) -> Report:  # fmt: skip
    """Run one step on the backend ``first``, and every call in it on ``second`` too, on the same inputs.

    Each primitive of the forward, each primitive that a formula calls in the backward, each fused derivative and each
    optimizer's update is compared; copies between devices and random numbers, which are drawn once, are not. Rounding
    is no disagreement: where elements differ by more than the tolerance, what rounding does to them is measured, so
    that also sums which cancel are judged rightly. After the first disagreement the step goes on uncompared.

    The step runs once. Afterwards parameters, optimizers and random generators are as after one ordinary step on
    ``first``. Its backward must be in it. Other threads must not compute meanwhile.

    Args:
        step: forward, backward and, if wanted, the optimizer's step; takes nothing.
        first: the name of the backend whose results the step goes on with.
        second: the name of the backend to compare with, for the same device type.
        rtol: tolerance relative to each element, of an update to its change; None is 1e-5 in float32, 1e-12 in float64,
            4e-3 in float16 and 3e-2 in bfloat16. A tenth of that, of the largest element, is free besides (in the last
            two, twice that).
        atol: absolute tolerance.

    Returns:
        A ``Report``, true if the two agree; as text it says how many calls were compared, or names the first
        disagreement: the primitive, forward or backward, which input's gradient, the error and your line.

    Raises:
        BackendError: a backend is unknown or not usable, or they serve different device types. What ``step`` raises.

    >>> import tapegrad as tg
    >>> w = tg.ones(3, requires_grad=True)
    >>> print(tg.autograd.compare(lambda: (w * 2).tanh().sum().backward(), "numpy", "numba"))
    numpy and numba agree on 3 forward, 3 backward, 0 update calls
    """
    report = Report(first, second)
    ours, theirs = registry.get(first), registry.get(second)
    registry.device_of(ours.device_type)
    places = [d for d in device._known.values() if d.type == ours.device_type and d.backend is not None]
    before = [(d, d.backend, list(d.kernels)) for d in places]
    watch(_nothing)
    try:
        with registry.use(first):
            for d in places:
                registry.bind(d, pair(ours.on(d), theirs.on(d), report, rtol, atol))
            step()
    finally:
        unwatch(_nothing)
        for d, backend, kernels in before:
            registry.bind(d, backend)
            d.kernels[: len(kernels)] = kernels  # also those that somebody had exchanged
    return report


def _nothing(*args: Any) -> None:
    """Steps are to remember their calls; no more is asked of them."""
