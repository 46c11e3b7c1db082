"""The engine: backward, grad, hooks, grad modes, higher orders, memory and threads."""

import gc
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import tapegrad as tg
from tapegrad.autograd import nondiff, rule
from tapegrad.autograd.node import Node

from .scenario import Table

ROOT = Path(__file__).resolve().parents[1]

scenario = Table()


def leaf(lib, *values, dtype="float64"):
    return lib.tensor(values, dtype=getattr(lib, dtype), requires_grad=True)


def number(lib, value):
    return lib.tensor(value, dtype=lib.float64, requires_grad=True)


def tensor(lib, *values):
    return lib.tensor(values, dtype=lib.float64)


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


@scenario((True, [7.0, 7.0]))
def accumulation_writes_into_the_gradient(lib):
    x = leaf(lib, 1, 2)
    (x * 3).sum().backward()
    held = x.grad
    (x * 4).sum().backward()
    return held is x.grad, held


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


@scenario(1.1529215e+18)
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


@scenario(([[[22.0, 34.0, 46.0], [22.0, 34.0, 46.0]]], [[[3.0, 6.0], [5.0, 10.0], [7.0, 14.0]], [[3.0, 6.0], [5.0, 10.0], [7.0, 14.0]]], [166.0, 196.0]))
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


# Higher orders


def derivatives(lib, function, at, order):
    x = number(lib, at)
    y = function(x)
    found = []
    for _ in range(order):
        (y,) = lib.autograd.grad(y, x, create_graph=True)
        found.append(y)
    return found


@scenario([13.5, 27.0, 36.0, 24.0])
def third_order_of_a_power(lib):
    return derivatives(lib, lambda x: x**4, 1.5, 4)


@scenario([2.72065808, 6.60833832, 20.8853728])
def third_order_of_an_exponential(lib):
    return derivatives(lib, lambda x: (x * x).exp() * x.sin(), 0.7, 3)


@scenario([0.684171769, -0.95065579, 1.89302908])
def third_order_of_activations(lib):
    return derivatives(lib, lambda x: x.tanh() * x.sigmoid() + (x.sqrt() / (1 + x)).log(), 0.7, 3)


@scenario([143.859375, 480.9375, 1369.125])
def third_order_through_shapes(lib):
    def function(x):
        v = lib.stack([x, x * x, x**3]).reshape(3, 1).expand(3, 2)
        return (v[1:] * v.t().reshape(3, 2)[:2]).sum() * v[0, 1]

    return derivatives(lib, function, 1.5, 3)


@scenario(([87.0, -3.0, 315.0],))
def hessian_times_vector(lib):
    x, v = leaf(lib, 1, 2, 3), tensor(lib, 1, -1, 2)
    (slope,) = lib.autograd.grad((x**3).sum() * x.sum(), x, create_graph=True)
    return lib.autograd.grad((slope * v).sum(), x)


@scenario(([-0.346154117, -0.441732538], [-0.141755096, 0.283510193]))
def gradient_penalty(lib):
    w, x = leaf(lib, 0.5, -1.0), leaf(lib, 1, 2)
    (slope,) = lib.autograd.grad(((w * x).sum()).tanh(), x, create_graph=True)
    ((slope * slope).sum() - 1).square().backward()
    return w.grad, x.grad


@scenario(([20.0, 80.0], ([2.0, 4.0], [20.0, 40.0])))
def gradient_by_the_cotangent(lib):
    x, g = leaf(lib, 1, 2), leaf(lib, 10, 20)
    (slope,) = lib.autograd.grad(x * x, x, g, create_graph=True)
    return slope, lib.autograd.grad(slope.sum(), [g, x])


@scenario((3.0, False))
def the_second_derivative_of_a_linear_function_is_unused(lib):
    x = number(lib, 2.0)
    (slope,) = lib.autograd.grad(x * 3, x, create_graph=True)
    return slope, slope.requires_grad


@scenario((True, 12.0, 12.0))
def a_recorded_gradient_requires_grad(lib):
    x = number(lib, 2.0)
    (x**3).backward(create_graph=True)
    first = x.grad
    (second,) = lib.autograd.grad(first, x)
    return first.requires_grad, first, second


@scenario((False, True))
def an_unrecorded_gradient_requires_none(lib):
    x = number(lib, 2.0)
    (x**3).backward()
    return x.grad.requires_grad, x.grad.grad_fn is None


@scenario((False, 12.0, 24.0))
def a_recorded_backward_accumulates_out_of_place(lib):
    x = number(lib, 2.0)
    (x**3).backward(create_graph=True)
    held = x.grad
    (x**3).backward(create_graph=True)
    return held is x.grad, held, x.grad


@scenario((12.0, True))
def a_recorded_backward_under_no_grad(lib):
    x = number(lib, 2.0)
    y = x**3
    with lib.no_grad():
        (slope,) = lib.autograd.grad(y, x, create_graph=True)
    return slope, slope.requires_grad


# Flags


@scenario(([True, True, True, False, False, False, True, True, False, True, True, False, False], [True, False, False, True, True, True, False, False, True, False, False, True, True]))
def what_requires_a_gradient(lib):
    x, k = leaf(lib, 1, 2), lib.tensor([1, 2])
    made = [x, x * 2, x + k, x.detach(), x > 1, x.argmax(), x.floor(), x.sign(), x.long(), x.float(), x[0], k * 2, lib.zeros_like(x)]
    return [t.requires_grad for t in made], [t.is_leaf for t in made]


@scenario([0.0, 0.0])
def gradients_of_steps_are_zero_not_missing(lib):
    x = leaf(lib, 1.5, -2.5)
    (x.floor() + x.ceil() + x.sign() + x.round() + x.trunc()).sum().backward()
    return x.grad


@scenario("RuntimeError")
def integers_require_no_gradient(lib):
    lib.tensor([1, 2]).requires_grad_()


@scenario("RuntimeError")
def integers_require_no_gradient_at_birth(lib):
    lib.tensor([1, 2], requires_grad=True)


@scenario(False)
def integers_may_refuse_a_gradient(lib):
    return lib.tensor([1, 2]).requires_grad_(False).requires_grad


@scenario("RuntimeError")
def a_result_cannot_be_switched_off(lib):
    (leaf(lib, 1) * 2).requires_grad_(False)


@scenario(False)
def a_result_may_be_switched_on(lib):
    return (leaf(lib, 1) * 2).requires_grad_().is_leaf


@scenario((False, [6.0, 6.0], [6.0, 6.0]))
def a_leaf_switched_off_and_on(lib):
    x = leaf(lib, 1, 2)
    (x * 2).sum().backward()
    x.requires_grad = False
    y = x * 3
    kept = x.grad
    x.requires_grad = True
    (x * 4).sum().backward()
    return y.requires_grad, kept, x.grad


@scenario(None)
def switching_a_leaf_off_leaves_the_recorded_graph(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    x.requires_grad_(False)
    y.backward()
    return x.grad


@scenario([1.0, 4.0])
def detach_cuts_the_history(lib):
    x = leaf(lib, 1, 2)
    y = x * x
    (y.detach() * x).sum().backward()
    return x.grad


@scenario(([2.0, 4.0], False))
def clone_keeps_the_history(lib):
    x = leaf(lib, 1, 2)
    y = x.clone()
    (y * y).sum().backward()
    return x.grad, y.is_leaf


@scenario(([2.0, 2.0], [5.0, 5.0], True, True))
def a_deep_copy_is_a_leaf_of_its_own(lib):
    import copy

    x = leaf(lib, 1, 2)
    (x * 2).sum().backward()
    y = copy.deepcopy(x)
    (y * 3).sum().backward()
    return x.grad, y.grad, y.is_leaf, y.requires_grad


@scenario("RuntimeError")
def a_result_cannot_be_deep_copied(lib):
    import copy

    copy.deepcopy(leaf(lib, 1, 2) * 2)


@scenario(([10.0, 20.0, 30.0], [20.0, 40.0, 60.0], True, True))
def data_may_be_exchanged(lib):
    x = leaf(lib, 1, 2)
    x.data = tensor(lib, 10, 20, 30)
    (x * x).sum().backward()
    return x, x.grad, x.requires_grad, x.is_leaf


@scenario(([1.0, 1.0], [10.0, 10.0], [3.0, 3.0]))
def a_kept_gradient_is_no_alias_of_the_cotangent(lib):
    x, g = leaf(lib, 1, 2), tensor(lib, 1, 1)
    y = x * 3
    y.retain_grad()
    y.backward(g)
    y.grad.mul_(10)
    return g, y.grad, x.grad


@scenario((8.0, (8.0,)))
def a_kept_gradient_of_a_recorded_backward(lib):
    x = number(lib, 2.0)
    y = x * x
    y.retain_grad()
    (y * y).backward(create_graph=True)
    return y.grad, lib.autograd.grad(y.grad, x)


@scenario(([2.0, 2.0], [6.0, 6.0]))
def a_hook_after_the_gradient_is_kept_and_one_removed(lib):
    x = leaf(lib, 1, 2)
    y = x * 3
    handle = y.register_hook(lambda g: g * 7)
    y.retain_grad()
    y.register_hook(lambda g: g + 1)
    handle.remove()
    y.sum().backward()
    return y.grad, x.grad


# Grad modes


@scenario((False, False, True))
def nothing_is_recorded_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    with lib.no_grad():
        y = x * 2
        inside = lib.is_grad_enabled()
    return y.requires_grad, inside, lib.is_grad_enabled()


@scenario([True, False, True, False, True, False, True])
def modes_nest(lib):
    seen = [lib.is_grad_enabled()]
    with lib.no_grad():
        seen.append(lib.is_grad_enabled())
        with lib.enable_grad():
            seen.append(lib.is_grad_enabled())
            with lib.no_grad():
                seen.append(lib.is_grad_enabled())
            seen.append(lib.is_grad_enabled())
        seen.append(lib.is_grad_enabled())
    return [*seen, lib.is_grad_enabled()]


@scenario(True)
def an_error_restores_the_mode(lib):
    try:
        with lib.no_grad():
            raise KeyError
    except KeyError:
        return lib.is_grad_enabled()


@scenario((False, [3.0, 6.0], "double", True))
def decorated_with_brackets(lib):
    @lib.no_grad()
    def double(x, times=2):
        return x * times

    x = leaf(lib, 1, 2)
    return double(x).requires_grad, double(x, times=3), double.__name__, lib.is_grad_enabled()


@scenario((False, True, "off"))
def decorated_without_brackets(lib):
    @lib.no_grad
    def off(x):
        return (x * 2).requires_grad

    @lib.enable_grad
    def on(x):
        return (x * 2).requires_grad

    x = leaf(lib, 1, 2)
    with lib.no_grad():
        return off(x), on(x), off.__name__


@scenario(([False, False, False], True))
def decorated_recursion(lib):
    @lib.no_grad()
    def count(n):
        return [lib.is_grad_enabled()] + (count(n - 1) if n else [])

    return count(2), lib.is_grad_enabled()


@scenario([False, True, ("sent", False), True, False, True])
def decorated_generator(lib):
    @lib.no_grad()
    def steps():
        received = yield lib.is_grad_enabled()
        received = yield received, lib.is_grad_enabled()
        return lib.is_grad_enabled()

    run, seen = steps(), []
    seen.append(next(run))
    seen.append(lib.is_grad_enabled())
    seen.append(run.send("sent"))
    seen.append(lib.is_grad_enabled())
    try:
        next(run)
    except StopIteration as stop:
        seen.append(stop.value)
    return [*seen, lib.is_grad_enabled()]


@scenario([False, (1, 2, True), False, True])
def decorated_generator_that_is_thrown_at_and_closed(lib):
    seen = []

    @lib.no_grad()
    def steps():
        try:
            yield 1
        except KeyError:
            seen.append(lib.is_grad_enabled())
        try:
            yield 2
        finally:
            seen.append(lib.is_grad_enabled())

    run = steps()
    seen.append((next(run), run.throw(KeyError()), lib.is_grad_enabled()))
    run.close()
    return [*seen, lib.is_grad_enabled()]


@scenario((False, True))
def set_grad_enabled_as_a_call(lib):
    lib.set_grad_enabled(False)
    inside = lib.is_grad_enabled()
    lib.set_grad_enabled(True)
    return inside, lib.is_grad_enabled()


@scenario((False, True, True))
def set_grad_enabled_as_a_context(lib):
    with lib.set_grad_enabled(False):
        inside = lib.is_grad_enabled()
        with lib.set_grad_enabled(True):
            deeper = lib.is_grad_enabled()
    return inside, deeper, lib.is_grad_enabled()


@scenario((False, True))
def set_grad_enabled_as_a_decorator(lib):
    @lib.set_grad_enabled(False)
    def inside():
        return lib.is_grad_enabled()

    return inside(), lib.is_grad_enabled()


@scenario((True, True))
def set_grad_enabled_inside_no_grad_ends_with_it(lib):
    with lib.no_grad():
        lib.set_grad_enabled(True)
        inside = lib.is_grad_enabled()
    return inside, lib.is_grad_enabled()


@scenario((False, False, True, True))
def inference_mode_in_all_forms(lib):
    x = leaf(lib, 1, 2)

    @lib.inference_mode()
    def double(v):
        return (v * 2).requires_grad

    with lib.inference_mode():
        inside = (x * 2).requires_grad
    with lib.inference_mode(False):
        recorded = (x * 2).requires_grad
    return double(x), inside, recorded, lib.is_grad_enabled()


@scenario([2.0, 4.0])
def a_backward_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    with lib.no_grad():
        y.backward()
    return x.grad


@scenario(([0.512, 1.024], True, True))
def a_step_of_descent_under_no_grad(lib):
    w = leaf(lib, 1, 2)
    for _ in range(3):
        (w * w).sum().backward()
        with lib.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    return w, w.is_leaf, w.requires_grad


@scenario([("main", True), ("off", False), ("on", True)])
def every_thread_has_its_own_mode(lib):
    import threading

    x, seen = leaf(lib, 1, 2), {}
    inside, done = threading.Event(), threading.Event()

    def off():
        with lib.no_grad():
            inside.set()
            done.wait(10)
            seen["off"] = (x * 2).requires_grad

    def on():
        inside.wait(10)
        seen["on"] = (x * 2).requires_grad
        done.set()

    threads = [threading.Thread(target=f) for f in (off, on)]
    for t in threads:
        t.start()
    inside.wait(10)
    seen["main"] = (x * 2).requires_grad
    for t in threads:
        t.join()
    return sorted(seen.items())


@scenario([True])
def a_new_thread_starts_with_recording_on(lib):
    import threading

    seen = []
    with lib.no_grad():
        thread = threading.Thread(target=lambda: seen.append(lib.is_grad_enabled()))
        thread.start()
        thread.join()
    return seen


# Values changed after they were saved


@scenario("RuntimeError")
def a_saved_input_changed(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = (x * w).sum()
    w.add_(1)
    y.backward()


@scenario([1.0, 1.0])
def an_input_changed_that_was_not_saved(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = (x + w).sum()
    w.add_(1)
    y.backward()
    return x.grad


@scenario("RuntimeError")
def a_saved_output_changed(lib):
    x = leaf(lib, 1, 2)
    y = x.exp()
    y.add_(1)
    y.sum().backward()


@scenario([2.0, 2.0])
def an_output_changed_that_was_not_saved(lib):
    x = leaf(lib, 1, 2)
    y = x * 2
    y.add_(1)
    y.sum().backward()
    return x.grad


@scenario("RuntimeError")
def a_saved_leaf_changed_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    with lib.no_grad():
        x.add_(1)
    y.backward()


@scenario("RuntimeError")
def a_saved_value_changed_through_detach(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    x.detach().add_(1)
    y.backward()


@scenario([4.0, 6.0])
def a_saved_value_changed_through_data_is_not_noticed(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    x.data.add_(1)
    y.backward()
    return x.grad


@scenario("RuntimeError")
def a_saved_value_changed_through_a_view(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = (x * w).sum()
    w[0] = 5
    y.backward()


@scenario("RuntimeError")
def a_saved_value_changed_and_the_graph_recorded(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = (x * w).sum()
    w.add_(1)
    lib.autograd.grad(y, x, create_graph=True)


@scenario([3.0, 4.0])
def only_the_saved_side_counts(lib):
    x, w = leaf(lib, 1, 2), tensor(lib, 3, 4)
    y = x.clone()
    z = (y * w).sum()
    y.add_(1)
    z.backward()
    return x.grad


@scenario.parameters()
def test_scenario(name, library):
    scenario.check(name, library)


# What PyTorch cannot tell: the texts of errors, and what stays in memory


def error_of(name):
    """The error that a scenario of the table ends in, on tapegrad."""
    with pytest.raises((RuntimeError, TypeError, ValueError)) as caught:
        scenario.rows[name][0](tg)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a_second_backward", ["MulBackward0", "second time", "retain_graph=True"]),
        ("grad_frees_as_well", ["MulBackward0", "retain_graph=True"]),
        ("a_saved_input_changed", ["mul:", "in place", "version 0", "now at 1", "clone()"]),
        ("a_saved_output_changed", ["exp:", "in place", "clone()"]),
        ("a_saved_value_changed_and_the_graph_recorded", ["mul:", "in place"]),
        ("a_root_that_is_a_vector_needs_a_gradient", ["backward:", "float64[2]", "gradient=", ".sum()"]),
        ("a_root_without_history", ["backward:", "float64[]", "does not require grad"]),
        ("a_gradient_of_the_wrong_shape", ["backward:", "float64[3]", "float64[2]"]),
        ("fewer_gradients_than_roots", ["backward: 2 tensors but 1 gradients"]),
        ("grad_unused", ["grad: inputs[1]", "allow_unused=True"]),
        ("grad_by_what_needs_none", ["grad: inputs[0]", "float64[2]", "does not require grad"]),
        ("assigned_gradient_of_another_shape", ["grad:", "(3,)", "(2,)"]),
        ("assigned_gradient_of_another_type", ["grad:", "float32", "float64"]),
        ("integers_require_no_gradient", ["requires_grad", "int64", ".float()"]),
        ("a_result_cannot_be_switched_off", ["requires_grad", "leaf", "detach()"]),
        ("a_result_cannot_be_deep_copied", ["deepcopy", "clone()"]),
        ("a_hook_on_what_needs_no_gradient", ["register_hook", "does not require grad"]),
        ("keeping_the_gradient_of_a_constant", ["retain_grad", "does not require grad"]),
    ],
)
def test_errors_name_the_operation_and_the_way_out(name, parts):
    text = error_of(name)
    assert [p for p in parts if p not in text] == [], text


def test_a_class_cannot_be_decorated_with_a_mode():
    with pytest.raises(TypeError, match="no_grad: decorate functions or methods, not the class Model"):
        tg.no_grad(type("Model", (), {}))


def run(code):
    """Run a program in a process of its own: one that overflows the C stack takes its process along."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


LONG = 200_000
CHAIN = f"import tapegrad as tg\nx = tg.ones(1, requires_grad=True)\ny = x\nfor _ in range({LONG}):\n    y = y * 1.0\n"


def test_a_long_chain_runs_backward_and_is_freed():
    assert run(CHAIN + "y.sum().backward()\nprint(x.grad.item())\ndel y\nprint('freed')") == "1.0\nfreed"


def test_a_long_chain_is_freed_unused():
    assert run(CHAIN + "del y\nprint('freed')") == "freed"


def test_a_long_chain_gives_one_gradient():
    assert run(CHAIN + "g, = tg.autograd.grad(y.sum(), x)\nprint(g.item())") == "1.0"


def test_a_long_chain_recorded():
    chain = CHAIN.replace(str(LONG), str(LONG // 10))
    code = chain + "g, = tg.autograd.grad((y * y).sum(), x, create_graph=True)\nprint(tg.autograd.grad(g.sum(), x)[0].item())"
    assert run(code + "\ndel g, y\nprint('freed')") == "2.0\nfreed"


def test_a_long_chain_of_views_and_writes():
    code = "import tapegrad as tg\nx = tg.ones(2, requires_grad=True)\ny = x * 1\nfor _ in range(5000):\n    y[0].mul_(1.0)\n"
    assert run(code + "y.sum().backward()\nprint(x.grad.tolist())\ndel y\nprint('freed')") == "[1.0, 1.0]\nfreed"


@pytest.fixture
def alive():
    """How many tape nodes came to life since, with the cyclic collector off: what only it would free counts as a leak."""
    gc.collect()
    gc.disable()
    before = {id(o) for o in gc.get_objects() if type(o) is Node}
    yield lambda: sum(type(o) is Node and id(o) not in before for o in gc.get_objects())
    gc.enable()


def programs():
    """Programs that leave nothing behind but the nodes of the leaf that they are given."""

    def forward(x):
        return (x * x).sum()

    def backward(x):
        ((x * 2).exp() / (x + 1)).sum().backward()

    def kept(x):
        y = (x * x).sum()
        y.backward(retain_graph=True)
        return y

    def hooked(x):
        y = x * 3
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        (y * y).sum().backward()

    def twice(x):
        (g,) = tg.autograd.grad((x.tanh() * x).sum(), x, create_graph=True)
        return tg.autograd.grad(g.sum(), x)

    def penalty(x):
        (g,) = tg.autograd.grad(x.softmax(0)[0], x, create_graph=True)
        (g * g).sum().backward()

    def views(x):
        y = x.clone()
        a, b = y[:2], y.reshape(1, 3)
        a.mul_(2)
        b[0, 1] = 5.0
        b.t()[2].add_(x[0])
        y.exp_()
        (a.sum() + b.sum()).backward()

    def failing(x):
        y = x * x
        with pytest.raises(RuntimeError):
            y.backward()

    def joined(x):
        tg.cat([x, tg.stack([x, x]).sum(0)])[tg.tensor([0, 0, 5])].sum().backward()

    return [forward, backward, kept, hooked, twice, penalty, views, failing, joined]


@pytest.mark.parametrize("program", programs(), ids=lambda p: p.__name__)
def test_nothing_is_left_to_the_cyclic_collector(program, alive):
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert alive() == 1
    program(x)
    assert alive() == 1
    del x
    assert alive() == 0


def test_backward_frees_what_was_saved_while_the_root_lives():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    middle = x * 2
    saved = weakref.ref(middle._array)
    y = middle.exp().square().sum()
    del middle
    z = (x * 2).square()
    again = weakref.ref(z.grad_fn.saved[0][0])
    z = z.sum()
    assert again() is not None
    y.backward()
    z.backward()
    assert saved() is None
    assert again() is None


def test_threads_run_their_own_graphs():
    def work(seed):
        x = tg.tensor([1.0, seed], dtype=tg.float64, requires_grad=True)
        for _ in range(200):
            y = x
            for _ in range(5):
                y = y * x
            y.sum().backward()
        return x.grad.tolist()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, [1.0, 1.5, 2.0, 0.5] * 2))
    for seed, (one, other) in zip([1.0, 1.5, 2.0, 0.5] * 2, found):
        assert one == 200 * 6
        assert other == pytest.approx(200 * 6 * seed**5)


@pytest.mark.parametrize("name", ["y", "out", "g"])
def test_a_rule_may_not_take_the_names_of_the_written_code(name):
    with pytest.raises(ValueError, match=f"rule: 'twisted' may not call an input or attribute \\['{name}'\\]"):
        rule("twisted", f"x {name}")
    assert "twisted" not in tg.autograd.RULES


def test_a_primitive_has_one_rule():
    with pytest.raises(ValueError, match="the primitive 'tanh' has a rule already"):
        nondiff("tanh", "x")
