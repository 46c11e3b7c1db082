"""Backward uses the memory of cotangents again where nobody else knows of it, and only there."""

import numpy as np
import pytest

pytest.importorskip("numba")

import tapegrad as tg
from tapegrad.autograd import engine
from tapegrad.nn import functional as F

N = 1 << 15  # large enough for memory to be used again


@pytest.fixture(autouse=True)
def numba():
    with tg.backends.use("numba"):
        yield


def slopes_apart(monkeypatch, program):
    """What a program gives, with and without using memory again."""
    found = program()
    monkeypatch.setattr(engine, "LARGE", 1 << 60)
    return found, program()


def x_of(seed, *shape):
    tg.manual_seed(seed)
    return tg.randn(*(shape or (N,)), requires_grad=True)


def chain():
    x = x_of(0)
    F.silu(F.gelu(F.leaky_relu(F.elu(x.tanh().sigmoid()), 0.3))).relu().sum().backward()
    return [x.grad]


def two_users():
    x = x_of(1)
    y = x.tanh()
    (y.sigmoid() + y.relu() + y).exp().sum().backward()
    return [x.grad]


def saved_result():
    x = x_of(2)
    y = x.exp()  # the derivative of exp is its result, which is saved, and what it is multiplied by
    (y.tanh() * y).sum().backward()
    return [x.grad]


def caught():
    x = x_of(3)
    y = x.tanh()
    z = y.sigmoid()
    return list(tg.autograd.grad(z.relu().sum(), [x, y, z]))


def kept():
    x = x_of(4)
    y = x.tanh()
    z = y.sigmoid()
    y.retain_grad(), z.retain_grad()
    z.relu().sum().backward()
    return [x.grad, y.grad, z.grad]


def hooked():
    x = x_of(5)
    seen = []
    y = x.tanh()
    z = y.sigmoid()
    y.register_hook(seen.append), z.register_hook(seen.append)
    z.relu().sum().backward()
    return [x.grad, *seen]


def given_gradient():
    x, g = x_of(6), x_of(7).detach()
    x.tanh().sigmoid().backward(g)
    return [x.grad, g]


def equal_cotangents():
    x, y = x_of(8), x_of(9)
    a, b = x.tanh(), y.tanh()
    (a + b).relu().sum().backward()
    return [x.grad, y.grad]


def viewed():
    x = x_of(10, 4, N)
    (x.tanh().t().relu()[3:].reshape(-1).sigmoid()).sum().backward()
    return [x.grad]


def layers():
    tg.manual_seed(11)
    model = tg.nn.Sequential(
        tg.nn.Linear(64, 300), tg.nn.Tanh(), tg.nn.Linear(300, 300), tg.nn.Sigmoid(), tg.nn.Linear(300, 9), tg.nn.ReLU()
    )
    shared = tg.nn.Linear(9, 9)
    x = x_of(12, 4096, 64)
    shared(shared(model(x))).square().mean().backward()
    return [x.grad, *[p.grad for p in (*model.parameters(), *shared.parameters())]]


def shared_weight():
    w, x = x_of(13, 200, 200), x_of(14, 200, 200).detach()
    (((x @ w) @ w) @ w).mul(1e-3).sum().backward()
    return [w.grad]


def twice():
    x = x_of(15)
    loss = x.tanh().sigmoid().relu().sum()
    loss.backward(retain_graph=True)
    loss.backward()
    return [x.grad]


PROGRAMS = (
    chain, two_users, saved_result, caught, kept, hooked, given_gradient, equal_cotangents, viewed, layers,
    shared_weight, twice,
)  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_numbers_stay_the_same(program, monkeypatch):
    found, expected = slopes_apart(monkeypatch, program)
    with tg.backends.use("numpy"):  # which never does it
        known = program()
    for a, b, c in zip(found, expected, known, strict=True):
        np.testing.assert_array_equal(a.numpy(force=True), b.numpy(force=True))
        np.testing.assert_allclose(a.numpy(force=True), c.numpy(force=True), rtol=1e-3, atol=1e-5)


def test_memory_is_used_again(monkeypatch):
    x, cpu, used = x_of(0), tg.device("cpu"), []
    real = dict(type(cpu.backend).overwriting)

    def watched(name):
        def method(self, g, *rest):
            out = real[name](self, g, *rest)
            used.append((name, (out[0] if isinstance(out, tuple) else out) is g))
            return out

        return method

    monkeypatch.setattr(type(cpu.backend), "overwriting", {name: watched(name) for name in real})
    tg.backends.use("numba")  # reads the table anew
    x.tanh().sigmoid().relu().backward(tg.ones(N))
    monkeypatch.undo()
    tg.backends.use("numba")
    assert used == [("sigmoid", True), ("tanh", True)]  # the first cotangent is the caller's


def test_complex_numbers_keep_their_formulas():
    tg.manual_seed(0)
    z = tg.randn(N, dtype=tg.complex64, requires_grad=True)
    w = tg.randn(N, dtype=tg.complex64).requires_grad_()
    (z.tanh().sigmoid().exp() * w).abs().sum().backward()
    with tg.backends.use("numpy"):
        found, z.grad, w.grad = (z.grad, w.grad), None, None
        (z.tanh().sigmoid().exp() * w).abs().sum().backward()
    for a, b in zip(found, (z.grad, w.grad), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-5)
