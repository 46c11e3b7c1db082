"""autograd.Function against PyTorch: modes, wrong gradients, errors; and what it keeps alive."""

import gc
import weakref

import pytest

import tapegrad as tg

from ..scenarios.table import leaf, tensor
from .function_makers import cube, make, pairwise
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


# Grad modes


@pair
def the_forward_is_not_recorded(lib):
    seen = []

    def forward(ctx, x):
        seen.append((lib.is_grad_enabled(), (x * 2).requires_grad, x.requires_grad, ctx.needs_input_grad))
        return x * 2

    def backward(ctx, g):
        seen.append((lib.is_grad_enabled(), g.requires_grad))
        return g * 2

    x = leaf(lib, 1, 2)
    made = make(lib, forward, backward)
    made.apply(x).sum().backward()
    lib.autograd.grad(made.apply(x).sum(), x, create_graph=True)
    with lib.no_grad():
        y = made.apply(x)
    return seen, y.requires_grad


@pair
def an_input_returned_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    with lib.no_grad():
        y = make(lib, lambda ctx, x: x, lambda ctx, g: g).apply(x)
    return y is x, y.requires_grad, x.requires_grad


@pair
def a_backward_inside_of_a_backward(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.detach() ** 2

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        with lib.enable_grad():
            again = x.detach().requires_grad_()
            (inner,) = lib.autograd.grad((again**2).sum(), again)
        return g * inner

    x = leaf(lib, 1, 2)
    y = make(lib, forward, backward).apply(x * 3)
    (y * x).sum().backward()
    return x.grad


# Shapes, types, errors


def returning(lib, result, count=1):
    return make(lib, lambda ctx, *xs: sum(xs) if count > 1 else xs[0] * 1, lambda ctx, g: result(g))


@pair
def a_gradient_that_is_summed_to_its_input(lib):
    x = lib.ones(2, 1, dtype=lib.float64, requires_grad=True)
    made = make(lib, lambda ctx, x: x.expand(3, 2, 4) * 1, lambda ctx, g: g)
    made.apply(x).sum().backward()
    return x.grad


@pair
def a_gradient_of_another_type(lib):
    x = leaf(lib, 1, 2)
    returning(lib, lambda g: g.to(lib.float32)).apply(x).sum().backward()
    return x.grad, x.grad.dtype


@pair
def a_gradient_of_a_wrong_shape(lib):
    returning(lib, lambda g: lib.ones(3, dtype=lib.float64)).apply(leaf(lib, 1, 2)).sum().backward()


@pair
def a_gradient_that_is_no_tensor(lib):
    returning(lib, lambda g: 3).apply(leaf(lib, 1, 2)).sum().backward()


@pair
def too_few_gradients(lib):
    returning(lib, lambda g: g, 2).apply(leaf(lib, 1, 2), leaf(lib, 3, 4)).sum().backward()


@pair
def too_many_gradients(lib):
    returning(lib, lambda g: (g, g)).apply(leaf(lib, 1, 2)).sum().backward()


@pair
def too_many_nones(lib):
    x = leaf(lib, 1, 2)
    returning(lib, lambda g: (g, None, None)).apply(x).sum().backward()
    return x.grad


@pair
def a_gradient_for_a_number(lib):
    made = make(lib, lambda ctx, x, k: x * k, lambda ctx, g: (g, g))
    made.apply(leaf(lib, 1, 2), 3).sum().backward()


@pair
def an_error_in_backward_leaves_the_engine_usable(lib):
    x = leaf(lib, 1, 2)

    def backward(ctx, g):
        raise KeyError("mine")

    y = make(lib, lambda ctx, x: x * 2, backward).apply(x)
    try:
        y.sum().backward()
    except KeyError:
        (x * 3).sum().backward()
        return x.grad, lib.is_grad_enabled()


@pair
def an_error_in_forward_restores_the_mode(lib):
    def forward(ctx, x):
        raise KeyError

    try:
        make(lib, forward, lambda ctx, g: g).apply(leaf(lib, 1, 2))
    except KeyError:
        return lib.is_grad_enabled()


@pair
def saving_what_is_no_tensor(lib):
    make(lib, lambda ctx, x: ctx.save_for_backward(3) or x * 1, lambda ctx, g: g).apply(leaf(lib, 1, 2))


@pair
def a_saved_input_changed(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    z = cube(lib).apply(y)
    y.mul_(2)
    z.sum().backward()


@pair
def a_second_backward(lib):
    x = leaf(lib, 1, 2)
    y = cube(lib).apply(x)
    y.sum().backward()
    y.sum().backward()


@pair
def a_second_backward_with_retain_graph(lib):
    x = leaf(lib, 1, 2)
    y = cube(lib).apply(x)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return x.grad


@pair
def nothing_saved_and_a_second_backward(lib):
    x = leaf(lib, 1, 2)
    y = make(lib, lambda ctx, x: x * 2, lambda ctx, g: g * 2).apply(x)
    y.backward(lib.ones_like(y))
    y.backward(lib.ones_like(y))
    return x.grad


@pair
def a_function_without_backward(lib):
    class Half(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    x = leaf(lib, 1, 2)
    y = Half.apply(x)
    try:
        y.sum().backward()
    except NotImplementedError:
        return y


@pair
def an_object_that_is_called(lib):
    cube(lib)()(leaf(lib, 1, 2))


@pair
def attributes_are_seen_on_the_step(lib):
    def forward(ctx, x):
        ctx.shape, ctx.device, ctx.saved, ctx.edges, ctx.version = 1, 2, 3, 4, 5
        ctx.save_for_backward(x)
        return x * 2

    x = leaf(lib, 1, 2)
    y = make(lib, forward, lambda ctx, g: g * (ctx.shape + ctx.device + ctx.saved + ctx.edges + ctx.version)).apply(x)
    step = y.grad_fn
    found = step.shape, step.saved_tensors[0] is x, step.needs_input_grad, len(step.next_functions)
    y.sum().backward()
    return found, x.grad


@pair
def the_gradient_is_no_alias(lib):
    kept = tensor(lib, 1, 1)
    x = leaf(lib, 1, 2)
    returning(lib, lambda g: kept).apply(x).sum().backward()
    (x * 2).sum().backward()
    return kept, x.grad


@pair
def complex_numbers(lib):
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z * z

    def backward(ctx, g):
        (z,) = ctx.saved_tensors
        return g * (2 * z).conj()

    z = lib.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    out = make(lib, forward, backward).apply(z)
    (out.abs() ** 2).sum().backward()
    return [(v.real, v.imag) for v in z.grad.tolist()]


@pair
def packed_by_saved_tensors_hooks(lib):
    x, seen = leaf(lib, 1, 2), []
    with lib.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t.tolist()) or t.clone(), lambda t: t * 10):
        y = cube(lib).apply(x)
    y.sum().backward()
    return seen, x.grad


# What PyTorch cannot tell


def test_nothing_stays_alive():
    gc.collect()
    gc.disable()
    try:
        x = tg.ones(3, requires_grad=True)
        a, b = pairwise(tg).apply(x, x * 2, 3)
        step = weakref.ref(a.grad_fn)
        (a * b).sum().backward()
        del a, b
        assert step() is None
        y = cube(tg).apply(x)
        step, value = weakref.ref(y.grad_fn), weakref.ref(y)
        del y
        assert step() is None
        assert value() is None
    finally:
        gc.enable()


def test_texts_of_errors():
    x, y = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"MadeBackward: .* each of the 2 arguments of apply, it returned 1"):
        returning(tg, lambda g: g, 2).apply(x, y).sum().backward()
    with pytest.raises(RuntimeError, match=r"MadeBackward: an invalid gradient at index 0: float32\[3\].*\[2\]"):
        returning(tg, lambda g: tg.ones(3)).apply(x).sum().backward()
    with pytest.raises(RuntimeError, match="MadeBackward: the gradient at index 0 must be a Tensor or None, not int"):
        returning(tg, lambda g: 3).apply(x).sum().backward()
    z = cube(tg).apply(x).sum()
    z.backward()
    with pytest.raises(RuntimeError, match="CubeBackward a second time"):
        z.backward()
    z = x * 1
    w = cube(tg).apply(z)
    z.mul_(2)
    with pytest.raises(RuntimeError, match=r"CubeBackward: a tensor \(float32\[2\]\).*in place.*version 0, now at 1"):
        w.sum().backward()
    with pytest.raises(RuntimeError, match=r"Cube: a Function is not called as an object; write Cube.apply"):
        cube(tg)()(x)
