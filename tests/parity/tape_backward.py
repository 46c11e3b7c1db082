"""Backward: what it keeps, how it accumulates, from which roots, into which inputs."""

from ..scenarios.table import leaf, number, tensor
from .tape_programs import Programs, attempt

program = Programs()


# retain_graph


@program
def create_graph_without_retaining(lib):
    x = leaf(lib, 1, 2)
    y = (x**3).sum()
    (g,) = lib.autograd.grad(y, x, create_graph=True, retain_graph=False)
    return g, attempt(lambda: lib.autograd.grad(y, x))


@program
def second_order_of_a_freed_first_order(lib):
    x = leaf(lib, 1, 2)
    (g,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    first = lib.autograd.grad(g.sum(), x)
    return first, attempt(lambda: lib.autograd.grad(g.sum(), x))


@program
def freed_where_reached_only(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    a, b = x * x, y * y
    (a.sum() + b.sum()).backward()
    c = x.exp()
    lib.autograd.grad(c.sum(), x, retain_graph=True)
    return lib.autograd.grad(c.sum(), x), attempt(lambda: a.sum().backward()), attempt(lambda: b.sum().backward())


@program
def grad_by_an_intermediate_frees_no_more_than_it_passes(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    z = (y * y).sum()
    lib.autograd.grad(z, y)
    return lib.autograd.grad(y.sum(), x), attempt(lambda: lib.autograd.grad(z, y))


@program
def a_freed_graph_that_saved_nothing(lib):
    x = leaf(lib, 1, 2)
    y = (x + x - 3).reshape(2, 1).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def retained_and_written_between(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    z = (y * y).sum()
    z.backward(retain_graph=True)
    y.mul_(2)
    return attempt(z.backward)


# Accumulation


@program
def accumulated_with_and_without_create_graph(lib):
    x = leaf(lib, 1, 2)
    (x**2).sum().backward()
    first = x.grad
    (x**3).sum().backward(create_graph=True)
    return first is x.grad, first, x.grad, x.grad.requires_grad, first.requires_grad


@program
def a_recorded_gradient_accumulates_a_plain_one(lib):
    x = leaf(lib, 1, 2)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    (x**2).sum().backward()
    return first is x.grad, x.grad, x.grad.requires_grad


@program
def gradient_of_the_accumulated_gradient(lib):
    x = leaf(lib, 1, 2)
    (x**3).sum().backward(create_graph=True)
    x.grad.sum().backward()
    return x.grad


@program
def a_given_gradient_that_requires_grad(lib):
    x, g = leaf(lib, 1, 2), leaf(lib, 3, 4)
    (x * x).backward(g, create_graph=True)
    x.grad.sum().backward()
    return x.grad, g.grad


@program
def an_assigned_gradient_is_shared(lib):
    x, g = leaf(lib, 1, 2), tensor(lib, 10, 20)
    x.grad = g
    (x * 2).sum().backward()
    return x.grad is g, g


@program
def the_given_gradient_stays_as_it_was(lib):
    x, y, g = leaf(lib, 1, 2), leaf(lib, 1, 2), tensor(lib, 10, 20)
    x.backward(g)
    y.backward(g, create_graph=True)
    for t in (x, y):
        (t * 2).backward(g)
    return g, x.grad, y.grad


@program
def one_gradient_for_two_leaves(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    (x + y).sum().backward()
    x.grad.mul_(5)
    return x.grad, y.grad


@program
def zeroing_by_hand(lib):
    x = leaf(lib, 1, 2)
    (x * 3).sum().backward()
    x.grad.zero_()
    (x * 4).sum().backward()
    return x.grad, x.grad._version


@program
def a_gradient_with_gaps_is_contiguous(lib):
    x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    x.t().backward(lib.arange(6, dtype=lib.float64).reshape(3, 2))
    return x.grad, list(x.grad.shape)


@program
def a_leaf_used_a_hundred_times(lib):
    x = number(lib, 1.5)
    sum(x * k for k in range(100)).backward()
    return x.grad


# Roots


@program
def a_vector_root(lib):
    x = leaf(lib, 1, 2)
    return attempt((x * x).backward), attempt(lambda: lib.autograd.grad(x * x, x))


@program
def a_root_of_one_element_in_three_dimensions(lib):
    x = leaf(lib, 3)
    (x * x).reshape(1, 1, 1).backward()
    return x.grad


@program
def a_complex_root(lib):
    x = lib.tensor(1 + 2j, dtype=lib.complex128, requires_grad=True)
    return (
        attempt((x * x).backward),
        attempt(lambda: (x * x).backward(lib.tensor(1 + 0j, dtype=lib.complex128))),
        x.grad,
    )


@program
def an_empty_root(lib):
    x = lib.zeros(0, dtype=lib.float64, requires_grad=True)
    y = x * 2
    first = attempt(y.backward)
    y.backward(lib.zeros(0, dtype=lib.float64))
    return first, x.grad, list(x.grad.shape)


@program
def a_sum_of_nothing(lib):
    x = lib.zeros(0, 3, dtype=lib.float64, requires_grad=True)
    x.sum().backward()
    y = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    y[:0].sum().backward()
    return x.grad, y.grad


@program
def a_number_as_root_and_leaf(lib):
    x = number(lib, 2.0)
    x.backward(lib.tensor(5.0, dtype=lib.float64))
    (x * 1).backward()
    return x.grad, list(x.grad.shape)


@program
def a_broadcast_cotangent(lib):
    x = leaf(lib, 1, 2)
    shapes = [(), (1,), (1, 2), (2, 1), (3,)]
    return [attempt(lambda: (x * x).backward(lib.ones(s, dtype=lib.float64)) or "done") for s in shapes]  # noqa: B023


@program
def a_cotangent_of_another_kind(lib):
    x = leaf(lib, 1, 2)
    answers = []
    for g in (lib.tensor([1, 2]), lib.tensor([1.0, 2.0], dtype=lib.float32), [1.0, 2.0], 1.0):
        answers.append(attempt(lambda: (x * x).backward(g) or "done"))  # noqa: B023
    return answers, x.grad, attempt(lambda: (x * x).sum().backward(lib.tensor(2.0)) or "done")


@program
def a_complex_cotangent_of_a_real_root(lib):
    x = leaf(lib, 1, 2)
    return attempt(lambda: (x * x).backward(lib.tensor([1j, 2.0], dtype=lib.complex128)) or "done")


@program
def a_root_without_grad(lib):
    x = tensor(lib, 1)
    return attempt(x.sum().backward), attempt(lambda: lib.autograd.grad(x.sum(), leaf(lib, 1)))


@program
def an_integer_root(lib):
    return attempt(lib.tensor(3).backward)


@program
def a_detached_root_beside_a_good_one(lib):
    x = leaf(lib, 1, 2)
    return attempt(lambda: lib.autograd.backward([(x * x).sum(), x.detach().sum()])), x.grad


@program
def many_roots_with_some_cotangents(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    lib.autograd.backward([y.sum(), y * 3, x.sum()], [None, tensor(lib, 1, 2), lib.tensor(5.0, dtype=lib.float64)])
    return x.grad


@program
def many_roots_without_cotangents_one_a_vector(lib):
    x = leaf(lib, 1, 2)
    return attempt(lambda: lib.autograd.backward([x.sum(), x * 2])), x.grad


@program
def no_roots(lib):
    return attempt(lambda: lib.autograd.backward([])), attempt(lambda: lib.autograd.backward(()))


@program
def a_single_root_and_cotangent_without_lists(lib):
    x = leaf(lib, 1, 2)
    lib.autograd.backward(x * x, tensor(lib, 1, 10))
    return x.grad


@program
def too_many_cotangents(lib):
    x = leaf(lib, 1, 2)
    one = lib.tensor(1.0, dtype=lib.float64)
    return attempt(lambda: lib.autograd.grad([x.sum(), x.sum()], x, [one]))


@program
def cotangents_neither_complex_nor_real(lib):
    x, z = leaf(lib, 1, 2), lib.tensor([1j, 2.0], dtype=lib.complex128, requires_grad=True)
    return attempt(lambda: (x * 2).backward(z.detach())), attempt(lambda: (z * 2).backward(x.detach()))


# inputs=


@program
def inputs_of_backward(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    z = x * y
    (z * z).sum().backward(inputs=[x, z])
    return x.grad, y.grad, z.grad


@program
def inputs_that_accumulate(lib):
    x = leaf(lib, 1, 2)
    x.grad = tensor(lib, 10, 10)
    held = x.grad
    (x * x).sum().backward(inputs=x)
    return x.grad, held is x.grad


@program
def inputs_that_are_not_reached(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    (x * x).sum().backward(inputs=[x, y])
    return x.grad, y.grad


@program
def inputs_that_need_no_gradient(lib):
    x, y = leaf(lib, 1, 2), tensor(lib, 3, 4)
    return attempt(lambda: (x * y).sum().backward(inputs=[y]))


@program
def no_inputs(lib):
    x = leaf(lib, 1, 2)
    return attempt(lambda: (x * x).sum().backward(inputs=[])), x.grad


@program
def inputs_twice(lib):
    x = leaf(lib, 1, 2)
    (x * x).sum().backward(inputs=[x, x])
    return x.grad


@program
def inputs_recorded(lib):
    x = leaf(lib, 1, 2)
    (x**3).sum().backward(inputs=[x], create_graph=True)
    return x.grad, lib.autograd.grad(x.grad.sum(), x)
