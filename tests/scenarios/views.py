"""Views: shared memory, shared versions, and one history for a base and all that looks at it."""

from .table import Table

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


@scenario(
    (
        [[6.0, 6.0, 6.0], [24.0, 24.0, 24.0]],
        [[[1.0, 0.0], [3.0, 2.0], [5.0, 4.0]], [[7.0, 6.0], [9.0, 8.0], [11.0, 10.0]]],
    )
)
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


@scenario(
    [
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
        True,
    ]
)
def what_shares_memory(lib):
    x = lib.arange(12, dtype=lib.float64).reshape(3, 4)
    made = [
        x[0],
        x[:, 1],
        x[1:2, None],
        x.t(),
        x.reshape(4, 3),
        x.view(12),
        x.transpose(0, 1),
        x.unsqueeze(0),
        x.squeeze(),
        x.diagonal(),
        x.narrow(0, 1, 1),
        x.split(2)[1],
        x.chunk(2)[0],
        x.unbind()[1],
        x.flatten(),
        x.contiguous(),
        x.detach(),
        x.data,
        x.flatten(0, 0),
        x.reshape(3, 4),
        x.expand(3, 4),
        x[...],
    ]
    return [shares(lib, y, x) for y in made]


@scenario(
    [
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
        False,
    ]
)
def what_does_not_share_memory(lib):
    x = lib.arange(12, dtype=lib.float64).reshape(3, 4)
    made = [
        x.clone(),
        x[[0, 1]],
        x[x > 3],
        x.t().reshape(12),
        x.t().flatten(),
        x.t().contiguous(),
        x.flip(0),
        x.flip(0, 1),
        x.roll(1, 0),
        x + 0,
        x.index_select(0, lib.tensor([0])),
        x.repeat(1, 1),
        x.tril(),
        x.double().clone(),
        x.cumsum(0),
        x.gather(1, lib.tensor([[0]])),
        lib.cat([x]),
        lib.stack([x]),
    ]
    return [shares(lib, y, x) for y in made]


@scenario("RuntimeError")
def view_of_strides_that_do_not_fit(lib):
    matrix(lib, 2, 3)[1].t().view(6)


@scenario(
    (
        [
            [0.0, 8.0, 16.0, 24.0, 32.0, 40.0],
            [2.0, 10.0, 18.0, 26.0, 34.0, 42.0],
            [4.0, 12.0, 20.0, 28.0, 36.0, 44.0],
            [6.0, 14.0, 22.0, 30.0, 38.0, 46.0],
        ],
        [
            [[0.0, 8.0, 16.0, 24.0], [32.0, 40.0, 48.0, 56.0], [64.0, 72.0, 80.0, 88.0]],
            [[96.0, 104.0, 112.0, 120.0], [128.0, 136.0, 144.0, 152.0], [160.0, 168.0, 176.0, 184.0]],
        ],
    )
)
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
    for write in (
        lambda: x.add_(1),
        lambda: x.__setitem__(0, 5.0),
        lambda: x.fill_(2),
        lambda: x.copy_(x * 2),
        lambda: x.zero_(),
    ):
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
