"""Backward from one root or several: accumulation, shapes, broadcasting."""

from .table import Table, leaf, number, tensor

scenario = Table()

# Accumulation and roots


@scenario([2.0, 4.0, 6.0])
def gradient_of_a_sum(lib):
    x = leaf(lib, 1, 2, 3)
    (x * x).sum().backward()
    return x.grad


@scenario([5.0, 7.0])
def two_backwards_accumulate(lib):
    x = leaf(lib, 1, 2)
    (x * 3).sum().backward()
    (x * x).sum().backward()
    return x.grad


@scenario((True, [7.0, 7.0], 1))
def accumulation_writes_into_the_gradient(lib):
    x = leaf(lib, 1, 2)
    (x * 3).sum().backward()
    held = x.grad
    (x * 4).sum().backward()
    return held is x.grad, held, held._version


@scenario(([10.0, 10.0], [1.0, 1.0], [1.0, 1.0]))
def the_gradient_is_no_alias_of_the_cotangent(lib):
    x, y, g = leaf(lib, 1, 2), leaf(lib, 3, 4), tensor(lib, 1, 1)
    (x + y).backward(g)
    x.grad.mul_(10)
    return x.grad, y.grad, g


@scenario(([5.0, 6.0], [50.0, 60.0]))
def the_gradient_is_no_alias_of_a_saved_value(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 5, 6)
    y = (x * w).sum()
    y.backward()
    x.grad.mul_(10)
    return w, x.grad


@scenario([4.0, 4.0])
def gradient_none_starts_anew(lib):
    x = leaf(lib, 1, 2)
    (x * 3).sum().backward()
    x.grad = None
    (x * 4).sum().backward()
    return x.grad


@scenario([14.0, 24.0])
def assigned_gradient_is_added_to(lib):
    x = leaf(lib, 1, 2)
    x.grad = tensor(lib, 10, 20)
    (x * 4).sum().backward()
    return x.grad


@scenario("RuntimeError")
def assigned_gradient_of_another_shape(lib):
    x = leaf(lib, 1, 2)
    x.grad = tensor(lib, 10, 20, 30)


@scenario("RuntimeError")
def assigned_gradient_of_another_type(lib):
    x = leaf(lib, 1, 2)
    x.grad = lib.tensor([1.0, 2.0], dtype=lib.float32)


@scenario("RuntimeError")
def a_root_that_is_a_vector_needs_a_gradient(lib):
    x = leaf(lib, 1, 2)
    (x * 2).backward()


@scenario([8.0])
def a_root_with_one_element_needs_none(lib):
    x = leaf(lib, 4)
    (x * x).reshape(1, 1).backward()
    return x.grad


@scenario([20.0, 400.0])
def a_vector_root_with_its_gradient(lib):
    x = leaf(lib, 1, 2)
    (x * x).backward(tensor(lib, 10, 100))
    return x.grad


@scenario("RuntimeError")
def a_gradient_of_the_wrong_shape(lib):
    x = leaf(lib, 1, 2)
    (x * x).backward(tensor(lib, 1, 1, 1))


@scenario("RuntimeError")
def a_gradient_that_would_broadcast_is_refused(lib):
    x = leaf(lib, 1, 2)
    (x * x).backward(lib.tensor(1.0, dtype=lib.float64))


@scenario("RuntimeError")
def a_root_without_history(lib):
    tensor(lib, 1).sum().backward()


@scenario(2.0)
def a_leaf_as_root(lib):
    x = number(lib, 3.0)
    x.backward()
    x.backward()
    return x.grad


@scenario(([5.0, 6.0], [3.0, 4.0]))
def several_roots(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    lib.autograd.backward([(x * y).sum(), (x + y).sum() * 2])
    return x.grad, y.grad


@scenario([104.0, 124.0])
def several_roots_with_gradients(lib):
    x = leaf(lib, 1, 2)
    lib.autograd.backward([x * 2, x * x, x], [tensor(lib, 1, 10), tensor(lib, 1, 1), tensor(lib, 100, 100)])
    return x.grad


@scenario([4.0, 8.0])
def the_same_root_twice(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    lib.autograd.backward([y, y])
    return x.grad


@scenario([8.0, 40.0])
def a_root_that_is_part_of_another(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    lib.autograd.backward([y.sum(), (y * y).sum(), y], [None, None, tensor(lib, 1, 1)])
    return x.grad


@scenario("RuntimeError")
def fewer_gradients_than_roots(lib):
    x = leaf(lib, 1, 2)
    lib.autograd.backward([x.sum(), x.sum()], [None])


@scenario([6.0, 22.0])
def diamond(lib):
    x = leaf(lib, 1, 2)
    a, b = x * 2, x * x
    c = a * b
    (c + a - b).sum().backward()
    return x.grad


@scenario([2.0, 4.0])
def one_tensor_on_both_sides(lib):
    x = leaf(lib, 1, 2)
    ((x + x) * (x - x) + x / x + x * x).sum().backward()
    return x.grad


@scenario([171.995117, 171.995117])
def a_long_and_a_short_way_meet(lib):
    x = leaf(lib, 1, 2)
    y = x * 1
    z = y
    for _ in range(10):
        z = z * 1.5 + y
    (z + y).sum().backward()
    return x.grad


@scenario(([2.0, 2.0], None))
def what_the_root_does_not_use_gets_no_gradient(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    y * 2
    (x * 2).sum().backward()
    return x.grad, y.grad


@scenario((None, [2.0, 3.0]))
def backward_into_chosen_leaves(lib):
    x, y = leaf(lib, 1, 2), leaf(lib, 3, 4)
    y.grad = tensor(lib, 1, 1)
    (x * y).sum().backward(inputs=[y])
    return x.grad, y.grad


@scenario(([0, 3], []))
def backward_of_no_elements(lib):
    x = lib.zeros(0, 3, dtype=lib.float64, requires_grad=True)
    (x * 2).sum().backward()
    return list(x.grad.shape), x.grad


@scenario(("float64", "float32", "float64", [3.0, 8.0], [1.0, 4.0]))
def types_of_gradients(lib):
    x, y = leaf(lib, 1, 2, dtype="float32"), leaf(lib, 3, 4)
    k = lib.tensor([1, 2])
    z = x * y * k
    z.sum().backward()
    return z.dtype, x.grad.dtype, y.grad.dtype, x.grad, y.grad


@scenario(("float64", [2.0, 4.0]))
def a_gradient_given_in_another_type(lib):
    x = leaf(lib, 1, 2)
    (x * 2).backward(lib.tensor([1.0, 2.0], dtype=lib.float32))
    return x.grad.dtype, x.grad


@scenario(1.1529215e18)
def doublings_cost_one_step_each(lib):
    x = number(lib, 1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    return x.grad


@scenario((["MulBackward0", "ExpBackward0", "SumBackward0", "ReluBackward0", "NegBackward0"], None))
def names_of_steps(lib):
    x = leaf(lib, 1, 2)
    return [y.grad_fn.name() for y in (x * 2, x.exp(), x.sum(), x.relu(), -x)], x.grad_fn


# Broadcasting


@scenario(([[30.0], [30.0], [30.0]], [9.0, 9.0]))
def broadcast_rows_and_columns(lib):
    x = lib.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    y = lib.tensor([10.0, 20.0], requires_grad=True)
    (x * y + y).sum().backward()
    return x.grad, y.grad


@scenario((3.0, [2.0, 2.0, 2.0]))
def broadcast_of_numbers(lib):
    x, y = number(lib, 2.0), leaf(lib, 1, 2, 3)
    (x * y - x).sum().backward()
    return x.grad, y.grad


@scenario((28.1600993, [3.88629436, 7.27258872, 12.0451774]))
def broadcast_division_and_power(lib):
    x, y = number(lib, 2.0), leaf(lib, 1, 2, 3)
    (y / x + y**x + x**y).sum().backward()
    return x.grad, y.grad


@scenario((3.0, [1.0, 2.0, 0.0]))
def broadcast_where(lib):
    x, y = number(lib, 2.0), leaf(lib, 1, 2, 3)
    lib.where(lib.tensor([[True, False, True], [False, False, True]]), x, y).sum().backward()
    return x.grad, y.grad


@scenario((1.5, [0.0, 0.5, 1.0]))
def broadcast_maximum(lib):
    x, y = number(lib, 2.0), leaf(lib, 1, 2, 3)
    lib.maximum(x, y).sum().backward()
    return x.grad, y.grad


@scenario(
    (
        [[[22.0, 34.0, 46.0], [22.0, 34.0, 46.0]]],
        [[[3.0, 6.0], [5.0, 10.0], [7.0, 14.0]], [[3.0, 6.0], [5.0, 10.0], [7.0, 14.0]]],
        [166.0, 196.0],
    )
)
def broadcast_matmul(lib):
    x = lib.arange(6, dtype=lib.float64).reshape(1, 2, 3).requires_grad_()
    y = lib.arange(12, dtype=lib.float64).reshape(2, 3, 2).requires_grad_()
    v = leaf(lib, 1, 2)
    (x @ y @ v).sum().backward()
    return x.grad, y.grad, v.grad


@scenario(0.0)
def broadcast_to_nothing(lib):
    x = number(lib, 2.0)
    (x * lib.zeros(0, 3, dtype=lib.float64)).sum().backward()
    return x.grad
