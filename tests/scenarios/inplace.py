"""Writing in place: values, gradients, versions, and what is refused."""

from .table import Table

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


@scenario(
    [
        (True, [3.5, 4.5], [1.0, 2.0], 1),
        (True, [-1.5, -2.5], [-1.0, -2.0], 1),
        (True, [4.5, 7.5], [3.0, 6.0], 1),
        (True, [0.375, 0.625], [0.25, 0.5], 1),
        (True, [3.375, 15.625], [6.75, 37.5], 1),
        (True, [-1.5, -2.5], [-1.0, -2.0], 1),
        (True, [6.0, 10.0], [4.0, 8.0], 1),
        (True, [1.5, 0.5], [1.0, 2.0], 1),
        (True, [1.5, 0.5], [1.0, 2.0], 1),
        (True, [16.5, 37.5], [17.0, 50.0], 1),
        (True, [2.7, 3.92857143], [1.32, 2.32653061], 1),
        (True, [1.875, 3.125], [1.25, 2.5], 1),
    ]
)
def arithmetic(lib):
    writes = [
        lambda y: y.add_(2),
        lambda y: y.sub_(y * 2),
        lambda y: y.mul_(3),
        lambda y: y.div_(4),
        lambda y: y.pow_(3),
        lambda y: y.neg_(),
        lambda y: y.add_(y, alpha=3),
        lambda y: y.remainder_(2),
        lambda y: y.fmod_(2),
        lambda y: y.addcmul_(y + 1, y * 2, value=2),
        lambda y: y.addcdiv_(y * 2, y + 1),
        lambda y: y.lerp_(y * 2, 0.25),
    ]
    return [after(lib, w, 1.5, 2.5) for w in writes]


@scenario(
    [
        (True, [4.48168907, 12.182494], [4.48168907, 24.3649879], 1),
        (True, [0.405465108, 0.916290732], [0.666666667, 0.8], 1),
        (True, [1.22474487, 1.58113883], [0.40824829, 0.632455532], 1),
        (True, [0.816496581, 0.632455532], [-0.272165527, -0.252982213], 1),
        (True, [2.25, 6.25], [3.0, 10.0], 1),
        (True, [0.666666667, 0.4], [-0.444444444, -0.32], 1),
        (True, [0.997494987, 0.598472144], [0.0707372017, -1.60228723], 1),
        (True, [0.0707372017, -0.801143616], [-0.997494987, -1.19694429], 1),
        (True, [0.905148254, 0.986614298], [0.180706639, 0.0531844534], 1),
        (True, [0.817574476, 0.92414182], [0.149146452, 0.140207433], 1),
        (True, [1.5, 2.5], [1.0, 2.0], 1),
        (True, [1.5, 2.5], [1.0, 2.0], 1),
        (True, [1.0, 2.0], [0.0, 0.0], 1),
        (True, [1.0, 1.0], [0.0, 0.0], 1),
        (True, [3.48168907, 11.182494], [4.48168907, 24.3649879], 1),
        (True, [0.916290732, 1.25276297], [0.4, 0.571428571], 1),
        (True, [2.12927946, 6.05020448], [2.35240962, 12.264579], 1),
        (True, [2.35240962, 6.13228948], [2.12927946, 12.100409], 1),
        (True, [0.982793723, 1.19028995], [0.307692308, 0.275862069], 1),
        (True, [0.966105146, 0.999593048], [0.118930289, 0.00435656846], 1),
    ]
)
def functions(lib):
    names = (
        "exp log sqrt rsqrt square reciprocal sin cos tanh sigmoid relu abs floor sign expm1 log1p sinh cosh atan erf"
    )
    return [after(lib, lambda y, n=n: getattr(y, n + "_")(), 1.5, 2.5) for n in names.split()]


@scenario(
    [
        (True, [-1.0, 0.5, 1.0], [0.0, 2.0, 0.0], 1),
        (True, [0.0, 0.5, 3.0], [0.0, 2.0, 3.0], 1),
        (True, [-2.0, 0.5, 1.0], [1.0, 2.0, 0.0], 1),
        (True, [9.0, 0.5, 9.0], [0.0, 2.0, 0.0], 1),
        (True, [-2.0, -1.5, 1.5], [6.0, 5.0, 3.0], 1),
    ]
)
def choices(lib):
    mask = lib.tensor([True, False, True])
    writes = [
        lambda y: y.clamp_(-1, 1),
        lambda y: y.clamp_(min=0),
        lambda y: y.clamp_max_(1.0),
        lambda y: y.masked_fill_(mask, 9.0),
        lambda y: y.cumsum_(0),
    ]
    return [after(lib, w, -2.0, 0.5, 3.0) for w in writes]


@scenario(
    [
        (True, [0.0, 0.0], [0.0, 0.0], 1),
        (True, [3.0, 3.0], [0.0, 0.0], 1),
        (True, [7.0, 8.0], [0.0, 0.0], 1),
        (True, [5.0, 5.0], [0.0, 0.0], 1),
        (True, [2.0, 2.0], [0.0, 0.0], 1),
    ]
)
def filling(lib):
    source = lib.tensor([7.0, 8.0])
    writes = [
        lambda y: y.zero_(),
        lambda y: y.fill_(3),
        lambda y: y.copy_(source),
        lambda y: y.copy_(lib.tensor(5)),
        lambda y: y.fill_(lib.tensor(2.0)),
    ]
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


@scenario(
    (
        [[5.0, 10.0, 2.0, 1.0], [5.0, 20.0, 4.0, 2.0], [39.0, 5.0, 5.0, 3.0]],
        [[50.0, 0.0, 20.0, 0.0], [0.0, 0.0, 0.0, 0.0], [234.0, 0.0, 0.0, 0.0]],
    )
)
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


@scenario(
    (
        [[8.0, 11.0, 12.0, 8.0], [12.0, 6.0, 18.0, 8.0], [0.0, 3.0, 4.0, 6.0]],
        [[0.0, 12.0, 16.0, 24.0], [168.0, 56.0, 156.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
    )
)
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


@scenario(
    [
        (True, [3.0, 5.0], [2.0, 4.0], 1),
        (True, [0.0, 0.0], [0.0, 0.0], 1),
        (True, [1.5, 2.5], [1.0, 2.0], 1),
        (True, [2.25, 6.25], [3.0, 10.0], 1),
    ]
)
def the_tensor_as_its_own_operand(lib):
    return [
        after(lib, w, 1.5, 2.5)
        for w in (lambda y: y.add_(y), lambda y: y.sub_(y), lambda y: y.copy_(y), lambda y: y.mul_(y.clone()))
    ]


@scenario(
    [
        (True, [3.75, 6.25], [2.5, 11.5], 1),
        (True, [-1.0, 1.0], [-1.0, 1.0], 1),
        (True, [0.375, 0.625], [-0.15625, 0.09375], 1),
    ]
)
def a_part_of_the_tensor_as_operand(lib):
    return [
        after(lib, w, 1.5, 2.5)
        for w in (lambda y: y.mul_(y[1].clone()), lambda y: y.sub_(y.flip(0)), lambda y: y.div_(y.sum()))
    ]


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
