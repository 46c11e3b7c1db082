"""Long tapes and long runs: no recursion, no reference cycles, nothing kept alive."""

import gc
import weakref

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn


@pytest.mark.slow
def test_a_million_steps():
    x = tg.ones(2, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y * 1.000001
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp(1.0), rtol=0.05)  # a million roundings in float32
    last = weakref.ref(y.grad_fn)
    del y  # frees the tape without recursion
    assert last() is None


@pytest.mark.slow
def test_a_million_steps_are_freed_unused():
    x = tg.ones(2, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    first = weakref.ref(y.grad_fn)
    del y
    assert first() is None


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _training():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 1))
    optimizer = tg.optim.Adam(model.parameters())
    x, y = tg.randn(16, 2), tg.randn(16, 1)

    def step():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def test_ten_thousand_steps_leave_no_objects(without_collector):
    step = _training()
    for _ in range(50):
        step()
    before = len(gc.get_objects())
    for _ in range(10_000):
        step()
    assert len(gc.get_objects()) - before < 50


PROGRAMS = {
    "backward": lambda x: (x * x).sum().backward(),
    "second order": lambda x: tg.autograd.grad(tg.autograd.grad((x**3).sum(), x, create_graph=True)[0].sum(), x),
    "dropped tape": lambda x: (x.exp() @ x.T).sum(),
    "views": lambda x: x.view(-1)[1:].reshape(-1).sum().backward(),
    "in place": lambda x: _in_place(x * 1),
    "hook": lambda x: _hooked(x * 2),
    "retain_grad": lambda x: _kept(x * 2),
    "error in a hook": lambda x: _failing(x * 2),
}


def _in_place(y):
    y[0].mul_(2)
    y.t().add_(y.t())
    y.sum().backward()


def _hooked(y):
    y.register_hook(lambda g: g * 2)
    y.sum().backward()


def _kept(y):
    y.retain_grad()
    y.sum().backward()


def _failing(y):
    def hook(g):
        raise KeyError("on purpose")

    y.register_hook(hook)
    with pytest.raises(KeyError, match="on purpose"):
        y.sum().backward()


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_cycles(name, without_collector):
    x = tg.ones(3, 3, requires_grad=True)
    PROGRAMS[name](x)
    gc.collect()
    for _ in range(3):
        PROGRAMS[name](x)
    unreachable = gc.collect()
    assert unreachable == 0 or name == "error in a hook"  # a traceback refers to itself


def test_a_number_or_a_detached_loss_keeps_nothing_alive():
    step = _training()
    loss = step()
    node = weakref.ref(loss.grad_fn)
    kept = [loss.item(), loss.detach()]
    del loss
    assert node() is None
    assert kept[1].item() == kept[0]


def test_an_engine_is_usable_after_an_exception():
    x = tg.ones(2, requires_grad=True)
    _failing(x * 2)
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
