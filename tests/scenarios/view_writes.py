"""Writes through views: one history for a base and all that looks at it."""

from .table import Table
from .views import matrix

scenario = Table()

# Writing through views


@scenario(([[0.0, 1.0], [20.0, 30.0], [4.0, 5.0]], [[0.0, 2.0], [400.0, 600.0], [8.0, 10.0]]))
def a_write_to_a_slice(lib):
    x, y = matrix(lib, 3, 2)
    y[1].mul_(10)
    (y * y).sum().backward()
    return y, x.grad


@scenario(([[0.0, 3.0, 6.0], [3.0, 12.0, 15.0]], [[216.0, 18.0, 36.0], [6.0, 72.0, 90.0]]))
def a_write_to_a_transpose(lib):
    x, y = matrix(lib, 2, 3)
    y.t()[1:].add_(y[0, 0]).mul_(3)
    (y * y).sum().backward()
    return y, x.grad


@scenario(
    (
        [[0.0, 1.0, 2.0, 3.0, 54.59815, 148.413159], [403.428793, 1096.63316, 8.0, 9.0, 10.0, 11.0]],
        [[2.0, 2.0, 2.0, 2.0, 109.1963, 296.826318], [806.857587, 2193.26632, 2.0, 2.0, 2.0, 2.0]],
    )
)
def a_write_to_a_reshape(lib):
    x, y = matrix(lib, 2, 6)
    y.reshape(3, 4)[1].exp_()
    (y * 2).sum().backward()
    return y, x.grad


@scenario(
    ([[0.0, 0.0, 2.0], [3.0, 40.0, 0.0], [6.0, 7.0, 800.0]], [[1.0, 0.0, 1.0], [1.0, 10.0, 0.0], [1.0, 1.0, 100.0]])
)
def a_write_to_a_diagonal(lib):
    x, y = matrix(lib, 3, 3)
    y.diagonal().mul_(lib.tensor([1.0, 10.0, 100.0], dtype=lib.float64))
    y.diagonal(1).zero_()
    y.sum().backward()
    return y, x.grad


@scenario(
    (
        [[0.0, 1.0, 2.0, 3.0], [20.0, 5.0, 6.0, 7.0], [40.0, 9.0, -10.0, 11.0], [60.0, 13.0, -6.0, 15.0]],
        [[0.0, 2.0, 4.0, 6.0], [360.0, 10.0, 12.0, 14.0], [400.0, 18.0, -20.0, 22.0], [600.0, 26.0, -12.0, 30.0]],
    )
)
def a_write_to_a_view_of_views(lib):
    x, y = matrix(lib, 4, 4)
    v = y[1:].t()[::2].reshape(2, 3)
    w = v[0]
    w.mul_(5)
    v[1, 1:].sub_(w[0])
    (y * y).sum().backward()
    return y, x.grad


@scenario(([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], [0.0, 6.0, 2.0, 8.0, 4.0, 10.0], [[3.0, 3.0, 3.0], [3.0, 3.0, 3.0]]))
def a_write_to_a_copying_reshape_stays_there(lib):
    x, y = matrix(lib, 2, 3)
    v = y.t().reshape(6)
    v.mul_(2)
    (y.sum() + v.sum()).backward()
    return y, v, x.grad


@scenario(
    (
        [0.0, 11.0],
        [[0.0, 11.0], [2.0, 4.0]],
        [[0.0, 2.0, 4.0], [11.0, 4.0, 6.0]],
        [[0.0, 220.0], [4.0, 8.0], [0.0, 0.0]],
    )
)
def siblings_are_refreshed(lib):
    x, y = matrix(lib, 3, 2)
    a, b, c = y[0], y[:2], y.t()
    a.mul_(10)
    c[1].add_(1)
    (b * b).sum().backward()
    return a, b, c, x.grad


@scenario(([[5.0, 7.0], [9.0, 11.0]], [[12.0, 18.0], [24.0, 30.0]], [[0.0, 0.0], [26.0, 34.0], [42.0, 50.0]]))
def a_view_after_its_base_was_written(lib):
    x, y = matrix(lib, 3, 2)
    v = y[1:]
    y.mul_(2)
    w = v * 3
    y.add_(1)
    (w.sum() + (v * v).sum()).backward()
    return v, w, x.grad


@scenario(([1.0, 5.0, 17.0], [4.0, 40.0, 272.0]))
def a_base_after_its_view_was_written_many_times(lib):
    x, y = matrix(lib, 3)
    for i in range(3):
        v = y[i:]
        v.mul_(2)
        v[0] += 1
    (y * y).sum().backward()
    return y, x.grad


@scenario(([0.0, 2.0, 4.0], [2.0, 5.0, 5.0]))
def what_was_made_before_the_write_keeps_its_value(lib):
    x, y = matrix(lib, 3)
    before = y * 2
    y[0] = 7.0
    (before + y * 3).sum().backward()
    return before, x.grad


@scenario(((True, True, True, False, False), [[0.0, 1.0], [0.0, 0.0]], [2.0, 7.0]))
def a_view_of_a_constant_takes_a_history(lib):
    x, y = matrix(lib, 2)
    z = lib.zeros(2, 2, dtype=lib.float64)
    row, column = z[0], z[:, 1]
    row.copy_(y)
    flags = z.requires_grad, row.requires_grad, column.requires_grad, z.is_leaf, column.is_leaf
    (column * 5 + z.sum()).sum().backward()
    return flags, z, x.grad


@scenario(([[0.0, 1.0, 2.0], [0.0, 4.0, 8.0], [0.0, 15.0, 30.0], [0.0, 64.0, 128.0]], [0.0, 2048.0, 4096.0]))
def a_buffer_filled_step_by_step(lib):
    x, _ = matrix(lib, 3)
    z = lib.zeros(4, 3, dtype=lib.float64)
    for i in range(4):
        z[i] = (z[i - 1] + x) * (i + 1) if i else x
    (z[1:] * z[:3]).sum().backward()
    return z, x.grad


@scenario(([[2.0, 3.0], [0.0, 1.0]], [[3.0, 4.0], [1.0, 2.0]]))
def rows_exchanged(lib):
    x, y = matrix(lib, 2, 2)
    a, b = y[0].clone(), y[1].clone()
    y[0], y[1] = b, a
    (y * lib.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=lib.float64)).sum().backward()
    return y, x.grad


@scenario("RuntimeError")
def a_saved_view_and_a_write_elsewhere(lib):
    _x, y = matrix(lib, 2, 2)
    z = (y[0] * y[0]).sum()
    y[1].add_(1)
    z.backward()


@scenario([[3.0, 3.0], [1.0, 1.0]])
def an_unsaved_view_and_a_write_elsewhere(lib):
    x, y = matrix(lib, 2, 2)
    z = (y[0] * 2).sum()
    y[1].add_(1)
    (z + y.sum()).backward()
    return x.grad


@scenario("RuntimeError")
def a_write_to_an_expanded_tensor(lib):
    matrix(lib, 3, 1)[1].expand(3, 2).add_(1)


@scenario(([[0.0, 6.0, 12.0]], [[6.0, 6.0, 6.0]]))
def a_write_to_an_expansion_that_repeats_nothing(lib):
    x, y = matrix(lib, 1, 3)
    y.expand(1, 3).mul_(2)
    y[0].expand(1, 1, 3).mul_(3)
    y.sum().backward()
    return y, x.grad


@scenario("RuntimeError")
def a_write_to_a_view_of_a_leaf(lib):
    matrix(lib, 3)[0].view(3).add_(1)


@scenario("RuntimeError")
def a_write_to_a_slice_of_a_leaf(lib):
    matrix(lib, 3)[0][0] = 1.0


@scenario(([10.0, 2.0, 4.0], [20.0, 4.0, 8.0], True, True))
def a_write_to_a_slice_of_a_leaf_under_no_grad(lib):
    x, _ = matrix(lib, 3)
    with lib.no_grad():
        x[0] = 10.0
        x.view(3)[1:].mul_(2)
    (x * x).sum().backward()
    return x, x.grad, x.is_leaf, x.requires_grad


@scenario(([0.0, 6.0, 7.0], True, 1))
def a_write_to_a_detached_view_of_a_leaf(lib):
    x, _ = matrix(lib, 3)
    x.detach()[1:].add_(5)
    return x, x.requires_grad, x._version


@scenario(([0.0, 10.0, 20.0], False, [2.0, 2.0, 2.0]))
def a_detached_view_has_no_history(lib):
    x, y = matrix(lib, 3)
    d = y.detach()[1:]
    d.mul_(10)
    (y * 2).sum().backward()
    return y, d.requires_grad, x.grad


@scenario((5.0, 2.0))
def a_write_to_a_number(lib):
    x = lib.tensor(3.0, dtype=lib.float64, requires_grad=True)
    y = x.clone()
    y.view(1).mul_(2)
    z = y * 1
    y.reshape(1, 1)[0].copy_(lib.tensor([5.0]))
    (y * 10 + z).backward()
    return y, x.grad


@scenario((True, True))
def a_view_requires_grad_before_its_base_does(lib):
    z = lib.zeros(3, dtype=lib.float64)
    v = z[:2]
    z.requires_grad_()
    return v.requires_grad, z[:2].requires_grad


@scenario((True, [2.0, 2.0], False))
def a_view_of_a_constant_becomes_a_leaf(lib):
    z = lib.zeros(3, dtype=lib.float64)
    v = z[:2].requires_grad_()
    (v * 2).sum().backward()
    return v.is_leaf, v.grad, z.requires_grad


@scenario(([5.0, 0.0], True, [2.0, 2.0], False))
def a_write_to_the_base_of_a_leaf_view(lib):
    z = lib.zeros(3, dtype=lib.float64)
    v = z[:2].requires_grad_()
    z[0] = 5.0
    (v * 2).sum().backward()
    return v, v.is_leaf, v.grad, z.requires_grad


def unrecorded(lib, x):
    with lib.no_grad():
        return x[:2]


@scenario("RuntimeError")
def a_write_through_an_unrecorded_view(lib):
    unrecorded(lib, matrix(lib, 3)[1]).mul_(2)


@scenario("RuntimeError")
def a_write_through_an_unrecorded_view_of_a_leaf(lib):
    unrecorded(lib, lib.ones(3, requires_grad=True)).mul_(2)


@scenario("RuntimeError")
def a_write_through_a_view_of_an_unrecorded_view(lib):
    unrecorded(lib, matrix(lib, 3)[1]).view(2, 1)[0].mul_(2)


@scenario(([2.0, 6.0, 0.0], False, 2))
def a_write_through_an_unrecorded_view_of_a_constant(lib):
    z = lib.zeros(3, dtype=lib.float64)
    v = unrecorded(lib, z)
    v.add_(2)
    v[1:].mul_(3)
    return z, v.requires_grad, z._version


@scenario("RuntimeError")
def a_history_written_through_an_unrecorded_view_of_a_constant(lib):
    _, y = matrix(lib, 2)
    unrecorded(lib, lib.zeros(3, dtype=lib.float64)).add_(y)


@scenario(([5.0, 10.0, 2.0], [5.0, 10.0], [2.0, 2.0, 2.0], 2))
def an_unrecorded_view_written_without_recording(lib):
    x, y = matrix(lib, 3)
    v = unrecorded(lib, y)
    with lib.no_grad():
        v.mul_(10)
        v.view(2)[0] = 5.0
    (y * 2).sum().backward()
    return y, v, x.grad, y._version


@scenario((True, [2.0, 2.0]))
def an_unrecorded_view_becomes_a_leaf(lib):
    v = unrecorded(lib, lib.zeros(3, dtype=lib.float64)).requires_grad_()
    (v * 2).sum().backward()
    return v.is_leaf, v.grad


@scenario(([0.0, 10.0, 2.0], [6.0, 6.0, 3.0]))
def a_write_without_recording_through_a_view(lib):
    x, y = matrix(lib, 3)
    v = y[:2]
    with lib.no_grad():
        v.mul_(10)
    (y * 3 + v.sum()).sum().backward()
    return y, x.grad


@scenario("RuntimeError")
def a_write_without_recording_is_seen_by_what_was_saved(lib):
    _x, y = matrix(lib, 3)
    z = (y * y).sum()
    with lib.no_grad():
        y[0] = 10.0
    z.backward()


@scenario([2.0, 22.0, 22.0])
def a_hook_on_a_view(lib):
    x, y = matrix(lib, 3)
    v = y[1:]
    v.register_hook(lambda g: g * 10)
    (v * 2 + y.sum()).sum().backward()
    return x.grad


@scenario(
    (
        [[0.0, -0.989992497], [2.0, -0.989992497]],
        [[0.0, 0.838246495], [4.0, 0.558830996]],
        ([[0.0, -35.1015205], [16.0, -13.4824577]],),
    )
)
def second_order_through_written_views(lib):
    x, y = matrix(lib, 2, 2)
    y[0].mul_(y[1].clone())
    y.t()[1].cos_()
    (g,) = lib.autograd.grad((y * y).sum(), x, create_graph=True)
    return y, g, lib.autograd.grad((g * g).sum(), x)


@scenario(([2.0, 3.0], [[4.0, 5.0], [2.0, 5.0]], [[12.0, 15.0], [2.0, 5.0]]))
def gradient_by_a_written_view(lib):
    x, y = matrix(lib, 2, 2)
    v = y[0]
    v.mul_(3)
    z = (v * y[1] + y.sum()).sum()
    return lib.autograd.grad(z, [v, y, x], allow_unused=True)


@scenario(([0.0, 2.0], [[1.0, 3.0], [1.0, 1.0]], [[1.0, 3.0], [1.0, 1.0]]))
def gradient_by_a_base_and_its_old_view(lib):
    x, y = matrix(lib, 2, 2)
    v = y[0]
    z = (v * v).sum() + y.sum()
    return lib.autograd.grad(z, [v, y, x])


@scenario((True, False, True))
def steps_of_a_written_view(lib):
    _x, y = matrix(lib, 3)
    v = y[1:]
    y.mul_(2)
    return v.grad_fn is not None, v.is_leaf, v.requires_grad
