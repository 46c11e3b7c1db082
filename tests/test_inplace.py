"""Writing in place: values, gradients, versions, and what is refused."""

import pytest

import tapegrad as tg
from tapegrad.autograd import RULES
from tapegrad.autograd.ops.methods import IN_PLACE

from .scenario import Table, equal

scenario = Table()


def pair(lib, *values):
    """A leaf and a copy of it on the tape."""
    x = lib.tensor(values, dtype=lib.float64, requires_grad=True)
    return x, x.clone()


def after(lib, write, *values):
    """A value and gradient after ``write`` has changed a copy of a leaf in place."""
    x, y = pair(lib, *values)
    got = write(y)
    (y * lib.arange(1, y.numel() + 1, dtype=lib.float64).reshape(y.shape)).sum().backward()
    return got is y, y, x.grad, y._version


# Every operation


@scenario([(True, [3.5, 4.5], [1.0, 2.0], 1), (True, [-1.5, -2.5], [-1.0, -2.0], 1), (True, [4.5, 7.5], [3.0, 6.0], 1), (True, [0.375, 0.625], [0.25, 0.5], 1), (True, [3.375, 15.625], [6.75, 37.5], 1), (True, [-1.5, -2.5], [-1.0, -2.0], 1), (True, [6.0, 10.0], [4.0, 8.0], 1), (True, [1.5, 0.5], [1.0, 2.0], 1), (True, [1.5, 0.5], [1.0, 2.0], 1), (True, [16.5, 37.5], [17.0, 50.0], 1), (True, [2.7, 3.92857143], [1.32, 2.32653061], 1), (True, [1.875, 3.125], [1.25, 2.5], 1)])
def arithmetic(lib):
    writes = [lambda y: y.add_(2), lambda y: y.sub_(y * 2), lambda y: y.mul_(3), lambda y: y.div_(4), lambda y: y.pow_(3), lambda y: y.neg_(),
              lambda y: y.add_(y, alpha=3), lambda y: y.remainder_(2), lambda y: y.fmod_(2), lambda y: y.addcmul_(y + 1, y * 2, value=2),
              lambda y: y.addcdiv_(y * 2, y + 1), lambda y: y.lerp_(y * 2, 0.25)]  # fmt: skip
    return [after(lib, w, 1.5, 2.5) for w in writes]


@scenario([(True, [4.48168907, 12.182494], [4.48168907, 24.3649879], 1), (True, [0.405465108, 0.916290732], [0.666666667, 0.8], 1), (True, [1.22474487, 1.58113883], [0.40824829, 0.632455532], 1), (True, [0.816496581, 0.632455532], [-0.272165527, -0.252982213], 1), (True, [2.25, 6.25], [3.0, 10.0], 1), (True, [0.666666667, 0.4], [-0.444444444, -0.32], 1), (True, [0.997494987, 0.598472144], [0.0707372017, -1.60228723], 1), (True, [0.0707372017, -0.801143616], [-0.997494987, -1.19694429], 1), (True, [0.905148254, 0.986614298], [0.180706639, 0.0531844534], 1), (True, [0.817574476, 0.92414182], [0.149146452, 0.140207433], 1), (True, [1.5, 2.5], [1.0, 2.0], 1), (True, [1.5, 2.5], [1.0, 2.0], 1), (True, [1.0, 2.0], [0.0, 0.0], 1), (True, [1.0, 1.0], [0.0, 0.0], 1), (True, [3.48168907, 11.182494], [4.48168907, 24.3649879], 1), (True, [0.916290732, 1.25276297], [0.4, 0.571428571], 1), (True, [2.12927946, 6.05020448], [2.35240962, 12.264579], 1), (True, [2.35240962, 6.13228948], [2.12927946, 12.100409], 1), (True, [0.982793723, 1.19028995], [0.307692308, 0.275862069], 1), (True, [0.966105146, 0.999593048], [0.118930289, 0.00435656846], 1)])
def functions(lib):
    names = "exp log sqrt rsqrt square reciprocal sin cos tanh sigmoid relu abs floor sign expm1 log1p sinh cosh atan erf".split()
    return [after(lib, lambda y, n=n: getattr(y, n + "_")(), 1.5, 2.5) for n in names]


@scenario([(True, [-1.0, 0.5, 1.0], [0.0, 2.0, 0.0], 1), (True, [0.0, 0.5, 3.0], [0.0, 2.0, 3.0], 1), (True, [-2.0, 0.5, 1.0], [1.0, 2.0, 0.0], 1), (True, [9.0, 0.5, 9.0], [0.0, 2.0, 0.0], 1), (True, [-2.0, -1.5, 1.5], [6.0, 5.0, 3.0], 1)])
def choices(lib):
    mask = lib.tensor([True, False, True])
    writes = [lambda y: y.clamp_(-1, 1), lambda y: y.clamp_(min=0), lambda y: y.clamp_max_(1.0), lambda y: y.masked_fill_(mask, 9.0), lambda y: y.cumsum_(0)]
    return [after(lib, w, -2.0, 0.5, 3.0) for w in writes]


@scenario([(True, [0.0, 0.0], [0.0, 0.0], 1), (True, [3.0, 3.0], [0.0, 0.0], 1), (True, [7.0, 8.0], [0.0, 0.0], 1), (True, [5.0, 5.0], [0.0, 0.0], 1), (True, [2.0, 2.0], [0.0, 0.0], 1)])
def filling(lib):
    source = lib.tensor([7.0, 8.0])
    writes = [lambda y: y.zero_(), lambda y: y.fill_(3), lambda y: y.copy_(source), lambda y: y.copy_(lib.tensor(5)), lambda y: y.fill_(lib.tensor(2.0))]
    return [after(lib, w, 1.5, 2.5) for w in writes]


@scenario((True, [2.75, 4.25], [4.5, 4.5]))
def operators(lib):
    x, y = pair(lib, 1.0, 2.0)
    same = y
    y += 1
    y *= 3
    y -= 0.5
    y /= 2
    (y * 3).sum().backward()
    return y is same, y, x.grad


@scenario(([1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0], "float32"))
def comparisons(lib):
    x = lib.tensor([1.0, 2.0, 3.0])
    return x.gt_(1.5), x, x.logical_not_(), x.dtype


# Indices


@scenario(([[5.0, 10.0, 2.0, 1.0], [5.0, 20.0, 4.0, 2.0], [39.0, 5.0, 5.0, 3.0]], [[50.0, 0.0, 20.0, 0.0], [0.0, 0.0, 0.0, 0.0], [234.0, 0.0, 0.0, 0.0]]))
def basic_indices(lib):
    x = lib.arange(12, dtype=lib.float64).reshape(3, 4).requires_grad_()
    y = x * 1
    y[0, 1] = 10.0
    y[1] = y[0] * 2
    y[:, -1] = lib.tensor([1.0, 2.0, 3.0], dtype=lib.float64)
    y[..., 0] += 5
    y[2, ::2] *= 3
    y[2:, 1:3] = y[0, 0]
    (y * y).sum().backward()
    return y, x.grad


@scenario(([[8.0, 11.0, 12.0, 8.0], [12.0, 6.0, 18.0, 8.0], [0.0, 3.0, 4.0, 6.0]], [[0.0, 12.0, 16.0, 24.0], [168.0, 56.0, 156.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))
def advanced_indices(lib):
    x = lib.arange(12, dtype=lib.float64).reshape(3, 4).requires_grad_()
    y = x * 1
    y[[0, 2]] = y[[1, 0]] * 2
    y[lib.tensor([0, 1]), lib.tensor([3, 3])] = lib.tensor([100.0, 200.0], dtype=lib.float64)
    y[:, [1]] += 1
    y[y > 50] = y[0, 0]
    y[1, [0, 2]] *= 3
    (y * y).sum().backward()
    return y, x.grad


@scenario(([11.0, 2.0, 13.0], [2.0, 1.0, 1.0]))
def repeated_indices_read_once(lib):
    x, y = pair(lib, 1.0, 2.0, 3.0)
    y[[0, 0, 2]] += 10
    y.sum().backward()
    return y, x.grad


@scenario(([10.0, 10.0, 20.0], [0.0, 0.0, 0.0], [40.0, 40.0]))
def a_mask_takes_one_number_or_many(lib):
    x, y = pair(lib, 1.0, 2.0, 3.0)
    v = lib.tensor([10.0, 20.0], dtype=lib.float64, requires_grad=True)
    mask = lib.tensor([True, False, True])
    y[mask] = v
    y[~mask] = v[0]
    (y * y).sum().backward()
    return y, x.grad, v.grad


@scenario(([[4.0, 4.0, 3.0], [1.0, 2.0, 3.0]], [2.0, 4.0, 12.0], 16.0))
def the_written_value_broadcasts(lib):
    x = lib.zeros(2, 3, dtype=lib.float64)
    v = lib.tensor([1.0, 2.0, 3.0], dtype=lib.float64, requires_grad=True)
    w = lib.tensor(4.0, dtype=lib.float64, requires_grad=True)
    x[:] = v
    x[0, :2] = w
    (x * x).sum().backward()
    return x, v.grad, w.grad


@scenario(([1.5, 3.0, 1.0], [1.0], "float32", [2, 0, 0]))
def the_written_value_takes_the_type_of_the_place(lib):
    x = lib.zeros(3, dtype=lib.float64)
    k = lib.zeros(3, dtype=lib.int64)
    v = lib.tensor([1.5], dtype=lib.float32, requires_grad=True)
    x[0:1] = v
    x[1] = 3
    x[2] = True
    k[0] = 2.7
    x.sum().backward()
    return x, v.grad, v.grad.dtype, k


@scenario(([[0.0, 1.0, 2.0], [2.0, 0.0, 2.0]], [[[10.0, 8.0]]]))
def leading_ones_of_the_value_are_dropped(lib):
    x = lib.zeros(2, 3, dtype=lib.float64)
    v = lib.tensor([[[1.0, 2.0]]], dtype=lib.float64, requires_grad=True)
    x[0, 1:] = v
    x[1, [0, 2]] = v * 2
    x[x > 3] = v[:, :, 1]
    (x * x).sum().backward()
    return x, v.grad


@scenario("RuntimeError")
def copying_drops_no_leading_ones(lib):
    lib.zeros(3).copy_(lib.zeros(1, 3))


@scenario("RuntimeError")
def a_value_that_does_not_fit(lib):
    lib.zeros(2, 3)[0] = lib.zeros(2)


@scenario("RuntimeError")
def an_advanced_value_that_does_not_fit(lib):
    lib.zeros(3)[[0, 1]] = lib.zeros(3)


@scenario("IndexError")
def an_index_out_of_range(lib):
    lib.zeros(2)[2] = 1.0


@scenario(([1.0, 2.0], [2.0, 4.0]))
def an_empty_place(lib):
    x, y = pair(lib, 1.0, 2.0)
    y[2:] = 5.0
    y[lib.tensor([False, False])] = 5.0
    y[[]] = 5.0
    (y * y).sum().backward()
    return y, x.grad


@scenario(([[2.0, 0.0, 1.0], [2.0, 4.0, 0.0]], [[10.0, 20.0]]))
def scatters(lib):
    x = lib.zeros(2, 3, dtype=lib.float64)
    v = lib.tensor([[1.0, 2.0]], dtype=lib.float64, requires_grad=True)
    x.scatter_(1, lib.tensor([[2, 0]]), v)
    x.scatter_add_(0, lib.tensor([[1, 1]]), v * 2)
    (x * x).sum().backward()
    return x, v.grad


@scenario(([[1.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]))
def triangles(lib):
    x = lib.ones(2, 2, dtype=lib.float64, requires_grad=True)
    y = x * 1
    y.tril_()
    y.sum().backward()
    return y, x.grad


# Aliases


@scenario([(True, [3.0, 5.0], [2.0, 4.0], 1), (True, [0.0, 0.0], [0.0, 0.0], 1), (True, [1.5, 2.5], [1.0, 2.0], 1), (True, [2.25, 6.25], [3.0, 10.0], 1)])
def the_tensor_as_its_own_operand(lib):
    return [after(lib, w, 1.5, 2.5) for w in (lambda y: y.add_(y), lambda y: y.sub_(y), lambda y: y.copy_(y), lambda y: y.mul_(y.clone()))]


@scenario([(True, [3.75, 6.25], [2.5, 11.5], 1), (True, [-1.0, 1.0], [-1.0, 1.0], 1), (True, [0.375, 0.625], [-0.15625, 0.09375], 1)])
def a_part_of_the_tensor_as_operand(lib):
    return [after(lib, w, 1.5, 2.5) for w in (lambda y: y.mul_(y[1].clone()), lambda y: y.sub_(y.flip(0)), lambda y: y.div_(y.sum()))]


@scenario(([4.0, 36.0], [12.0, 60.0]))
def a_leaf_as_operand(lib):
    x, y = pair(lib, 1.0, 2.0)
    y.mul_(x)
    y.add_(x).pow_(2)
    y.sum().backward()
    return y, x.grad


@scenario(([0.0293122308, 0.0600866502], [-0.0853590716, -0.169428734]))
def a_chain_of_writes(lib):
    x, y = pair(lib, 0.5, 0.25)
    y.add_(1).mul_(2).neg_().sub_(x).sigmoid_()
    y.sum().backward()
    return y, x.grad


# What was saved


@scenario("RuntimeError")
def a_write_after_its_result_was_saved(lib):
    x, y = pair(lib, 1.0, 2.0)
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
    x, y = pair(lib, 1.0, 2.0)
    z = y * y
    y.mul_(2)
    z.sum().backward()


@scenario("RuntimeError")
def a_write_to_the_operand_of_a_write(lib):
    x, y = pair(lib, 1.0, 2.0)
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


@scenario.parameters()
def test_scenario(name, library):
    scenario.check(name, library)


ROWS = tg.tensor([[2.0, 1.5], [3.0, 0.5]], dtype=tg.float64)
PLACES, PARTS = tg.tensor([[1, 0]]), tg.tensor([[5.0, 6.0]], dtype=tg.float64)
ARGUMENTS = {
    "addcdiv": (ROWS, ROWS), "addcmul": (ROWS, ROWS), "clamp": (0.6,), "clamp_max": (0.7,), "clamp_min": (0.7,), "cumsum": (0,),
    "lerp": (ROWS, 0.25), "masked_fill": (ROWS > 1, 3.0), "pow": (3,), "scatter": (0, PLACES, PARTS), "scatter_add": (0, PLACES, PARTS),
}  # fmt: skip


def forms(name):
    """An operation in place and out of place, as functions of a tensor."""
    rule = RULES.get(name)
    arguments = ARGUMENTS.get(name, (ROWS,) if rule is not None and len(rule.inputs) == 2 else ())
    if name.startswith("bitwise"):
        arguments = tuple(a.long() for a in arguments)
    return lambda y: getattr(y, name + "_")(*arguments), lambda x: getattr(x, name)(*arguments)


# Where PyTorch refuses, since the operation saved what it overwrites: here it keeps a copy.
OF_ITSELF = {
    "mul": (lambda y: y.mul_(y), lambda x: x * x),
    "div": (lambda y: y.div_(y), lambda x: x / x),
    "mul by its past": (lambda y: y.mul_(y.detach()), lambda x: x * x.detach()),
    "pow": (lambda y: y.pow_(y), lambda x: x**x),
    "square twice": (lambda y: y.square_().square_(), lambda x: x**4),
    "maximum": (lambda y: y.maximum_(y), lambda x: tg.maximum(x, x)),
    "a mask of itself": (lambda y: y.masked_fill_(y > 1, 2.0).mul_(y), lambda x: x.masked_fill(x > 1, 2.0) ** 2),
}


@pytest.mark.parametrize("pair", [*map(forms, IN_PLACE), *OF_ITSELF.values()], ids=[*IN_PLACE, *(f"{n} of itself" for n in OF_ITSELF)])
def test_in_place_equals_out_of_place(pair, request):
    write, compute = pair
    integral = "bitwise" in request.node.callspec.id
    x, z = (tg.tensor([[0.25, 1.25], [0.75, 0.5]], dtype=tg.float64) for _ in range(2))
    if integral:
        x, z = x.long(), z.long()
    else:
        x.requires_grad_()
        z.requires_grad_()
    y = x.clone()
    memory = y.data_ptr()
    assert write(y) is y
    assert y.data_ptr() == memory
    assert y._version >= 1
    expected = compute(z)
    assert equal(y.tolist(), expected.to(y.dtype).tolist())
    assert y.requires_grad == expected.requires_grad
    if expected.requires_grad:
        weights = tg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tg.float64)
        (y * weights).sum().backward()
        (expected * weights).sum().backward()
        assert equal(x.grad.tolist(), z.grad.tolist())


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda x: x.add_(1), r"add_: a leaf that requires grad may not be written in place; .*no_grad\(\).*clone\(\) or detach\(\)"),
        (lambda x: x.__setitem__(0, 1.0), r"setitem: a view of a leaf that requires grad"),
        (lambda x: x.clone().add_(tg.ones(2, 3)), r"add_: the result has shape \[2, 3\] and cannot be written into float32\[3\]"),
        (lambda x: tg.tensor([1, 2]).mul_(1.5), r"mul_: a result of type float32 cannot be written into a tensor of type int64"),
        (lambda x: x.clone().__setitem__(0, tg.ones(2)), r"overwrite\(x=float32\[\], value=float32\[2\]\): the shapes do not broadcast"),
        (lambda x: x.clone().__setitem__(5, 1.0), r"slice\(x=float32\[3\], index=\(5,\)\)"),
    ],
)  # fmt: skip
def test_errors_name_the_operation_and_the_way_out(write, message):
    with pytest.raises((RuntimeError, IndexError), match=message):
        write(tg.ones(3, requires_grad=True))
