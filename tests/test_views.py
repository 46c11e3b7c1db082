"""Views: shared memory, shared versions, and one history for a base and all that looks at it."""

import numpy as np
import pytest

import tapegrad as tg

from .scenario import Table

scenario = Table()


def matrix(lib, *shape):
    """Numbers 0, 1, 2, ... as a leaf, and a copy on the tape."""
    count = 1
    for n in shape:
        count *= n
    x = lib.arange(count, dtype=lib.float64).reshape(*shape).requires_grad_()
    return x, x.clone()


# Reading through views


@scenario([[0.0, 28.0, 0.0, 0.0], [1.0, 0.0, 1.0, 4.0], [1.0, 0.0, 1.0, 4.0]])
def gradients_through_slices(lib):
    x, _ = matrix(lib, 3, 4)
    (x[1:, ::2] * x[0, 1] + x[..., 1:, -1:] * 2).sum().backward()
    return x.grad


@scenario(([[6.0, 6.0, 6.0], [24.0, 24.0, 24.0]], [[[1.0, 0.0], [3.0, 2.0], [5.0, 4.0]], [[7.0, 6.0], [9.0, 8.0], [11.0, 10.0]]]))
def gradients_through_transposes(lib):
    x, _ = matrix(lib, 2, 3)
    (x.t() @ x).sum().backward()
    y, _ = matrix(lib, 2, 3, 2)
    (y.transpose(0, 2)[0] * y.permute(2, 1, 0)[1]).sum().backward()
    return x.grad, y.grad


@scenario([[0.0, 0.0, 0.0, 6.0, 8.0, 10.0], [12.0, 14.0, 16.0, 0.0, 0.0, 0.0]])
def gradients_through_reshapes(lib):
    x, _ = matrix(lib, 2, 6)
    y = x.reshape(3, 4).view(-1)[3:9].reshape(2, 3)
    (y * y).sum().backward()
    return x.grad


@scenario([[26.0], [26.0], [26.0]])
def gradients_through_expand(lib):
    x, _ = matrix(lib, 3, 1)
    (x.expand(3, 2) * lib.tensor([1.0, 10.0], dtype=lib.float64) + x.expand(2, -1, 1)).sum().backward()
    return x.grad


@scenario([[2.0, 3.0, 0.0], [1.0, 2.0, 7.0], [0.0, 5.0, 2.0]])
def gradients_through_diagonals(lib):
    x, _ = matrix(lib, 3, 3)
    (x.diagonal() * 2).sum().backward()
    (x.diagonal(1) * x.diagonal(-1)).sum().backward()
    return x.grad


@scenario([[[5.0], [11.0], [17.0]]])
def gradients_through_squeeze_and_unsqueeze(lib):
    x, _ = matrix(lib, 1, 3, 1)
    (x.squeeze().unsqueeze(0) * x.squeeze(0) * x.squeeze(2).unsqueeze(-1)).sum().backward()
    return x.grad


@scenario([[5.0, 5.0], [10.0, 9.0], [6.0, 5.0], [17.0, 18.0], [15.0, 15.0]])
def gradients_through_parts(lib):
    x, _ = matrix(lib, 5, 2)
    a, b, c = x.split(2)
    d, e = x.chunk(2, dim=1)
    rows = x.unbind(0)
    ((a * b).sum() + (c * rows[3]).sum() + (d * e).sum() + x.narrow(0, 1, 2).select(1, 0).sum()).backward()
    return x.grad


@scenario([[[3.0, 5.0], [7.0, 9.0], [11.0, 13.0]], [[15.0, 17.0], [19.0, 21.0], [23.0, 25.0]]])
def gradients_through_movedim_and_flatten(lib):
    x, _ = matrix(lib, 2, 3, 2)
    (x.movedim(0, 2).flatten(1) ** 2).sum().backward()
    (x.flatten() * 2).sum().backward()
    (x.unflatten(1, (3, 1)) * 1.0).sum().backward()
    return x.grad


@scenario([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
def gradients_through_iteration(lib):
    x, _ = matrix(lib, 3, 2)
    total = 0
    for i, row in enumerate(x):
        total = total + (row * i).sum()
    total.backward()
    return x.grad


@scenario(([0, 2], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]))
def a_slice_of_nothing(lib):
    x, _ = matrix(lib, 3, 2)
    y = x[2:1]
    (y * 2).sum().backward()
    return list(y.shape), x.grad


@scenario(([[36.0, 36.0, 36.0], [0.0, 39.0, 12.0]], ([[1110.0, 1110.0, 1110.0], [0.0, 3348.0, 1098.0]],)))
def second_order_through_views(lib):
    x, _ = matrix(lib, 2, 3)
    y = (x[0] * x.t()[1:, 1].sum() * x.reshape(6)[4]).sum()
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    return g, lib.autograd.grad((g * g).sum(), x)


# Which results are views


def shares(lib, a, b):
    """Whether a write through ``a`` is seen by ``b``."""
    before = b.clone()
    a.detach().add_(1)
    changed = bool((b != before).any())
    a.detach().sub_(1)
    return changed


@scenario([True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True])
def what_shares_memory(lib):
    x = lib.arange(12, dtype=lib.float64).reshape(3, 4)
    made = [
        x[0], x[:, 1], x[1:2, None], x.t(), x.reshape(4, 3), x.view(12), x.transpose(0, 1), x.unsqueeze(0), x.squeeze(),
        x.diagonal(), x.narrow(0, 1, 1), x.split(2)[1], x.chunk(2)[0], x.unbind()[1], x.flatten(), x.contiguous(), x.detach(), x.data,
        x.flatten(0, 0), x.reshape(3, 4), x.expand(3, 4), x[...],
    ]  # fmt: skip
    return [shares(lib, y, x) for y in made]


@scenario([False, False, False, False, False, False, False, False, False, False, False, False, False, False, False, False, False, False])
def what_does_not_share_memory(lib):
    x = lib.arange(12, dtype=lib.float64).reshape(3, 4)
    made = [x.clone(), x[[0, 1]], x[x > 3], x.t().reshape(12), x.t().flatten(), x.t().contiguous(), x.flip(0), x.flip(0, 1), x.roll(1, 0), x + 0,
            x.index_select(0, lib.tensor([0])), x.repeat(1, 1), x.tril(), x.double().clone(), x.cumsum(0), x.gather(1, lib.tensor([[0]])), lib.cat([x]), lib.stack([x])]  # fmt: skip
    return [shares(lib, y, x) for y in made]


@scenario("RuntimeError")
def view_of_strides_that_do_not_fit(lib):
    matrix(lib, 2, 3)[1].t().view(6)


@scenario(([[0.0, 8.0, 16.0, 24.0, 32.0, 40.0], [2.0, 10.0, 18.0, 26.0, 34.0, 42.0], [4.0, 12.0, 20.0, 28.0, 36.0, 44.0], [6.0, 14.0, 22.0, 30.0, 38.0, 46.0]], [[[0.0, 8.0, 16.0, 24.0], [32.0, 40.0, 48.0, 56.0], [64.0, 72.0, 80.0, 88.0]], [[96.0, 104.0, 112.0, 120.0], [128.0, 136.0, 144.0, 152.0], [160.0, 168.0, 176.0, 184.0]]]))
def view_of_strides_that_do_fit(lib):
    x, y = matrix(lib, 2, 3, 4)
    z = y.permute(2, 0, 1).view(4, 6)
    z.mul_(2)
    (y * y).sum().backward()
    return z, x.grad


@scenario("RuntimeError")
def view_of_another_size(lib):
    matrix(lib, 2, 3)[1].view(4, 2)


@scenario((True, False, True, False, (1, 3)))
def contiguous_gives_itself(lib):
    _, x = matrix(lib, 2, 3)
    return x.contiguous() is x, x.t().contiguous() is x.t(), x.is_contiguous(), x.t().is_contiguous(), x.t().stride()


@scenario([(True, False), (True, False), (False, True), (True, False), (False, True)])
def flags_of_views(lib):
    x, y = matrix(lib, 2, 3)
    k = lib.zeros(2, 3, dtype=lib.float64)
    made = [x[0], y[0], k[0], x.t(), x.detach()[0]]
    return [(v.requires_grad, v.is_leaf) for v in made]


# Versions


@scenario([3, 3, 3, 0, 3, 0])
def versions_are_shared(lib):
    _, x = matrix(lib, 2, 3)
    v, d, c = x[0], x.detach(), x.clone()
    v.mul_(2)
    x.add_(1)
    d.zero_()
    return [t._version for t in (x, v, d, c, x.t(), x.data)]


@scenario([1, 2, 3, 4, 5, 6])
def versions_count_every_write(lib):
    x = lib.zeros(3, dtype=lib.float64)
    seen = []
    for write in (lambda: x.add_(1), lambda: x.__setitem__(0, 5.0), lambda: x.fill_(2), lambda: x.copy_(x * 2), lambda: x.zero_()):
        write()
        seen.append(x._version)
    with lib.no_grad():
        x += 1
    return [*seen, x._version]


@scenario((0, 2, [2.0, 2.0, 2.0]))
def data_counts_for_itself(lib):
    x = lib.zeros(3)
    d = x.data
    d.add_(1)
    d.add_(1)
    return x._version, d._version, x


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


@scenario(([[0.0, 1.0, 2.0, 3.0, 54.59815, 148.413159], [403.428793, 1096.63316, 8.0, 9.0, 10.0, 11.0]], [[2.0, 2.0, 2.0, 2.0, 109.1963, 296.826318], [806.857587, 2193.26632, 2.0, 2.0, 2.0, 2.0]]))
def a_write_to_a_reshape(lib):
    x, y = matrix(lib, 2, 6)
    y.reshape(3, 4)[1].exp_()
    (y * 2).sum().backward()
    return y, x.grad


@scenario(([[0.0, 0.0, 2.0], [3.0, 40.0, 0.0], [6.0, 7.0, 800.0]], [[1.0, 0.0, 1.0], [1.0, 10.0, 0.0], [1.0, 1.0, 100.0]]))
def a_write_to_a_diagonal(lib):
    x, y = matrix(lib, 3, 3)
    y.diagonal().mul_(lib.tensor([1.0, 10.0, 100.0], dtype=lib.float64))
    y.diagonal(1).zero_()
    y.sum().backward()
    return y, x.grad


@scenario(([[0.0, 1.0, 2.0, 3.0], [20.0, 5.0, 6.0, 7.0], [40.0, 9.0, -10.0, 11.0], [60.0, 13.0, -6.0, 15.0]], [[0.0, 2.0, 4.0, 6.0], [360.0, 10.0, 12.0, 14.0], [400.0, 18.0, -20.0, 22.0], [600.0, 26.0, -12.0, 30.0]]))
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


@scenario(([0.0, 11.0], [[0.0, 11.0], [2.0, 4.0]], [[0.0, 2.0, 4.0], [11.0, 4.0, 6.0]], [[0.0, 220.0], [4.0, 8.0], [0.0, 0.0]]))
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
    x, y = matrix(lib, 2, 2)
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
    x, y = matrix(lib, 3)
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


@scenario(([[0.0, -0.989992497], [2.0, -0.989992497]], [[0.0, 0.838246495], [4.0, 0.558830996]], ([[0.0, -35.1015205], [16.0, -13.4824577]],)))
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
    x, y = matrix(lib, 3)
    v = y[1:]
    y.mul_(2)
    return v.grad_fn is not None, v.is_leaf, v.requires_grad


@scenario.parameters()
def test_scenario(name, library):
    scenario.check(name, library)


def test_errors_name_the_operation_and_the_way_out():
    x = tg.zeros(3, 1, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"add_: a view of a leaf that requires grad .* no_grad\(\).* clone\(\)"):
        x.t().add_(1)
    with pytest.raises(RuntimeError, match=r"add_: the tensor float32\[3, 2\] is expanded.*clone\(\)"):
        x.clone().expand(3, 2).add_(1)
    with pytest.raises(RuntimeError, match=r"view: shape \[6\] does not fit the strides .*\[3, 2\].* reshape\(\)"):
        tg.zeros(2, 3).t().view(6)
    with pytest.raises(RuntimeError, match=r"reshape: shape \[4, 2\] is invalid for 3 elements of shape \[3, 1\]"):
        x.reshape(4, 2)


def test_a_view_shares_numpy_memory():
    array = np.arange(6.0).reshape(2, 3)
    x = tg.from_numpy(array)
    x.t()[1].mul_(10)
    assert array.tolist() == [[0, 10, 2], [3, 40, 5]]
    assert x[0].numpy().base is not None
