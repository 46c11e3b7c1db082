"""Hooks and kept gradients."""

from .table import Table, leaf, number, tensor

scenario = Table()

# Hooks and kept gradients


@scenario([20.0, 20.0])
def a_hook_changes_the_gradient(lib):
    x = leaf(lib, 1, 2)
    x.register_hook(lambda g: g * 10)
    (x * 2).sum().backward()
    return x.grad


@scenario([[4.0, 6.0], [4.0, 6.0]])
def a_hook_sees_the_sum_of_all_ways(lib):
    x = leaf(lib, 1, 2)
    seen = []
    y = x * 1
    y.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: seen.append(g.tolist()))
    (y * 2 + y * y).sum().backward()
    return seen


@scenario([30.0, 30.0])
def hooks_run_in_order_each_on_the_last_result(lib):
    x = leaf(lib, 1, 2)
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 10)
    (x * 2).sum().backward()
    return x.grad


@scenario(["y", "x", "y", "x"])
def a_hook_is_called_once_for_every_backward(lib):
    x, calls = leaf(lib, 1, 2), []
    y = x * x
    y.register_hook(lambda g: calls.append("y"))
    x.register_hook(lambda g: calls.append("x"))
    (y + y).sum().backward(retain_graph=True)
    y.sum().backward()
    return calls


@scenario([2.0, 2.0])
def a_hook_taken_away(lib):
    x = leaf(lib, 1, 2)
    handle = x.register_hook(lambda g: g * 10)
    handle.remove()
    handle.remove()
    (x * 2).sum().backward()
    return x.grad


@scenario([60.0, 60.0])
def a_hook_in_the_middle_changes_what_lies_behind(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    (y * 2).sum().backward()
    return x.grad


@scenario((20.0, (32.0,)))
def a_hook_with_a_recorded_backward(lib):
    x = number(lib, 2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (first,) = lib.autograd.grad(y * x, x, create_graph=True)
    return first, lib.autograd.grad(first, x)


@scenario((([20.0, 20.0],), ([61.0, 61.0],)))
def a_hook_changes_what_grad_gives(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    z = (y * 2).sum()
    return lib.autograd.grad(z, y, retain_graph=True), lib.autograd.grad(z, x)


@scenario("RuntimeError")
def a_hook_on_what_needs_no_gradient(lib):
    tensor(lib, 1).register_hook(lambda g: g)


@scenario("RuntimeError")
def an_error_in_a_hook_comes_out(lib):
    x = leaf(lib, 1, 2)
    x.register_hook(lambda g: g.reshape(17))
    (x * 2).sum().backward()


@scenario(([6.0, 12.0], [18.0, 36.0], False))
def a_kept_gradient(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    (y * y).sum().backward()
    return y.grad, x.grad, y.is_leaf


@scenario(([60.0, 120.0], [180.0, 360.0]))
def a_kept_gradient_and_a_hook(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    (y * y).sum().backward()
    return y.grad, x.grad


@scenario(([8.0, 14.0], [24.0, 42.0]))
def a_kept_gradient_of_two_backwards(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward(retain_graph=True)
    (y * 2).sum().backward()
    return y.grad, x.grad


@scenario([2.0, 2.0])
def keeping_the_gradient_of_a_leaf_changes_nothing(lib):
    x = leaf(lib, 1, 2)
    x.retain_grad()
    (x * 2).sum().backward()
    return x.grad


@scenario("RuntimeError")
def keeping_the_gradient_of_a_constant(lib):
    tensor(lib, 1).retain_grad()


@scenario(None)
def a_result_keeps_no_gradient_by_itself(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    y.sum().backward()
    return y.grad
