"""tapegrad.keras: optimizers by their formulas, written out in NumPy."""

import math

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.keras import optimizers


def steps(name, w, gradients, lr, eps=1e-7):
    m = v = u = d = c = np.zeros_like(w)
    product = 1.0
    total = np.full_like(w, 0.1)
    for t, g in enumerate(gradients, 1):
        if name in ("adam", "adamw", "amsgrad"):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            c = np.maximum(c, v)
            if name == "adamw":
                w = w - 0.004 * lr * w
            below = np.sqrt(c if name == "amsgrad" else v) + eps
            w = w - lr * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / below
        elif name == "rmsprop":
            v = 0.9 * v + 0.1 * g * g
            w = w - lr * g / np.sqrt(v + eps)
        elif name == "centered":
            v, m = 0.9 * v + 0.1 * g * g, 0.9 * m + 0.1 * g
            u = 0.5 * u + lr * g / np.sqrt(v - m * m + eps)
            w = w - u
        elif name == "adagrad":
            total = total + g * g
            w = w - lr * g / np.sqrt(total + eps)
        elif name == "adadelta":
            v = 0.95 * v + 0.05 * g * g
            step = np.sqrt(d + eps) / np.sqrt(v + eps) * g
            d = 0.95 * d + 0.05 * step * step
            w = w - lr * step
        elif name == "adamax":
            m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, abs(g))
            w = w - lr / (1 - 0.9**t) * m / (u + eps)
        elif name == "nadam":
            now, then = 0.9 * (1 - 0.5 * 0.96**t), 0.9 * (1 - 0.5 * 0.96 ** (t + 1))
            product *= now
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            hat = then * m / (1 - product * then) + (1 - now) * g / (1 - product)
            w = w - lr * hat / (np.sqrt(v / (1 - 0.999**t)) + eps)
        else:
            rate = lr if t <= 3 or name != "changed" else lr / 10
            m = 0.9 * m - rate * g if name != "sgd" else -rate * g
            w = w + (0.9 * m - rate * g if name == "nesterov" else m)
    return w


OPTIMIZERS = {
    "sgd": optimizers.SGD(0.05), "momentum": optimizers.SGD(0.05, momentum=0.9), "adam": optimizers.Adam(0.05),
    "nesterov": optimizers.SGD(0.05, momentum=0.9, nesterov=True), "changed": optimizers.SGD(0.05, momentum=0.9),
    "adamw": optimizers.AdamW(0.05), "amsgrad": optimizers.Adam(0.05, amsgrad=True),
    "rmsprop": optimizers.RMSprop(0.05),
    "centered": optimizers.RMSprop(0.05, centered=True, momentum=0.5), "adagrad": optimizers.Adagrad(0.05),
    "adadelta": optimizers.Adadelta(0.05), "adamax": optimizers.Adamax(0.05), "nadam": optimizers.Nadam(0.05),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_step_as_kerass_formulas(name):
    start = np.array([1.0, -2.0, 3.0, 0.5])
    gradients = [np.random.default_rng(i).normal(size=4) * np.array([1, 1e-3, 1e-6, 10]) for i in range(6)]
    w = tg.tensor(start, requires_grad=True)
    optimizer = optimizers.get({"class_name": type(OPTIMIZERS[name]).__name__, "config": OPTIMIZERS[name].get_config()})
    optimizer.build([w])
    for t, g in enumerate(gradients):
        if name == "changed" and t == 3:
            optimizer.learning_rate = 0.005
        w.grad = tg.tensor(g)
        optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), steps(name, start, gradients, 0.05), rtol=1e-9)
    assert optimizer.iterations == 6


def test_clipping():
    g = np.array([3.0, -4.0])
    for options, want in [({"clipvalue": 1.0}, [1, -1]), ({"clipnorm": 1.0}, [0.6, -0.8]), ({}, [3, -4]),
                          ({"global_clipnorm": 0.5**0.5}, [0.3, -0.4]), ({"clipnorm": 9.0}, [3, -4])]:  # fmt: skip
        a, b = (tg.tensor([0.0, 0.0], requires_grad=True) for _ in range(2))
        a.grad, b.grad = tg.tensor(g).float(), tg.tensor(g).float()
        optimizer = optimizers.SGD(1.0, **options)
        optimizer.build([a, b])
        optimizer.step()
        np.testing.assert_allclose(-a.detach().numpy(), want, rtol=1e-6)
    with pytest.raises(ValueError, match="one of clipnorm"):
        optimizers.SGD(clipnorm=1, clipvalue=1)
    with pytest.raises(ValueError, match="unknown optimizer 'sdg'"):
        optimizers.get("sdg")


@pytest.mark.parametrize("options", [{"learning_rat": 0.1}, {"use_ema": True}, {"gradient_accumulation_steps": 2}])
def test_no_option_is_passed_over(options):
    with pytest.raises(ValueError, match=f"Adam: .*{next(iter(options))}"):
        optimizers.Adam(**options)
    assert optimizers.Adam(use_ema=False, gradient_accumulation_steps=None).learning_rate == 0.001


def test_a_schedule_is_followed_saved_and_replaced():
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = optimizers.SGD(optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25]))
    optimizer = optimizers.get({"class_name": "SGD", "config": optimizer.get_config()})
    optimizer.build([w])
    places = []
    for _ in range(4):
        w.grad = tg.tensor([1.0])
        optimizer.step()
        places.append(w.item())
    assert places == [0.5, 0.0, -0.25, -0.5]
    assert optimizer.learning_rate == 0.25
    optimizer.learning_rate = 1.0
    w.grad = tg.tensor([1.0])
    optimizer.step()
    assert (w.item(), optimizer.learning_rate) == (-1.5, 1.0)
    with pytest.raises(ValueError, match="schedules"):
        optimizers.SGD("fast")
    with pytest.raises(ValueError, match="one more value"):
        optimizers.schedules.PiecewiseConstantDecay([1], [0.5])
