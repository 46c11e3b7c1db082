"""Hooks on tensors and on steps of the tape against PyTorch."""

import gc
import weakref

import pytest

import tapegrad as tg

from ..scenarios.table import leaf, number, tensor
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


def lists(values):
    return [None if v is None else v.tolist() for v in values]


# On tensors


@pair
def the_order_of_all_hooks(lib):
    x, log = leaf(lib, 1, 2), []
    y = x * 2
    step = y.grad_fn
    leaf_step = step.next_functions[0][0]
    step.register_hook(lambda i, o: log.append(("post", lists(i), lists(o))))
    step.register_prehook(lambda o: log.append(("pre", lists(o))))
    y.register_hook(lambda g: log.append(("tensor", g.tolist())))
    y.retain_grad()
    y.register_hook(lambda g: g * 3)
    leaf_step.register_hook(lambda i, o: log.append(("leaf post", lists(i), lists(o))))
    leaf_step.register_prehook(lambda o: log.append(("leaf pre", lists(o))))
    x.register_hook(lambda g: log.append(("leaf", g.tolist())))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("accumulated", p.grad.tolist(), p is x)))
    y.sum().backward()
    return log, y.grad, leaf_step.name().rpartition("::")[2], step.name()


@pair
def what_grad_and_inputs_call(lib):
    x, log = leaf(lib, 1, 2), []
    x.register_hook(lambda g: log.append("tensor"))
    x.register_post_accumulate_grad_hook(lambda p: log.append("accumulated"))
    step = (x * 1).grad_fn.next_functions[0][0]
    step.register_hook(lambda i, o: log.append("post"))
    lib.autograd.grad((x * 2).sum(), x)
    log.append("inputs")
    (x * 2).sum().backward(inputs=[x])
    return log, x.grad


@pair
def accumulated_gradients_may_be_taken_away(lib):
    x, steps = leaf(lib, 1, 2), []

    def descend(p):
        with lib.no_grad():
            p -= 0.1 * p.grad
        steps.append(p.tolist())
        p.grad = None

    x.register_post_accumulate_grad_hook(descend)
    for _ in range(3):
        (x * x).sum().backward()
    return steps, x.grad


@pair
def accumulated_on_a_result(lib):
    (leaf(lib, 1, 2) * 2).register_post_accumulate_grad_hook(print)


@pair
def accumulated_on_a_constant(lib):
    tensor(lib, 1, 2).register_post_accumulate_grad_hook(print)


def returned(value):
    def scenario(lib):
        y = leaf(lib, 1, 2) * 2
        y.register_hook(lambda g: value(lib))
        y.sum().backward()

    return scenario


for name, value in {
    "a_hook_returns_a_number": lambda lib: 3,
    "a_hook_returns_another_shape": lambda lib: lib.ones(3, dtype=lib.float64),
    "a_hook_returns_another_type": lambda lib: lib.ones(2),
}.items():
    made = returned(value)
    made.__name__ = name
    pair(made)


@pair
def a_handle_as_a_context(lib):
    x = leaf(lib, 1, 2)
    with x.register_hook(lambda g: g * 10):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    return x.grad


@pair
def a_hook_removed_by_another(lib):
    x, log = leaf(lib, 1, 2), []
    first = x.register_hook(lambda g: (log.append("first"), second.remove())[0])
    second = x.register_hook(lambda g: log.append("second"))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    first.remove()
    return log


@pair
def the_mode_within_hooks(lib):
    x, log = number(lib, 2.0), []
    y = x * x
    y.register_hook(lambda g: log.append((lib.is_grad_enabled(), g.requires_grad)))
    y.grad_fn.register_hook(lambda i, o: log.append((lib.is_grad_enabled(), i[0].requires_grad)))
    y.backward(retain_graph=True)
    lib.autograd.grad(y * x, x, create_graph=True)
    with lib.no_grad():
        lib.autograd.grad(y, x, create_graph=True)
    return log


@pair
def a_hook_that_keeps_its_gradient(lib):
    x, kept = leaf(lib, 1, 2), []
    x.register_hook(kept.append)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    return kept, x.grad


@pair
def an_error_in_a_hook(lib):
    x = leaf(lib, 1, 2)

    def fail(g):
        raise KeyError

    handle = x.register_hook(fail)
    try:
        (x * 2).sum().backward()
    except KeyError:
        handle.remove()
        (x * 3).sum().backward()
        return x.grad, lib.is_grad_enabled()


# On steps


@pair
def a_post_hook_replaces(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    z = x * y
    z.grad_fn.register_hook(lambda i, o: (i[0] * 10, None))
    z.sum().backward()
    return x.grad, y.grad


@pair
def a_post_hook_of_a_broadcast_step(lib):
    x, y, seen = leaf(lib, 1, 2), number(lib, 3.0), []
    z = x * y
    z.grad_fn.register_hook(lambda i, o: seen.append([tuple(v.shape) for v in (*i, *o)]))
    z.sum().backward()
    return seen, x.grad, y.grad


@pair
def a_pre_hook_replaces(lib):
    x = leaf(lib, 1, 2)
    z = x * 2
    z.grad_fn.register_prehook(lambda o: (o[0] * 10,))
    z.sum().backward()
    return x.grad


for name, method, value in (
    ("post_returns_a_tensor", "register_hook", lambda lib: lib.ones(2, dtype=lib.float64)),
    ("post_returns_too_few", "register_hook", lambda lib: (lib.ones(2, dtype=lib.float64),)),
    ("pre_returns_a_tensor", "register_prehook", lambda lib: lib.ones(2, dtype=lib.float64)),
    ("pre_returns_too_many", "register_prehook", lambda lib: (lib.ones(2, dtype=lib.float64),) * 2),
):

    def scenario(lib, method=method, value=value):
        y = leaf(lib, 1, 2) * 2
        getattr(y.grad_fn, method)(lambda *grads: value(lib))
        y.sum().backward()

    scenario.__name__ = name
    pair(scenario)


@pair
def hooks_on_steps_recorded(lib):
    x = number(lib, 2.0)
    y = x * x
    y.grad_fn.register_prehook(lambda o: (o[0] * x,))
    (g,) = lib.autograd.grad(y * 3, x, create_graph=True)
    return g, lib.autograd.grad(g, x)


@pair
def notes_on_a_step(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    y.grad_fn.metadata["a"] = 1
    leaf_step = y.grad_fn.next_functions[0][0]
    return (
        y.grad_fn.metadata,
        y.grad_fn.next_functions[1],
        leaf_step.variable is x,
        isinstance(y.grad_fn, lib.autograd.graph.Node),
    )


# Edges and several tensors


@pair
def edges_for_backward_and_grad(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    edge = lib.autograd.graph.get_gradient_edge
    one = lib.ones(2, dtype=lib.float64)
    found = lib.autograd.grad((y * 3).sum(), [edge(y), edge(x)], retain_graph=True)
    again = lib.autograd.grad(edge(y), x, one, retain_graph=True)
    lib.autograd.backward([edge(y)], [one * 2])
    return found, again, x.grad, edge(y).output_nr, edge(y).node is y.grad_fn


@pair
def an_edge_of_a_constant(lib):
    lib.autograd.graph.get_gradient_edge(tensor(lib, 1))


@pair
def hooks_on_several_tensors(lib):
    x, y, z, log = leaf(lib, 1, 2), leaf(lib, 3, 4), leaf(lib, 5, 6), []
    a, b = x * 2, y * 3
    every = lib.autograd.graph.register_multi_grad_hook([a, b, z], lambda gs: log.append(("all", lists(gs))))
    lib.autograd.graph.register_multi_grad_hook([a, b, z], lambda g: log.append("any"), mode="any")
    (a + b).sum().backward(retain_graph=True)
    (a * b).sum().backward(retain_graph=True)
    a.sum().backward(retain_graph=True)
    every.remove()
    (a * b).sum().backward()
    return log


@pair
def leaves_are_told_as_soon_as_their_gradients_are_complete(lib):
    weights, log = [leaf(lib, 1, 2) for _ in range(3)], []
    y = tensor(lib, 1, 1)
    for k, w in enumerate(weights):
        y = y * w
        w.register_hook(lambda g, k=k: log.append(f"leaf {k}"))
        w.register_post_accumulate_grad_hook(lambda p, k=k: log.append(f"accumulated {k}"))
        y.register_hook(lambda g, k=k: log.append(f"result {k}"))
        y.grad_fn.register_hook(lambda i, o, k=k: log.append(f"step {k}"))
    (y + weights[0]).sum().backward()  # the first is complete only at the end
    return log, [w.grad.tolist() for w in weights]


@pair
def an_optimizer_in_the_backward(lib):
    weights, log = [leaf(lib, 1, 2) for _ in range(3)], []

    def step(p):
        log.append([w.grad is not None for w in weights])
        with lib.no_grad():
            p -= 0.1 * p.grad
        p.grad = None

    y = tensor(lib, 1, 1)
    for w in weights:
        w.register_post_accumulate_grad_hook(step)
        y = (y * w).exp()
    y.sum().backward()
    return log, [w.tolist() for w in weights]


@pair
def a_leaf_whose_user_hands_on_nothing(lib):
    class Cut(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return None

    x, log = leaf(lib, 1, 2), []
    x.register_post_accumulate_grad_hook(lambda p: log.append(p.grad.tolist()))
    (Cut.apply(x) + x * 3).sum().backward()
    return log


@pair
def a_gradient_taken_away_before_a_step(lib):
    x, w, log = leaf(lib, 1, 2), leaf(lib, 3, 4), []
    y = x * w
    y.grad_fn.register_prehook(lambda o: (None,))
    y.grad_fn.register_hook(lambda i, o: log.append((lists(i), lists(o))))
    (y + w).sum().backward()
    return x.grad, w.grad.tolist(), log


@pair
def a_gradient_taken_away_before_a_leaf(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    y.grad_fn.next_functions[0][0].register_prehook(lambda o: (None,))
    y.sum().backward()
    return x.grad


@pair
def a_gradient_taken_away_before_a_function(lib):
    seen = []

    class Twice(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x.detach() * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append((a.tolist(), b.tolist()))
            return a * 2

    x = leaf(lib, 1, 2)
    y, _ = Twice.apply(x)
    y.grad_fn.register_prehook(lambda o: seen.append(len(o)))
    y.grad_fn.register_prehook(lambda o: (None,) * len(o))
    y.sum().backward()
    return x.grad.tolist(), seen


@pair
def a_version_moved_by_hand(lib):
    x = leaf(lib, 1, 2) * 1
    y = x * x
    lib.autograd.graph.increment_version(x)
    y.sum().backward()


# What PyTorch cannot tell


def test_hooks_keep_nothing_alive():
    gc.collect()
    gc.disable()
    try:
        x = tg.ones(3, requires_grad=True)
        handle = x.register_hook(lambda g: None)
        x.register_post_accumulate_grad_hook(lambda p: None)
        with tg.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            y = x * x
        y.retain_grad()
        y.grad_fn.register_hook(lambda i, o: None)
        y.sum().backward()
        found = weakref.ref(x), weakref.ref(y), weakref.ref(y.grad_fn)
        del x, y
        assert [f() for f in found] == [None] * 3
        handle.remove()
    finally:
        gc.enable()


def test_texts_of_errors():
    x = tg.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: tg.ones(3))
    with pytest.raises(
        RuntimeError, match=r"hook '<lambda>' was given the gradient float32\[2\] and returned float32\[3\]"
    ):
        y.sum().backward()
    y = x * 2
    y.grad_fn.register_hook(lambda i, o: i[0])
    with pytest.raises(TypeError, match="must return a tuple of gradients or None, not Tensor"):
        y.sum().backward()
    with pytest.raises(RuntimeError, match="pack hook changed the tensor that it was given in place"):
        with tg.autograd.graph.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t):
            x * x
