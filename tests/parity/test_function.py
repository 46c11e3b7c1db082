"""autograd.Function against PyTorch."""

import pytest

from ..scenarios.table import leaf, number, tensor
from .function_makers import cube, make, pairwise
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


# Values and orders


@pair
def a_value_and_its_gradient(lib):
    x = leaf(lib, 1, 2)
    y = cube(lib).apply(x)
    y.sum().backward()
    return y, x.grad, y.requires_grad, y.is_leaf, type(y.grad_fn).__name__.startswith("x"), y.grad_fn.name()


@pair
def three_orders(lib):
    x = number(lib, 2.0)
    (a,) = lib.autograd.grad(cube(lib).apply(x), x, create_graph=True)
    (b,) = lib.autograd.grad(a, x, create_graph=True)
    (c,) = lib.autograd.grad(b, x)
    return a, b, c


@pair
def a_saved_output_twice_differentiated(lib):
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y

    x = number(lib, 0.5)
    (a,) = lib.autograd.grad(make(lib, forward, backward).apply(x), x, create_graph=True)
    return a, lib.autograd.grad(a, x)


@pair
def two_saved_outputs_twice_differentiated(lib):
    def forward(ctx, x):
        a, b = x.sin(), x.cos()
        ctx.save_for_backward(a, b)
        return a, b

    def backward(ctx, g, h):
        a, b = ctx.saved_tensors
        return g * b - h * a

    x = leaf(lib, 0.5, 1.5)
    a, b = make(lib, forward, backward).apply(x)
    (g,) = lib.autograd.grad((a * a * b).sum(), x, create_graph=True)
    (h,) = lib.autograd.grad(g.sum(), x, create_graph=True)
    return g, h, lib.autograd.grad(h.sum(), x)


@pair
def a_chain_with_ordinary_operations(lib):
    x = leaf(lib, 1, 2)
    y = cube(lib).apply(x * 2) * x
    y.sum().backward()
    return x.grad


@pair
def the_separate_style(lib):
    def forward(x, k=2):
        return x * k

    def setup(ctx, inputs, output):
        ctx.k = inputs[1]

    def backward(ctx, g):
        return g * ctx.k, None

    x = leaf(lib, 1, 2)
    made = make(lib, forward, backward, setup)
    made.apply(x).sum().backward()
    made.apply(x, k=5).sum().backward()
    return x.grad


# Several inputs and outputs


@pair
def two_outputs(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 5)
    a, b = pairwise(lib).apply(x, y, 4)
    (a * b).sum().backward()
    return a, b, x.grad, y.grad, a.output_nr, b.output_nr, a.grad_fn is b.grad_fn, pairwise.seen


@pair
def one_of_two_outputs_used(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 5)
    _, b = pairwise(lib).apply(x, y, 4)
    b.sum().backward()
    return x.grad, y.grad, pairwise.seen


@pair
def one_of_two_outputs_used_and_no_zeros(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 5)
    a, _ = pairwise(lib, set_materialize_grads=False).apply(x, y, 4)
    a.sum().backward()
    return x.grad, y.grad, pairwise.seen


@pair
def two_outputs_in_anomaly_mode(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 5)
    with lib.autograd.detect_anomaly():
        a, b = pairwise(lib).apply(x, y, 4)
        (a * b).sum().backward()
        g, h = lib.autograd.grad((a * b).sum(), [x, y], create_graph=True)
        (g * h).sum().backward()
    return x.grad, y.grad


@pair
def nan_in_anomaly_mode(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 5)
    with lib.autograd.detect_anomaly():
        a, b = pairwise(lib).apply(x, y, float("nan"))
        (a * b).sum().backward()


@pair
def two_outputs_twice_differentiated(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 5)
    a, b = pairwise(lib).apply(x, y, 4)
    g, h = lib.autograd.grad((a * b).sum(), [x, y], create_graph=True)
    return lib.autograd.grad((g * h).sum(), [x, y])


@pair
def an_input_without_gradient(lib):
    x, y = leaf(lib, 1, 2), tensor(lib, 3, 5)
    a, b = pairwise(lib).apply(x, y, 4)
    (a + b).sum().backward()
    return x.grad, y.grad, pairwise.seen


@pair
def the_same_input_twice(lib):
    x = leaf(lib, 1, 2)
    a, b = pairwise(lib).apply(x, x, 4)
    (a + b).sum().backward()
    return x.grad


@pair
def outputs_that_are_no_tensors(lib):
    def forward(ctx, x):
        return x * 2, "text", None, 3

    def backward(ctx, *g):
        return g[0] * 2 + (0 if all(v is None for v in g[1:]) else 100)

    x = leaf(lib, 1, 2)
    y, *rest = make(lib, forward, backward).apply(x)
    y.sum().backward()
    return x.grad, rest


@pair
def a_tuple_of_one(lib):
    x = leaf(lib, 1, 2)
    out = make(lib, lambda ctx, x: (x * 2,), lambda ctx, g: g * 2).apply(x)
    out[0].sum().backward()
    return len(out), x.grad


@pair
def no_gradient_at_all(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    (make(lib, lambda ctx, x: x * 2, lambda ctx, g: None).apply(x) + y).sum().backward()
    return x.grad, y.grad


@pair
def hooks_on_each_output(lib):
    x, y, seen = leaf(lib, 1, 2), leaf(lib, 3, 5), []
    a, b = pairwise(lib).apply(x, y, 4)
    a.register_hook(lambda g: seen.append(("a", g.tolist())))
    b.register_hook(lambda g: g * 2)
    a.retain_grad()
    (a * b).sum().backward()
    return sorted(seen), x.grad, a.grad


@pair
def hooks_on_the_step(lib):
    x, y, seen = leaf(lib, 1, 2), leaf(lib, 3, 5), []
    a, b = pairwise(lib).apply(x, y, 4)
    step = a.grad_fn
    step.register_prehook(lambda g: seen.append([v.tolist() for v in g]))
    step.register_hook(lambda i, o: seen.append(([v.tolist() for v in i], len(o))))
    step.register_hook(lambda i, o: tuple(v * 2 for v in i))
    (a * b).sum().backward()
    return seen, x.grad


# Flags


@pair
def an_output_that_is_not_differentiable(lib):
    def forward(ctx, x):
        mask = (x > 1).to(x.dtype)
        ctx.mark_non_differentiable(mask)
        ctx.save_for_backward(mask)
        return x * mask, mask

    def backward(ctx, g, nothing):
        (mask,) = ctx.saved_tensors
        return g * mask + nothing

    x = leaf(lib, 1, 2)
    y, mask = make(lib, forward, backward).apply(x)
    y.sum().backward()
    return x.grad, y.requires_grad, mask.requires_grad


@pair
def integer_outputs(lib):
    x = leaf(lib, 3, 1, 2)
    y, places = make(lib, lambda ctx, x: (x * 2, x.argsort()), lambda ctx, g, h: g * 2).apply(x)
    y.sum().backward()
    return places, places.requires_grad, x.grad


def doubling(lib, mark=True):
    def forward(ctx, x):
        x.mul_(2)
        if mark:
            ctx.mark_dirty(x)
        return x

    return make(lib, forward, lambda ctx, g: g * 2)


@pair
def an_input_written_in_place(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    z = doubling(lib).apply(y)
    (z * y).sum().backward()
    return z is y, z, x.grad, y._version


@pair
def a_leaf_written_in_place(lib):
    doubling(lib).apply(leaf(lib, 1, 2))


@pair
def a_constant_written_in_place(lib):
    x = tensor(lib, 1, 2)
    y = doubling(lib).apply(x)
    return y is x, y, y.requires_grad, y._version


@pair
def a_view_written_in_place(lib):
    x = leaf(lib, 1, 2, 3)
    base = x * 1
    part = base[1:]
    out = doubling(lib).apply(part)
    (base * base).sum().backward()
    return out is part, base, x.grad


@pair
def dirty_but_not_returned(lib):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x * 2

    make(lib, forward, lambda ctx, g: g).apply(leaf(lib, 1, 2) * 1)


@pair
def what_reads_a_dirty_input_afterwards(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    square = y * y
    doubling(lib).apply(y)
    square.sum().backward()


@pair
def an_input_returned_as_it_is(lib):
    x = leaf(lib, 1, 2)
    y = make(lib, lambda ctx, x: x, lambda ctx, g: g * 5).apply(x)
    y.sum().backward()
    return y is x, y, x.grad, y.is_leaf


@pair
def writing_to_an_input_returned_as_it_is(lib):
    y = make(lib, lambda ctx, x: x, lambda ctx, g: g * 5).apply(leaf(lib, 1, 2) * 1)
    y.mul_(2)


@pair
def a_view_of_an_input_returned(lib):
    x = leaf(lib, 1, 2, 3)
    y = make(lib, lambda ctx, x: x[:2], lambda ctx, g: lib.cat([g * 5, g[:1] * 0])).apply(x)
    y.sum().backward()
    return y, x.grad


@pair
def writing_to_a_view_of_an_input_returned(lib):
    y = make(lib, lambda ctx, x: x[:2], lambda ctx, g: g).apply(leaf(lib, 1, 2, 3) * 1)
    y.mul_(2)


@pair
def writing_to_an_ordinary_output(lib):
    x = leaf(lib, 1, 2)
    y = cube(lib).apply(x)
    y.mul_(3)
    y.sum().backward()
    return y, x.grad


@pair
def once_differentiable(lib):
    once = lib.autograd.function.once_differentiable

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    made = make(lib, forward, once(lambda ctx, g: g * 2 * ctx.saved_tensors[0]))
    x = leaf(lib, 1, 2)
    made.apply(x).sum().backward()
    (g,) = lib.autograd.grad(made.apply(x).sum(), x, create_graph=True)
    first = (x.grad, g, g.requires_grad)
    try:
        lib.autograd.grad(g.sum(), x)
    except RuntimeError:
        return first
    return "no error"
