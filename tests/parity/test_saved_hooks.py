"""Hooks that pack what is saved for backward, against PyTorch."""

import threading

import pytest

import tapegrad as tg

from ..scenarios.table import leaf, number
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


@pair
def packed_and_unpacked(lib):
    x, log = leaf(lib, 1, 2), []

    def pack(t):
        log.append(("pack", t.tolist(), lib.is_grad_enabled()))
        return t.tolist()

    def unpack(held):
        log.append(("unpack", held))
        return lib.tensor(held, dtype=lib.float64)

    with lib.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x * x * 3).exp()
    z = y.sin()
    z.sum().backward()
    return log, x.grad


@pair
def only_the_innermost_packs(lib):
    x, log = leaf(lib, 1, 2), []
    hooks = lib.autograd.graph.saved_tensors_hooks
    with hooks(lambda t: log.append("outer") or t, lambda t: t):
        y = x.exp()
        with hooks(lambda t: log.append("inner") or t, lambda t: t):
            y = y.exp()
        y = y.exp()
    y.sum().backward()
    return log, x.grad


@pair
def unpacked_in_a_recorded_backward(lib):
    x = number(lib, 2.0)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.detach() * 1, lambda t: t):
        y = x * x * x
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    return g, lib.autograd.grad(g, x)


@pair
def several_inputs_packed(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        z = lib.stack([x, y]).prod(0) + lib.cat([x, y]).softmax(0)[:2] + lib.where(x > 1, x * y, y)
    z.sum().backward()
    return x.grad, y.grad


@pair
def layers_packed(lib):
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.ReLU(), lib.nn.Linear(4, 2), lib.nn.Tanh()).double()
    x = lib.ones(5, 3, dtype=lib.float64)
    with lib.autograd.graph.save_on_cpu():
        loss = lib.nn.functional.cross_entropy(net(x), lib.zeros(5, dtype=lib.int64))
    loss.backward()
    return [p.grad for p in net.parameters()]


@pair
def packed_values_are_not_watched(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        z = y * y
    y.mul_(3)
    z.sum().backward()
    return x.grad


@pair
def writes_in_place_while_packing(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y.mul_(x)
        y.sin_()
        y[0].exp_()
    y.sum().backward()
    return y, x.grad


@pair
def a_pack_hook_that_writes(lib):
    x = leaf(lib, 1, 2)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.detach().mul_(2), lambda t: t):
        x * x


@pair
def an_unpack_hook_that_returns_a_number(lib):
    x = leaf(lib, 1, 2)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x * x
    y.sum().backward()


@pair
def an_error_while_packing(lib):
    x = leaf(lib, 1, 2)

    def fail(t):
        raise KeyError

    try:
        with lib.autograd.graph.saved_tensors_hooks(fail, lambda t: t):
            x * x
    except KeyError:
        (x * x).sum().backward()
        return x.grad


@pair
def forbidden(lib):
    hooks, no = lib.autograd.graph.saved_tensors_hooks, lib.autograd.graph.disable_saved_tensors_hooks
    with no("not here"):
        pass
    with hooks(lambda t: t, lambda t: t):
        pass
    with no("not here"), hooks(lambda t: t, lambda t: t):
        pass


@pair
def forbidden_inside(lib):
    hooks, no = lib.autograd.graph.saved_tensors_hooks, lib.autograd.graph.disable_saved_tensors_hooks
    with hooks(lambda t: t, lambda t: t), no("not here"):
        pass


@pair
def a_second_backward_of_packed_values(lib):
    x = leaf(lib, 1, 2)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    y.backward()


# What PyTorch cannot tell


def test_hooks_of_another_thread_pack_nothing_here():
    x, packed, inside, done = tg.ones(2, requires_grad=True), [], threading.Event(), threading.Event()

    def other():
        with tg.autograd.graph.saved_tensors_hooks(lambda t: packed.append(1) or t, lambda t: t):
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(10)
    y = x * x
    done.set()
    thread.join()
    y.sum().backward()
    assert not packed
    assert x.grad.tolist() == [2, 2]
