"""The optimizer updates, against the published formulas in Python numbers.

Stochastic gradient descent with Nesterov's momentum (Sutskever et al., 2013), RMSprop (Hinton, 2012; centred: Graves,
2013), Adam (Kingma and Ba, 2015), AdamW (Loshchilov and Hutter, 2019), AMSGrad (Reddi et al., 2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import backends
from .adaptive_updates import ADAPTIVE, of_step

__all__ = ["UPDATES", "Update", "check_update"]

SHAPES = ((3, 4), (), (0,), (5,), (280_003,), (2, 3))
STEPS = 3


@dataclass(frozen=True)
class Update:
    """One optimizer with one choice of settings.

    Attributes:
        name: the backend's method.
        formula: one step of one number: ``(p, g, state, n, *settings) -> (p, state)``, n counted from 1.
        states: which lists of states are kept (those that are not stay empty).
        settings: the plain arguments in the order of the method's.
        starts: what each state begins with, 0 where there are fewer.
    """

    name: str
    formula: Callable[..., Any]
    states: tuple[bool, ...]
    settings: tuple[Any, ...]
    starts: tuple[float, ...] = (0.0, 0.0, 0.0)


def _sgd(p, g, state, n, lr, momentum, dampening, decay, nesterov, maximize):  # type: ignore[no-untyped-def]
    (v,) = state
    g = (-g if maximize else g) + decay * p
    if momentum:
        v = momentum * v + (1 - dampening) * g
        g = g + momentum * v if nesterov else v
    return p - lr * g, (v,)


def _rmsprop(p, g, state, n, lr, alpha, eps, decay, momentum, centered, maximize):  # type: ignore[no-untyped-def]
    s, v, m = state
    g = (-g if maximize else g) + decay * p
    s = alpha * s + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    step = g / (math.sqrt(s - m**2 if centered else s) + eps)
    v = momentum * v + step
    return p - lr * (v if momentum else step), (s, v, m)


def _adam(p, g, state, n, lr, beta1, beta2, eps, decay, decoupled, maximize, amsgrad):  # type: ignore[no-untyped-def]
    m, v, peak = state
    g = -g if maximize else g
    if decoupled:
        p = p - lr * decay * p
    else:
        g = g + decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    peak = max(peak, v)
    scale = math.sqrt((peak if amsgrad else v) / (1 - beta2**n)) + eps
    return p - lr * m / (1 - beta1**n) / scale, (m, v, peak)


SGD = [
    (0.1, 0.0, 0.0, 0.0, False, False), (0.1, 0.9, 0.0, 0.0, False, False), (0.1, 0.9, 0.2, 0.01, False, True),
    (0.1, 0.9, 0.0, 0.01, True, False), (0.1, 0.0, 0.0, 0.1, False, True),
]  # fmt: skip
RMSPROP = [
    (0.01, 0.99, 1e-8, 0.0, 0.0, False, False), (0.01, 0.9, 1e-8, 0.01, 0.9, True, False),
    (0.01, 0.9, 1e-6, 0.0, 0.5, False, True),
]  # fmt: skip
ADAM = [
    (0.01, 0.9, 0.999, 1e-8, 0.0, False, False, False), (0.01, 0.9, 0.999, 1e-8, 0.1, False, True, False),
    (0.01, 0.8, 0.99, 1e-6, 0.1, True, False, False), (0.01, 0.9, 0.9, 1e-8, 0.0, False, False, True),
    (0.01, 0.9, 0.9, 1e-8, 0.05, True, True, True),
]  # fmt: skip

UPDATES = {
    **{f"sgd_update-{i}": Update("sgd_update", _sgd, (bool(s[1]),), s) for i, s in enumerate(SGD)},
    **{f"rmsprop_update-{i}": Update("rmsprop_update", _rmsprop, (True, bool(s[4]), s[5]), s)
       for i, s in enumerate(RMSPROP)},
    **{f"adam_update-{i}": Update("adam_update", _adam, (True, True, s[-1]), s) for i, s in enumerate(ADAM)},
    **{f"{name}-{i}": Update(name, formula, (True,) * len(starts), s, starts)
       for name, (formula, starts, settings) in ADAPTIVE.items() for i, s in enumerate(settings)},
}  # fmt: skip


def _problem(dtype: str, strided: bool) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Parameters of several shapes, one of them strided if wanted, and the gradients of three steps."""
    rng = np.random.default_rng(3)
    params = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
    if strided:
        params[-1] = rng.standard_normal((3, 2)).astype(dtype).T
    # bounded away from 0, where a centred variance loses its digits
    signs = [[rng.choice([-1, 1], s) * (0.5 + rng.random(s)) for s in SHAPES] for _ in range(STEPS)]
    return params, [[np.asarray(v, dtype) for v in row] for row in signs]


def _follow(update: Update, params: list[np.ndarray], gradients: list[list[np.ndarray]]) -> Iterator[tuple[Any, ...]]:
    """The formula in Python numbers on a few elements of every parameter: parameter, element, expected value."""
    for i, start in enumerate(params):
        for place in list(np.ndindex(start.shape))[:: max(1, start.size // 5)]:
            p, state = float(start[place]), update.starts[: len(update.states)]
            for n in range(1, STEPS + 1):
                p, state = update.formula(p, float(gradients[n - 1][i][place]), state, n, *update.settings)
            yield i, place, p


def check_update(update: Update, backend: str, dtype: str) -> None:
    """Three steps of an optimizer update: the parameters have moved, in place, as the formula says."""
    for strided in (False, True):  # where all is contiguous, a compiled kernel may take it
        _check(update, backend, dtype, strided)


def _check(update: Update, backend: str, dtype: str, strided: bool) -> None:
    kernels = backends.get(backend)
    params, gradients = _problem(dtype, strided)
    expected = list(_follow(update, params, gradients))
    moved = [kernels.from_host(p.copy(order="K")) for p in params]
    states = [
        [kernels.from_host(np.full(p.shape, start, dtype)) for p in params if kept]
        for kept, start in zip(update.states, update.starts, strict=False)
    ]
    for n, row in enumerate(gradients, 1):
        given = [kernels.from_host(g.copy()) for g in row]
        settings = of_step(update.name, update.settings, n, len(params))
        getattr(kernels, update.name)(moved, given, *states, *settings)
        for i, (before, g) in enumerate(zip(row, given, strict=True)):
            after = kernels.to_host(g)
            np.testing.assert_array_equal(after, before, err_msg=f"{update.name}: gradient {i} was written to")
    tolerance = 64 * float(np.finfo(dtype).eps)
    for i, place, value in expected:
        found = float(kernels.to_host(moved[i])[place])
        assert math.isclose(found, value, rel_tol=tolerance, abs_tol=tolerance), (
            f"{update.name}{update.settings} on {backend} in {dtype}: element {place} of parameter {i} is {found} "
            f"after {STEPS} steps, expected {value}"
        )
