"""Writes in place: what was saved, leaves, shapes and types, hooks."""

from .inplace import pair
from .table import Table

scenario = Table()

# What was saved


@scenario("RuntimeError")
def a_write_after_its_result_was_saved(lib):
    _x, y = pair(lib, 1.0, 2.0)
    y.exp_()
    y.add_(1)
    y.sum().backward()


@scenario([3.0, 3.0])
def a_write_after_its_result_was_not_saved(lib):
    x, y = pair(lib, 1.0, 2.0)
    y.mul_(3)
    y.add_(1)
    y.sum().backward()
    return x.grad


@scenario([0.540302306, -0.416146837])
def a_write_that_saves_its_own_input(lib):
    x, y = pair(lib, 1.0, 2.0)
    y.sin_()
    y.sum().backward()
    return x.grad


@scenario("RuntimeError")
def a_write_between_saving_and_backward(lib):
    _x, y = pair(lib, 1.0, 2.0)
    z = y * y
    y.mul_(2)
    z.sum().backward()


@scenario("RuntimeError")
def a_write_to_the_operand_of_a_write(lib):
    _x, y = pair(lib, 1.0, 2.0)
    w = lib.tensor([3.0, 4.0], dtype=lib.float64)
    y.mul_(w)
    w.add_(1)
    y.sum().backward()


@scenario([10.0, 20.0])
def a_write_after_backward(lib):
    x, y = pair(lib, 1.0, 2.0)
    z = (y * y).sum()
    z.backward()
    y.mul_(2)
    (y * y).sum().backward()
    return x.grad


# Leaves


@scenario("RuntimeError")
def a_leaf_is_not_written(lib):
    pair(lib, 1.0)[0].add_(1)


@scenario("RuntimeError")
def a_leaf_is_not_written_by_an_operator(lib):
    x, _ = pair(lib, 1.0)
    x += 1


@scenario("RuntimeError")
def a_leaf_is_not_written_by_an_index(lib):
    pair(lib, 1.0)[0][0] = 1.0


@scenario("RuntimeError")
def a_leaf_is_not_written_by_a_mask(lib):
    x, _ = pair(lib, 1.0)
    x[x > 0] = 1.0


@scenario("RuntimeError")
def a_leaf_is_not_zeroed(lib):
    pair(lib, 1.0)[0].zero_()


@scenario(([6.0, 21.0], [12.0, 42.0], True, True, 3))
def a_leaf_is_written_under_no_grad(lib):
    x, _ = pair(lib, 1.0, 2.0)
    with lib.no_grad():
        x.mul_(10)
        x[0] = 5.0
        x += 1
    (x * x).sum().backward()
    return x, x.grad, x.is_leaf, x.requires_grad, x._version


@scenario(([6.0, 6.0], [12.0, 12.0], True, True, 3))
def a_leaf_is_filled_under_no_grad(lib):
    x, _ = pair(lib, 1.0, 2.0)
    with lib.no_grad():
        x.zero_()
        x.fill_(3.0)
        x.copy_(x * 2)
    (x * x).sum().backward()
    return x, x.grad, x.is_leaf, x.requires_grad, x._version


@scenario(([5.0, 20.0], True, True, 0))
def a_leaf_is_written_through_data(lib):
    x, _ = pair(lib, 1.0, 2.0)
    x.data.mul_(10)
    x.data[0] = 5.0
    return x, x.is_leaf, x.requires_grad, x._version


@scenario((True, False, [2.0, 4.0]))
def a_constant_takes_a_history(lib):
    x, y = pair(lib, 1.0, 2.0)
    z = lib.ones(2, dtype=lib.float64)
    z.mul_(y)
    (z * z).sum().backward()
    return z.requires_grad, z.is_leaf, x.grad


@scenario(([1.0, 2.0], False))
def a_constant_takes_no_history_under_no_grad(lib):
    _, y = pair(lib, 1.0, 2.0)
    z = lib.ones(2, dtype=lib.float64)
    with lib.no_grad():
        z.mul_(y)
    return z, z.requires_grad


@scenario(([10.0, 20.0], [2.0, 2.0]))
def a_history_is_kept_under_no_grad(lib):
    x, y = pair(lib, 1.0, 2.0)
    with lib.no_grad():
        y.mul_(10)
    (y * 2).sum().backward()
    return y, x.grad


@scenario(((True, False), True, [0.0, 0.0]))
def an_overwritten_history_keeps_requiring_grad(lib):
    x, y = pair(lib, 1.0, 2.0)
    y.zero_()
    z = y.requires_grad, y.is_leaf
    y.copy_(lib.tensor([3.0, 4.0]))
    (y * y).sum().backward()
    return z, y.requires_grad, x.grad


@scenario((True, [0.0, 0.0]))
def an_index_overwrites_all(lib):
    x, y = pair(lib, 1.0, 2.0)
    y[:] = 3.0
    (y * y).sum().backward()
    return y.requires_grad, x.grad


@scenario(([2.0, 1.0, 2.0], [2.0, 8.0]))
def a_leaf_as_the_written_value(lib):
    x, _ = pair(lib, 1.0, 2.0)
    z = lib.zeros(3, dtype=lib.float64)
    z[1:] = x
    z[0] = x[1]
    (z * z).sum().backward()
    return z, x.grad


# Shapes and types


@scenario(([[2.0, 3.0, 4.0], [2.0, 3.0, 4.0]], [[4.0, 12.0, 24.0], [4.0, 12.0, 24.0]], [44.0, 12.0, 16.0]))
def an_operand_broadcasts_to_the_target(lib):
    x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    row = lib.tensor([1.0, 2.0, 3.0], dtype=lib.float64, requires_grad=True)
    y = x * 1
    y.mul_(row).add_(row[0])
    (y * y).sum().backward()
    return y, x.grad, row.grad


@scenario("RuntimeError")
def a_target_does_not_broadcast(lib):
    lib.ones(3).add_(lib.ones(2, 3))


@scenario("RuntimeError")
def a_target_of_one_element_does_not_broadcast(lib):
    lib.ones(1).mul_(lib.ones(2))


@scenario("RuntimeError")
def shapes_that_do_not_match(lib):
    lib.ones(3).add_(lib.ones(2))


@scenario(([4, 8, 12], [4, 8, 12], [4, 8, 12], "int64"))
def integers_take_integers(lib):
    x = lib.tensor([1, 2, 3])
    return x.add_(2), x.mul_(x), x.floor_divide_(2), x.dtype


@scenario("RuntimeError")
def integers_take_no_fractions(lib):
    lib.tensor([1, 2]).add_(1.5)


@scenario("RuntimeError")
def integers_are_not_divided_in_place(lib):
    lib.tensor([1, 2]).div_(2)


@scenario("RuntimeError")
def integers_are_not_square_rooted_in_place(lib):
    lib.tensor([1, 4]).sqrt_()


@scenario("RuntimeError")
def bools_take_no_integers(lib):
    lib.tensor([True, False]).add_(2)


@scenario(([3.5, 1.0], "float32"))
def floats_take_everything_lower(lib):
    x = lib.tensor([1.5, 2.5])
    x.add_(lib.tensor([1, 2])).mul_(lib.tensor([True, False])).add_(lib.tensor([1.0, 1.0], dtype=lib.float64))
    return x, x.dtype


@scenario(("float32", "float32", "float64", [18.0, 64.0], [6.0, 32.0]))
def a_write_in_a_narrower_type_keeps_both_gradients(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    w = lib.tensor([3.0, 4.0], dtype=lib.float64, requires_grad=True)
    y = x * 1
    y.mul_(w)
    (y * y).sum().backward()
    return y.dtype, x.grad.dtype, w.grad.dtype, x.grad, w.grad


@scenario((7.0, 3.0, [], []))
def numbers_and_nothing(lib):
    x = lib.tensor(2.0, dtype=lib.float64, requires_grad=True)
    y = x * 1
    y.mul_(3).add_(1)
    y.backward()
    empty = lib.zeros(0, requires_grad=True)
    z = empty * 1
    z.add_(1).exp_()
    z.sum().backward()
    return y, x.grad, z, empty.grad


# Hooks and higher orders


@scenario([60.0, 60.0])
def a_hook_set_before_a_write(lib):
    x, y = pair(lib, 1.0, 2.0)
    y.register_hook(lambda g: g * 10)
    y.mul_(2)
    (y * 3).sum().backward()
    return x.grad


@scenario("RuntimeError")
def second_order_through_writes(lib):
    x, y = pair(lib, 0.5, 0.25)
    y.mul_(x).sin_()
    y[0] = y[1] * x[0]
    y.mul_(x.exp())
    (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = lib.autograd.grad((g * g).sum(), x, create_graph=True)
    return g, h, lib.autograd.grad(h.sum(), x)


@scenario([1.0, 34.0])
def a_gradient_written_in_place(lib):
    x, _ = pair(lib, 1.0, 2.0)
    (x * x).sum().backward()
    x.grad.mul_(10).clamp_(max=30)
    x.grad[0] = -1.0
    (x * x).sum().backward()
    return x.grad
