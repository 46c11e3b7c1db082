"""Grad modes, inference mode and threads against PyTorch."""

import gc
import threading
import time

import pytest

import tapegrad as tg

from ..scenarios.table import leaf, tensor
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


# Inference mode


@pair
def what_is_marked(lib):
    x, c = leaf(lib, 1, 2), tensor(lib, 1, 2)
    with lib.inference_mode():
        made = [
            lib.ones(2), lib.tensor([1.0]), lib.rand(2), lib.arange(3), x * 2, c * 2, x[0], c[0], c.detach(), c.clone(),
            (x * 2)[0], lib.ones(2)[0], lib.full((2,), 3.0), lib.zeros_like(c), x.sum(), lib.cat([c, c]),
            c.reshape(2, 1),
        ]  # fmt: skip
    after = lib.ones(2)
    return [t.is_inference() for t in made], x.is_inference(), after.is_inference(), (x * 2).is_inference()


@pair
def what_comes_of_it_outside(lib):
    with lib.inference_mode():
        z = lib.ones(2, dtype=lib.float64)
    made = [z * 2, z.clone(), z[0], z.view(2, 1), z + tensor(lib, 1, 2), z.detach(), z.sum()]
    return [t.is_inference() for t in made]


@pair
def added_to_what_requires_grad(lib):
    with lib.inference_mode():
        z = lib.ones(2, dtype=lib.float64)
    x = leaf(lib, 1, 2)
    (x + z).sum().backward()
    return x.grad


@pair
def results_without_gradients_in_inference_mode(lib):
    x = tensor(lib, 3, 1, 2)
    with lib.inference_mode():
        made = [
            x == 1, x != 1, x < 2, x <= x, x > 2, x >= x, x.isnan(), x.isinf(), lib.isfinite(x), x.logical_not(),
            (x > 0) & (x < 1), ~(x > 0), x.any(), x.all(), x.argmax(), x.argmin(0), x.max(0).indices, x.sort().indices,
            x.argsort(), x.nonzero(), lib.isclose(x, x), x.topk(2).indices, lib.unique(x), x.long().bincount(),
            lib.searchsorted(x.sort().values, x),
        ]  # fmt: skip
    return [t.is_inference() for t in made], [t.is_inference() for t in (x == 1, x.argmax())]


@pair
def set_grad_enabled_takes_bools(lib):
    refused = []
    for mode in (1, 0, None, "x"):
        try:
            lib.set_grad_enabled(mode)
        except TypeError:
            refused.append(mode)
    return refused, lib.is_grad_enabled()


@pair
def a_class_is_decorated(lib):
    with pytest.warns(FutureWarning):

        @lib.no_grad()
        class Made:
            def __init__(self):
                self.enabled = lib.is_grad_enabled()

            def later(self):
                return lib.is_grad_enabled()

    return Made().enabled, Made().later()


def made_in_inference(act):
    def scenario(lib):
        with lib.inference_mode():
            z = lib.ones(2, dtype=lib.float64)
        return act(lib, z)

    return scenario


for name, act in {
    "saved_for_backward": lambda lib, z: leaf(lib, 1, 2) * z,
    "saved_through_a_view": lambda lib, z: leaf(lib, 1, 2) * z.view(2),
    "saved_after_a_clone": lambda lib, z: (leaf(lib, 1, 2) * z.clone()).requires_grad,
    "written_in_place": lambda lib, z: z.add_(1),
    "written_through_a_view": lambda lib, z: z[0].add_(1),
    "written_by_index": lambda lib, z: z.__setitem__(0, 3.0),
    "zeroed": lambda lib, z: z.zero_(),
    "written_under_no_grad": lambda lib, z: lib.no_grad()(lambda: z.add_(1))(),
    "asked_for_its_version": lambda lib, z: z._version,
    "made_to_require_grad": lambda lib, z: z.requires_grad_(),
    "copied_from": lambda lib, z: tensor(lib, 1, 2).copy_(z),
    "written_in_the_mode_again": lambda lib, z: lib.inference_mode()(lambda: z.add_(1).mul_(3))(),
    "saved_in_the_mode": lambda lib, z: lib.inference_mode()(lambda: (leaf(lib, 1, 2) * z).requires_grad)(),
    "printed": lambda lib, z: str(z.tolist()),
    "a_parameter_of_it": lambda lib, z: lib.nn.Parameter(z),
}.items():
    made = made_in_inference(act)
    made.__name__ = name
    pair(made)


@pair
def writes_to_ordinary_tensors_in_the_mode(lib):
    x, c = leaf(lib, 1, 2), tensor(lib, 1, 2)
    y = x * x
    with lib.inference_mode():
        c.add_(1)
        c[0] = 7
    return c, c._version, c.is_inference(), lib.autograd.grad(y.sum(), x)


@pair
def a_saved_value_written_in_the_mode(lib):
    x, c = leaf(lib, 1, 2), tensor(lib, 1, 2)
    y = x * c
    with lib.inference_mode():
        c.add_(1)
    y.sum().backward()


@pair
def modes_in_the_mode(lib):
    x, seen = leaf(lib, 1, 2), []

    def look():
        seen.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled(), (x * 2).requires_grad))

    look()
    with lib.inference_mode():
        look()
        with lib.enable_grad():
            look()
            with lib.no_grad():
                look()
        with lib.inference_mode(False):
            look()
            with lib.no_grad():
                look()
        look()
    with lib.no_grad():
        with lib.inference_mode(False):
            look()
        with lib.inference_mode():
            look()
        look()
    look()
    return seen


@pair
def a_leaf_made_in_the_mode(lib):
    with lib.inference_mode():
        x = lib.ones(2, requires_grad=True)
        return x.requires_grad, x.is_leaf, (x * 2).requires_grad


@pair
def a_decorated_generator(lib):
    @lib.inference_mode()
    def steps():
        yield lib.is_inference_mode_enabled()
        yield lib.ones(1).is_inference()

    run = steps()
    return next(run), lib.is_inference_mode_enabled(), next(run), lib.ones(1).is_inference()


@pair
def a_view_read_in_the_mode_after_a_write(lib):
    x = leaf(lib, 1, 2, 3)
    base = x * 1
    part = base[1:]
    base.mul_(2)
    with lib.inference_mode():
        inside = (part * 1).tolist(), part.requires_grad
    (part * part).sum().backward()
    return inside, x.grad


@pair
def set_grad_enabled_on_generators(lib):
    @lib.set_grad_enabled(False)
    def steps():
        yield lib.is_grad_enabled()
        yield lib.is_grad_enabled()

    run = steps()
    return next(run), lib.is_grad_enabled(), next(run), lib.is_grad_enabled()


@pair
def a_recorded_gradient_asked_for_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    z = (y * y + y * y * y).sum()
    with lib.no_grad():
        (g,) = lib.autograd.grad(z, x, create_graph=True)
    return g, g.requires_grad, lib.autograd.grad(g.sum(), x)


# Threads


def together(count, work):
    """Run ``work(k)`` in threads that start at the same moment; raises what one of them raised."""
    barrier, errors = threading.Barrier(count), []

    def run(k):
        barrier.wait(10)
        try:
            work(k)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    if errors:
        raise errors[0]


@pair
def threads_with_leaves_of_their_own(lib):
    leaves = [leaf(lib, 1, 2) for _ in range(8)]

    def work(k):
        for _ in range(50):
            (leaves[k] * leaves[k] * k).sum().backward()

    together(8, work)
    return [x.grad for x in leaves]


@pair
def threads_that_share_a_leaf(lib):
    x = leaf(lib, 1, 2)

    def work(k):
        for _ in range(100):
            (x * 2).sum().backward()

    together(8, work)
    return x.grad


@pair
def threads_that_share_a_leaf_with_hooks(lib):
    x, calls = leaf(lib, 1, 2), []
    x.register_hook(lambda g: g * 2)
    x.register_post_accumulate_grad_hook(lambda p: calls.append(1))

    def work(k):
        for _ in range(50):
            (x * 2).sum().backward()

    together(4, work)
    return x.grad, len(calls)


@pair
def threads_that_share_a_graph(lib):
    x = leaf(lib, 1, 2)
    y = ((x * x).exp() * x).sum()

    def work(k):
        for _ in range(20):
            y.backward(retain_graph=True)

    together(4, work)
    return [round(v, 6) for v in x.grad.tolist()]


@pair
def threads_in_functions_with_several_outputs(lib):
    class Two(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h * 3

    x = leaf(lib, 1, 2)
    a, b = Two.apply(x)
    y = (a * b).sum()

    def work(k):
        for _ in range(20):
            y.backward(retain_graph=True)

    together(4, work)
    return x.grad


def test_accumulation_loses_nothing_where_adding_takes_its_time(monkeypatch):
    def accumulate(self, target, value):
        summed = target + value
        time.sleep(0.002)  # other threads come to the same place meanwhile
        target[...] = summed

    x = tg.ones(3, requires_grad=True)
    monkeypatch.setattr(type(x.device.backend), "accumulate", accumulate)

    def work(k):
        for _ in range(10):
            (x * 1).sum().backward()

    together(4, work)
    assert x.grad.tolist() == [40, 40, 40]


def test_a_thread_that_ends_takes_its_mode_along():
    for switch in (lambda: tg.set_grad_enabled(False), lambda: tg.inference_mode().__enter__()):
        for _ in range(3):
            seen = []
            thread = threading.Thread(target=switch)
            thread.start()
            thread.join()
            del thread
            gc.collect()
            other = threading.Thread(
                target=lambda s=seen: s.extend([tg.is_grad_enabled(), tg.is_inference_mode_enabled()])
            )
            other.start()
            other.join()
            assert seen == [True, False]


def test_texts_of_errors():
    with tg.inference_mode():
        z = tg.ones(2)
    with pytest.raises(RuntimeError, match=r"inference mode cannot be saved for backward.*clone"):
        tg.ones(2, requires_grad=True) * z
    with pytest.raises(RuntimeError, match=r"add_: .*inference mode cannot be written in place.*clone"):
        z.add_(1)
