"""Programs in which memory that a tensor shares with the user is written between forward and backward.

Each is a generator: up to its ``yield`` it runs a forward and hands out the loss and the leaves; what follows is the
write that the tape cannot see. Every write changes a gradient.
"""

import numpy as np

import tapegrad as tg

PROGRAMS = {}
rng = np.random.default_rng(0)


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def values(*shape, dtype=np.float32, low=0.5):
    return (np.abs(rng.normal(size=shape)) + low).astype(dtype)


def leaf(*shape, dtype=np.float32):
    return tg.tensor(values(*shape, dtype=dtype), requires_grad=True)


@program
def factor_from_numpy():
    a, w = values(3), leaf(3)
    yield (w * tg.from_numpy(a)).sum(), [w]
    a[0] = 9


@program
def one_bit_of_a_factor():
    a, w = values(64), leaf(64)
    yield (w * tg.from_numpy(a)).sum(), [w]
    a.view(np.uint32)[40] ^= 1 << 18


@program
def leaf_through_detach_numpy():
    w = leaf(3)
    yield (w * w).sum(), [w]
    w.detach().numpy()[1] = -4


@program
def result_through_numpy():
    w = leaf(4)
    y = w.exp()
    yield y.sum(), [w]
    y.detach().numpy()[...] = 0


@program
def array_protocol():
    w = leaf(4)
    y = w.sigmoid()
    yield y.sum(), [w]
    np.asarray(y.detach())[2] = 7


@program
def dlpack_of_a_tensor():
    x, w = tg.tensor(values(5)), leaf(5)
    yield (w * x).sum(), [w]
    np.from_dlpack(x)[0] += 1


@program
def tensor_from_dlpack():
    a, w = values(5), leaf(5)
    yield (w / tg.from_dlpack(a)).sum(), [w]
    a *= 2


@program
def data_of_a_leaf():
    w = leaf(3)
    yield (w * w).sum(), [w]
    w.data.add_(1)


@program
def view_into_a_larger_array():
    a, w = values(4, 6), leaf(2, 6)
    yield (w * tg.from_numpy(a[1:3])).sum(), [w]
    a[2, 5] = 100


@program
def every_other_element():
    a, w = values(10), leaf(5)
    yield (w * tg.from_numpy(a[::2])).sum(), [w]
    a[4] = -1


@program
def transposed_matrix():
    a, w = values(3, 4), leaf(2, 4)
    yield (w @ tg.from_numpy(a.T)).sum(), [w]
    a[0, 0] = 11


@program
def matmul_inputs():
    a, w = values(3, 4), leaf(4, 2)
    yield (tg.from_numpy(a) @ w).sum(), [w]
    a[2] = 0


@program
def weight_of_a_linear_layer():
    layer, x = tg.nn.Linear(4, 3), leaf(2, 4)
    yield layer(x).sum(), [x]
    layer.weight.detach().numpy()[0, 0] += 1


@program
def batch_of_a_fused_layer():
    a = values(2, 4)
    model = tg.nn.Sequential(tg.nn.Linear(4, 3), tg.nn.Sigmoid())
    yield model(tg.from_numpy(a)).sum(), list(model.parameters())
    a += 1


@program
def target_of_a_squared_error():
    a, w = values(6), leaf(6)
    yield tg.nn.functional.mse_loss(w, tg.from_numpy(a)), [w]
    a[3] = 20


@program
def result_of_log_softmax():
    w = leaf(3, 5)
    y = w.log_softmax(1)
    yield (y * tg.arange(5.0)).sum(), [w]
    y.detach().numpy()[0] = 0


@program
def classes_of_a_cross_entropy():
    classes, w = np.array([0, 1, 2]), leaf(3, 5)
    yield tg.nn.functional.cross_entropy(w, tg.from_numpy(classes)), [w]
    classes[1] = 4


@program
def rows_selected():
    rows, w = np.array([0, 2, 2]), leaf(4, 3)
    yield w.index_select(0, tg.from_numpy(rows)).sum(), [w]
    rows[0] = 3


@program
def index_out_of_range_afterwards():
    rows, w = np.array([0, 2, 1]), leaf(4)
    yield w[tg.from_numpy(rows)].sum(), [w]
    rows[0] = 1000


@program
def index_of_gather():
    index, w = np.array([[0, 1], [1, 0]]), leaf(2, 3)
    yield (w.gather(1, tg.from_numpy(index)) * tg.tensor([[1.0, 2.0], [3.0, 4.0]])).sum(), [w]
    index[0, 0] = 2


@program
def condition_of_where():
    condition, w = np.array([True, False, True]), leaf(3)
    yield tg.where(tg.from_numpy(condition), w, w * 3).sum(), [w]
    condition[1] = True


@program
def input_of_relu():
    w = leaf(4)
    y = (w - 1.0).relu()
    yield y.sum(), [w]
    y.detach().numpy()[...] = [1, 0, 1, 0]


@program
def double_precision():
    a, w = values(3, dtype=np.float64), leaf(3, dtype=np.float64)
    yield (w * tg.from_numpy(a)).sum(), [w]
    a[0] += 1e-9


@program
def half_precision():
    a, w = values(3, dtype=np.float16), leaf(3, dtype=np.float16)
    yield (w * tg.from_numpy(a)).sum(), [w]
    a[0] = 0


@program
def complex_factor():
    a = values(3).astype(np.complex64)
    w = tg.tensor(values(3).astype(np.complex64), requires_grad=True)
    yield (w * tg.from_numpy(a)).abs().sum(), [w]
    a[0] *= 1j
    a[1] *= 5


@program
def zero_dimensional():
    a, w = np.array(2.0, np.float32), leaf(3)
    yield (w * tg.from_numpy(a)).sum(), [w]
    a[...] = 3


@program
def swapped_elements():
    a, w = np.array([1, 2, 3], np.float32), leaf(3)
    yield (w * tg.from_numpy(a)).sum(), [w]
    a[0], a[2] = a[2], a[0]


@program
def view_of_a_view():
    a, w = values(4, 4), leaf(4)
    yield (tg.from_numpy(a).T[1].flip(0).exp() * w * tg.from_numpy(a)[:, 1]).sum(), [w]
    a[:, 1] = 1


@program
def one_of_several_joined():
    w = leaf(2)
    a = values(2)
    both = tg.stack([w, w * 2])
    yield (both * tg.stack([tg.from_numpy(a), tg.from_numpy(a)])).pow(tg.from_numpy(a)).sum(), [w]
    a[0] = 5


@program
def softmax_of_a_batch():
    w = leaf(2, 3)
    y = w.softmax(1)
    yield (y * tg.tensor([1.0, 2.0, 3.0])).sum(), [w]
    y.detach().numpy()[0, 0] = 0.9


@program
def long_array():
    a, w = values(100_000), leaf(100_000)
    yield (w * tg.from_numpy(a)).sum(), [w]
    a[77_777] += 1


@program
def after_a_write_in_place():
    a, w = values(4), leaf(4)
    x = tg.from_numpy(a)
    x.mul_(2)
    yield (w * x).sum(), [w]
    a[1] = 0


@program
def written_in_place_and_saved_before():
    w = leaf(4)
    y = w * 2
    z = y * y
    z.add_(1)
    yield (z * z).sum(), [w]
    z.detach().numpy()[0] = 0


@program
def masked_fill_value():
    mask, w = np.array([True, False]), leaf(2)
    yield w.masked_fill(tg.from_numpy(mask), 0.0).sum(), [w]
    mask[0] = False


class Cube(tg.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x, None, factor)
        return x**3 * factor

    @staticmethod
    def backward(ctx, g):
        x, _, factor = ctx.saved_tensors
        return 3 * x**2 * factor * g, None


@program
def saved_by_a_function_of_the_users():
    a, w = values(3), leaf(3)
    yield Cube.apply(w, tg.from_numpy(a)).sum(), [w]
    a[2] = 0


@program
def saved_input_of_a_function_of_the_users():
    w = leaf(3)
    yield Cube.apply(w, tg.ones(3)).sum(), [w]
    w.detach().numpy()[0] = 0
