"""Higher orders of differentiation, and values changed after they were saved."""

from .table import Table, leaf, number, tensor

scenario = Table()

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
