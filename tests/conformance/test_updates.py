"""The optimizer updates on every usable backend, against the published formulas in Python numbers."""

import math

import numpy as np
import pytest

from tapegrad import backends

BACKENDS = backends.available()
SHAPES = ((3, 4), (), (0,), (5,), (140_003,), (2, 3))
STEPS = 3


def sgd(p, g, state, lr, momentum, dampening, decay, nesterov, maximize):
    (v,) = state
    g = (-g if maximize else g) + decay * p
    if momentum:
        v = momentum * v + (1 - dampening) * g
        g = g + momentum * v if nesterov else v
    return p - lr * g, (v,)


def rmsprop(p, g, state, lr, alpha, eps, decay, momentum, centered, maximize):
    s, v, m = state
    g = (-g if maximize else g) + decay * p
    s = alpha * s + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    step = g / (math.sqrt(s - m**2 if centered else s) + eps)
    v = momentum * v + step
    return p - lr * (v if momentum else step), (s, v, m)


def adam(p, g, state, n, lr, beta1, beta2, eps, decay, decoupled, maximize, amsgrad):
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
    (0.01, 0.99, 1e-8, 0.0, 0.0, False, False), (0.01, 0.9, 1e-8, 0.01, 0.9, True, False), (0.01, 0.9, 1e-6, 0.0, 0.5, False, True),
]  # fmt: skip
ADAM = [
    (0.01, 0.9, 0.999, 1e-8, 0.0, False, False, False), (0.01, 0.9, 0.999, 1e-8, 0.1, False, True, False),
    (0.01, 0.8, 0.99, 1e-6, 0.1, True, False, False), (0.01, 0.9, 0.9, 1e-8, 0.0, False, False, True),
    (0.01, 0.9, 0.9, 1e-8, 0.05, True, True, True),
]  # fmt: skip


def problem(dtype):
    """Parameters of several shapes, one of them strided, and the gradients of three steps."""
    rng = np.random.default_rng(3)
    params = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
    params[-1] = rng.standard_normal((3, 2)).astype(dtype).T
    # bounded away from 0, where a centred variance loses its digits
    gradients = [[np.asarray(rng.choice([-1, 1], s) * (0.5 + rng.random(s)), dtype) for s in SHAPES] for _ in range(STEPS)]
    return params, gradients


def zeros(backend, params, wanted=True):
    return [backend.from_host(np.zeros(p.shape, p.dtype)) for p in params] if wanted else []


def follow(formula, params, gradients, states, *settings):
    """The formula in Python numbers on a few elements of every parameter: parameter, element, expected value."""
    for i, start in enumerate(params):
        for place in list(np.ndindex(start.shape))[:: max(1, start.size // 5)]:
            p, state = float(start[place]), (0.0,) * states
            for n in range(1, STEPS + 1):
                counted = (n,) if formula is adam else ()
                p, state = formula(p, float(gradients[n - 1][i][place]), state, *counted, *settings)
            yield i, place, p


def check(name, dtype, formula, states, settings, step):
    backend = backends.get(name)
    params, gradients = problem(dtype)
    expected = list(follow(formula, params, gradients, states, *settings))
    device_params = [backend.from_host(p) for p in params]
    for n, g in enumerate(gradients, 1):
        step(backend, device_params, [backend.from_host(v) for v in g], n)
    tolerance = 64 * float(np.finfo(dtype).eps)
    for i, place, value in expected:
        found = backend.to_host(device_params[i])[place]
        assert found == pytest.approx(value, rel=tolerance, abs=tolerance), (i, place)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("settings", SGD)
def test_sgd(backend, dtype, settings):
    moments = []

    def step(kernels, params, grads, n):
        if not moments:
            moments.extend(zeros(kernels, params, settings[1]))
        kernels.sgd_update(params, grads, moments, *settings)

    check(backend, dtype, sgd, 1, settings, step)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("settings", RMSPROP)
def test_rmsprop(backend, dtype, settings):
    state = []
    lr, alpha, eps, decay, momentum, centered, maximize = settings

    def step(kernels, params, grads, n):
        if not state:
            state.extend(zeros(kernels, params, wanted) for wanted in (True, momentum, centered))
        kernels.rmsprop_update(params, grads, *state, lr, alpha, eps, decay, momentum, centered, maximize)

    check(backend, dtype, rmsprop, 3, settings, step)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("settings", ADAM)
def test_adam(backend, dtype, settings):
    state = []
    *plain, amsgrad = settings

    def step(kernels, params, grads, n):
        if not state:
            state.extend(zeros(kernels, params, wanted) for wanted in (True, True, amsgrad))
        kernels.adam_update(params, grads, *state, [n] * len(params), *plain)

    check(backend, dtype, adam, 3, settings, step)
