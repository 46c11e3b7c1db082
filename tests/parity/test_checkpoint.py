"""Checkpointing against PyTorch: values, gradients, random numbers, errors; and the memory that it saves."""

import contextlib
import gc
import tracemalloc
import weakref

import pytest

import tapegrad as tg

from ..scenarios.table import leaf, number
from .checkpoints import checkpoint
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


def both_ways(scenario):
    """A scenario for each ``use_reentrant``."""
    for reentrant in (False, True):

        def run(lib, reentrant=reentrant):
            def call(*args, **kwargs):
                return checkpoint(lib).checkpoint(*args, use_reentrant=reentrant, **kwargs)

            return scenario(lib, call)

        run.__name__ = scenario.__name__ + ("_reentrant" if reentrant else "")
        pair(run)


@both_ways
def a_gradient(lib, call):
    x, runs = leaf(lib, 1, 2), []
    y = call(lambda t: runs.append(1) or (t.exp() * t).sin(), x)
    before = len(runs)
    (y * x).sum().backward()
    return y, x.grad, before, len(runs)


@both_ways
def several_inputs_and_outputs(lib, call):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    a, b, k = call(lambda s, t, k: (s * t * k, (s * s).sum(), k), x, y, 3)
    (a * b).sum().backward()
    return x.grad, y.grad, k


@both_ways
def an_input_without_gradient(lib, call):
    x, y = leaf(lib, 1, 2), lib.tensor([3.0, 4.0], dtype=lib.float64)
    call(lambda s, t: s.exp() * t, x, y).sum().backward()
    return x.grad, y.grad


@both_ways
def dropout_draws_the_same_again(lib, call):
    lib.manual_seed(3)
    x = lib.ones(40, dtype=lib.float64, requires_grad=True)
    y = call(lambda t: lib.nn.functional.dropout(t.exp(), 0.5), x)
    after = lib.rand(3)
    y.sum().backward()
    return y, x.grad, after, lib.rand(3)


@both_ways
def under_no_grad(lib, call):
    x = leaf(lib, 1, 2)
    with lib.no_grad():
        return call(lambda t: t * 2, x).requires_grad


@both_ways
def with_retain_graph(lib, call):
    x, runs = leaf(lib, 1, 2), []
    y = call(lambda t: runs.append(1) or t.exp().sin(), x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad, len(runs)


@both_ways
def a_second_backward(lib, call):
    x = leaf(lib, 1, 2)
    y = call(lambda t: t.exp().sin(), x).sum()
    y.backward()
    y.backward()


@both_ways
def an_argument_changed_in_place(lib, call):
    x = leaf(lib, 1, 2)
    y = x * 1
    z = call(lambda t: t.exp().sin(), y)
    y.mul_(2)
    z.sum().backward()


@both_ways
def inside_of_one_another(lib, call):
    x, runs = leaf(lib, 1, 2), []

    def inner(t):
        runs.append("inner")
        return t.exp().sin()

    def outer(t):
        runs.append("outer")
        return call(inner, t.cos()) * call(inner, t)

    call(outer, x).sum().backward()
    return x.grad, runs.count("outer")


@pair
def parameters_of_a_closure(lib):
    x, w = leaf(lib, 1, 2), leaf(lib, 3, 4)
    y = checkpoint(lib).checkpoint(lambda t: (t * w).exp(), x.detach(), use_reentrant=False)
    y.sum().backward()
    return w.grad


@pair
def keyword_arguments(lib):
    x, w = leaf(lib, 1, 2), leaf(lib, 3, 4)
    checkpoint(lib).checkpoint(lambda t, w=None: (t * w).exp(), x, use_reentrant=False, w=w).sum().backward()
    return x.grad, w.grad


@pair
def keyword_arguments_of_the_older_way(lib):
    checkpoint(lib).checkpoint(lambda t, k=2: t * k, leaf(lib, 1, 2), use_reentrant=True, k=3)


@pair
def second_order(lib):
    x = number(lib, 0.7)
    y = checkpoint(lib).checkpoint(lambda t: (t * t).exp().sin(), x, use_reentrant=False)
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    return g, lib.autograd.grad(g, x)


@pair
def through_autograd_grad(lib):
    x = leaf(lib, 1, 2)
    y = checkpoint(lib).checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False)
    return lib.autograd.grad(y.sum(), x)


@pair
def through_autograd_grad_the_older_way(lib):
    x = leaf(lib, 1, 2)
    y = checkpoint(lib).checkpoint(lambda t: t.exp().sin(), x, use_reentrant=True)
    lib.autograd.grad(y.sum(), x)


@pair
def stops_early(lib):
    x, log = leaf(lib, 1, 2), []

    def function(t):
        log.append("start")
        t = t.exp()
        log.append("exp")
        t = t + 1
        log.append("end")
        return t

    for early in (True, False):
        y = checkpoint(lib).checkpoint(function, x, use_reentrant=False, early_stop=early)
        log.append("backward")
        y.sum().backward()
    with checkpoint(lib).set_checkpoint_early_stop(False):
        y = checkpoint(lib).checkpoint(function, x, use_reentrant=False)
    log.append("backward")
    y.sum().backward()
    return log


@pair
def contexts_of_both_runs(lib):
    log = []

    @contextlib.contextmanager
    def noted(name):
        log.append(name)
        try:
            yield
        finally:
            log.append("end " + name)

    x = leaf(lib, 1, 2)
    y = checkpoint(lib).checkpoint(
        lambda t: t.exp(), x, use_reentrant=False, context_fn=lambda: (noted("first"), noted("again"))
    )
    y.sum().backward()
    return log


@pair
def an_error_in_the_second_run(lib):
    x, runs = leaf(lib, 1, 2), []

    def function(t):
        runs.append(1)
        if len(runs) > 1:
            raise KeyError
        return t.exp()

    y = checkpoint(lib).checkpoint(function, x, use_reentrant=False)
    try:
        y.sum().backward()
    except KeyError:
        (x * 2).sum().backward()
        return x.grad, lib.is_grad_enabled()


@pair
def a_function_that_catches_everything(lib):
    x = leaf(lib, 1, 2)

    def function(t):
        try:
            return t.exp().sin()
        except ValueError:
            return t

    checkpoint(lib).checkpoint(function, x, use_reentrant=False).sum().backward()
    return x.grad


def network(lib, depth=6):
    lib.manual_seed(0)
    layers = [lib.nn.Sequential(lib.nn.Linear(3, 3), lib.nn.Tanh(), lib.nn.Dropout(0.3)) for _ in range(depth)]
    return lib.nn.Sequential(*layers).double()


for reentrant in (False, True):
    for segments in (1, 2, 4):

        def sequential(lib, reentrant=reentrant, segments=segments):
            net = network(lib)
            x = lib.ones(4, 3, dtype=lib.float64, requires_grad=True)
            y = checkpoint(lib).checkpoint_sequential(net, segments, x, use_reentrant=reentrant)
            y.sum().backward()
            return y, x.grad, [p.grad for p in net.parameters()]

        sequential.__name__ = f"sequential_{segments}{'_reentrant' if reentrant else ''}"
        pair(sequential)


# What PyTorch cannot tell


def peak(run):
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("reentrant", [False, True])
def test_memory_falls_and_numbers_stay(reentrant):
    with tg.backends.use("numpy"):
        net = tg.nn.Sequential(
            *[tg.nn.Sequential(tg.nn.Linear(64, 64), tg.nn.Tanh(), tg.nn.Dropout(0.2)) for _ in range(24)]
        )
        x = tg.randn(512, 64).requires_grad_()
        found = []
        for forward in (net, lambda x: tg.utils.checkpoint.checkpoint_sequential(net, 6, x, use_reentrant=reentrant)):
            net.zero_grad()
            tg.manual_seed(1)
            used = peak(lambda forward=forward: forward(x).square().sum().backward())
            found.append((used, [p.grad.tolist() for p in net.parameters()]))
    assert found[1][0] < 0.45 * found[0][0]
    assert found[1][1] == found[0][1]


def test_nested_checkpoints_save_more():
    with tg.backends.use("numpy"):
        x = tg.randn(512, 64)
        weights = [tg.randn(64, 64).mul_(0.1).requires_grad_() for _ in range(32)]

        def run(t, a, b, split):
            if b - a == 1 or not split:
                for w in weights[a:b]:
                    t = (t @ w).tanh()
                return t
            middle, call = (a + b) // 2, tg.utils.checkpoint.checkpoint
            return call(run, call(run, t, a, middle, split), middle, b, split)

        used = [peak(lambda s=s: run(x, 0, 32, s).sum().backward()) for s in (False, True)]
    assert used[1] < 0.4 * used[0]


def test_nothing_stays_alive():
    gc.collect()
    gc.disable()
    try:
        x = tg.ones(3, requires_grad=True)
        inner = []

        def function(t):
            made = t.exp()
            inner.append(weakref.ref(made))
            return made.sin()

        y = tg.utils.checkpoint.checkpoint(function, x * 2)
        assert inner[0]() is None
        y.sum().backward()
        assert inner[1]() is None
        step = weakref.ref(y.grad_fn)
        del y
        assert step() is None
    finally:
        gc.enable()
