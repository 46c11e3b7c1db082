"""What backward keeps and frees, and ``autograd.grad``."""

from .table import Table, leaf, number, tensor

scenario = Table()

# Keeping and freeing


@scenario("RuntimeError")
def a_second_backward(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    y.backward()
    y.backward()


@scenario([2.0, 2.0])
def a_second_backward_where_nothing_was_saved(lib):
    x = leaf(lib, 1, 2)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


@scenario(([2.0, 2.0], [4.0, 4.0], [-6.0, -6.0]))
def a_second_backward_through_multiples_that_are_added(lib):
    """``alpha`` is no saved tensor: nothing is freed."""
    x, y, z = leaf(lib, 1, 2), leaf(lib, 3, 4), leaf(lib, 5, 6)
    out = (x + 0).add_(y, alpha=2)
    out = lib.sub(out, z, alpha=3.0).sum()
    out.backward()
    out.backward()
    return x.grad, y.grad, z.grad


@scenario([4.0, 8.0])
def a_second_backward_of_a_kept_graph(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@scenario("RuntimeError")
def a_third_backward_after_the_kept_one(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    y.backward()


@scenario([4.0, 8.0])
def create_graph_keeps_the_graph(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    y.backward(create_graph=True)
    y.backward()
    return x.grad


@scenario("RuntimeError")
def a_part_shared_by_two_roots_is_freed_by_the_first(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    (y * 2).sum().backward()
    (y * 3).sum().backward()


@scenario("RuntimeError")
def grad_frees_as_well(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    lib.autograd.grad(y, x)
    lib.autograd.grad(y, x)


@scenario((([2.0, 4.0],), ([2.0, 4.0],)))
def grad_keeps_on_demand(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    return lib.autograd.grad(y, x, retain_graph=True), lib.autograd.grad(y, x)


# grad


@scenario((True, ([3.0, 4.0], [1.0, 2.0]), None, None))
def grad_leaves_grad_alone(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    found = lib.autograd.grad((x * y).sum(), [x, y])
    return type(found) is tuple, found, x.grad, y.grad


@scenario(([6.0, 12.0], [18.0, 36.0]))
def grad_by_an_intermediate(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    return lib.autograd.grad((y * y).sum(), [y, x])


@scenario((2.0, 2.0))
def grad_by_the_output(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    return lib.autograd.grad(y * 2, [y, y])


@scenario((3.0, 1.0))
def grad_of_a_tensor_by_itself(lib):
    x = number(lib, 2.0)
    y = x * 2
    return lib.autograd.grad([x, y], [x, y])


@scenario("RuntimeError")
def grad_unused(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    lib.autograd.grad((x * 2).sum(), [x, y])


@scenario(([2.0, 2.0], None))
def grad_unused_allowed(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    return lib.autograd.grad((x * 2).sum(), [x, y], allow_unused=True)


@scenario(([2.0, 2.0], [0.0, 0.0]))
def grad_unused_as_zeros(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    return lib.autograd.grad((x * 2).sum(), [x, y], materialize_grads=True)


@scenario("ValueError")
def grad_unused_refused_but_as_zeros(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    return lib.autograd.grad((x * 2).sum(), [x, y], allow_unused=False, materialize_grads=True)


@scenario("RuntimeError")
def grad_by_what_needs_none(lib):
    x, y = leaf(lib, 1, 2), tensor(lib, 3, 4)
    lib.autograd.grad((x * y).sum(), y)


@scenario(([202.0, 420.0],))
def grad_of_several_outputs(lib):
    x = leaf(lib, 1, 2)
    return lib.autograd.grad([x * 2, x * x], x, [tensor(lib, 1, 10), tensor(lib, 100, 100)])


@scenario(["x"])
def grad_goes_only_where_it_must(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    seen = []
    y.register_hook(lambda g: seen.append("y"))
    x.register_hook(lambda g: seen.append("x"))
    lib.autograd.grad((x * y).sum(), x)
    return seen


@scenario(([2.0, 2.0], [2.0, 4.0]))
def grad_stops_where_it_must(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    (found,) = lib.autograd.grad((y * 2).sum(), y)
    y.sum().backward()
    return found, x.grad
