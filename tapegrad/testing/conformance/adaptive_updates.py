"""The updates of the adaptive optimizers, as published, in Python numbers.

Adadelta (Zeiler, 2012), Adagrad (Duchi, Hazan and Singer, 2011), Adamax (Kingma and Ba, 2015), averaged descent (Polyak
and Juditsky, 1992), NAdam (Dozat, 2016), RAdam (Liu et al., 2020), resilient backpropagation (Riedmiller and
Braun, 1993), Adam over sparse rows.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["ADAPTIVE", "of_step"]


def _adadelta(p, g, state, n, lr, rho, eps, decay, maximize):  # type: ignore[no-untyped-def]
    s, d = state
    g = (-g if maximize else g) + decay * p
    s = rho * s + (1 - rho) * g**2
    step = math.sqrt(d + eps) / math.sqrt(s + eps) * g
    return p - lr * step, (s, rho * d + (1 - rho) * step**2)


def _adagrad(p, g, state, n, lr, lr_decay, eps, decay, maximize):  # type: ignore[no-untyped-def]
    g = (-g if maximize else g) + decay * p
    s = state[0] + g**2
    return p - lr / (1 + (n - 1) * lr_decay) * g / (math.sqrt(s) + eps), (s,)


def _adamax(p, g, state, n, lr, beta1, beta2, eps, decay, maximize):  # type: ignore[no-untyped-def]
    m, u = state
    g = (-g if maximize else g) + decay * p
    m = beta1 * m + (1 - beta1) * g
    u = max(beta2 * u, abs(g) + eps)
    return p - lr / (1 - beta1**n) * m / u, (m, u)


def _asgd(p, g, state, n, shrink, decay, maximize):  # type: ignore[no-untyped-def]
    rate, weight = _rates_of_asgd(n)
    g = (-g if maximize else g) + decay * p
    p = p * (1 - shrink * rate) - rate * g
    return p, (state[0] + weight * (p - state[0]),)


def _rates_of_asgd(n: int) -> tuple[float, float]:
    return 0.1 / n, 1 / max(1, n - 1)


def _nadam(p, g, state, n, lr, beta1, beta2, eps, decay, decoupled, maximize):  # type: ignore[no-untyped-def]
    m, v = state
    g = -g if maximize else g
    p, g = (p - lr * decay * p, g) if decoupled else (p, g + decay * p)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    of_slope, of_mean = _rates_of_nadam(n)
    return p - (of_slope * g + of_mean * m) / (math.sqrt(v / (1 - beta2**n)) + eps), (m, v)


def _rates_of_nadam(n: int) -> tuple[float, float]:
    return 0.01 * n, 0.02 / n


def _radam(p, g, state, n, lr, beta1, beta2, eps, decay, decoupled, maximize):  # type: ignore[no-untyped-def]
    m, v = state
    g = -g if maximize else g
    p, g = (p - lr * decay * p, g) if decoupled else (p, g + decay * p)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * n * beta2**n / (1 - beta2**n)
    step = m / (1 - beta1**n)
    if length > 5:
        step *= math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        step *= math.sqrt(1 - beta2**n) / (math.sqrt(v) + eps)
    return p - lr * step, (m, v)


def _rprop(p, g, state, n, shrink, grow, smallest, largest, maximize):  # type: ignore[no-untyped-def]
    last, size = state
    g = -g if maximize else g
    turn = g * last
    size = min(max(size * (grow if turn > 0 else shrink if turn < 0 else 1), smallest), largest)
    g = 0 if turn < 0 else g
    return p - math.copysign(size, g) * (g != 0), (g, size)


def _sparse_adam(p, g, state, n, lr, beta1, beta2, eps, maximize):  # type: ignore[no-untyped-def]
    m, v = state
    g = -g if maximize else g
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return p - lr * math.sqrt(1 - beta2**n) / (1 - beta1**n) * m / (math.sqrt(v) + eps), (m, v)


# method -> formula, what the states begin with, choices of settings
ADAPTIVE: dict[str, tuple[Any, tuple[float, ...], list[tuple[Any, ...]]]] = {
    "adadelta_update": (_adadelta, (0.0, 0.0), [(1.0, 0.9, 1e-3, 0.0, False), (0.5, 0.8, 1e-3, 0.1, True)]),
    "adagrad_update": (_adagrad, (0.0,), [(0.1, 0.0, 1e-10, 0.0, False), (0.1, 0.5, 1e-8, 0.1, True)]),
    "adamax_update": (
        _adamax, (0.0, 0.0), [(0.01, 0.9, 0.999, 1e-8, 0.0, False), (0.01, 0.8, 0.7, 1e-6, 0.1, True)],
    ),
    "asgd_update": (_asgd, (0.0,), [(1e-4, 0.0, False), (0.1, 0.1, True)]),
    "nadam_update": (
        _nadam, (0.0, 0.0),
        [(0.01, 0.9, 0.999, 1e-8, 0.0, False, False), (0.01, 0.8, 0.9, 1e-6, 0.1, False, True),
         (0.01, 0.8, 0.9, 1e-6, 0.1, True, False)],
    ),
    "radam_update": (
        _radam, (0.0, 0.0),
        [(0.01, 0.9, 0.999, 1e-8, 0.0, False, False), (0.01, 0.8, 0.5, 1e-6, 0.1, False, True),
         (0.01, 0.8, 0.9, 1e-6, 0.1, True, False), (0.01, 0.5, 0.995, 1e-6, 0.1, True, True)],
    ),
    "rprop_update": (_rprop, (0.0, 0.01), [(0.5, 1.2, 1e-6, 50.0, False), (0.5, 1.5, 8e-3, 0.012, True)]),
    "sparse_adam_update": (
        _sparse_adam, (0.0, 0.0), [(0.01, 0.9, 0.999, 1e-8, False), (0.01, 0.8, 0.9, 1e-6, True)],
    ),
}  # fmt: skip


def of_step(name: str, settings: tuple[Any, ...], n: int, count: int) -> tuple[Any, ...]:
    """The plain arguments of a method at step ``n`` over ``count`` parameters."""
    if name == "asgd_update":
        rate, weight = _rates_of_asgd(n)
        return [rate] * count, [weight] * count, *settings
    if name == "nadam_update":
        return [n] * count, [_rates_of_nadam(n)] * count, *settings
    if name == "adam_update":
        return [n] * count, *settings[:-1]
    if name in ("adagrad_update", "adamax_update", "radam_update", "sparse_adam_update"):
        return [n] * count, *settings
    return settings
