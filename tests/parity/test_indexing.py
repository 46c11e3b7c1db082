"""Indexing, scattering, shapes, windows, sorting: values, types, views, gradients and errors as in PyTorch."""

import warnings

import numpy as np
import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

VALUES = np.random.default_rng(3).permutation(60).reshape(-1) / 7 - 3


class Scene:
    """What an expression may name, for one library; the leaves are x (3, 4), y (2, 4), v (4,), c (2, 3, 4), s ()."""

    def __init__(self, lib, kind="float64", grad=True):
        self.lib, self.kind = lib, getattr(lib, kind)
        shapes = {"x": (3, 4), "y": (2, 4), "v": (4,), "c": (2, 3, 4), "s": (), "sq": (3, 3)}
        self.leaves = {}
        for n, (name, shape) in enumerate(shapes.items()):
            size = int(np.prod(shape))
            made = lib.tensor(np.roll(VALUES, 7 * n)[:size].reshape(shape)).to(self.kind)
            self.leaves[name] = made.requires_grad_() if grad else made
        self.names = {
            "lib": lib, "F": lib.nn.functional, "i": lambda *v: lib.tensor(v, dtype=lib.int64),
            "m": lambda *v: lib.tensor(v, dtype=lib.bool), "t": lambda *v: lib.tensor(v, dtype=self.kind),
            "i32": lambda *v: lib.tensor(v, dtype=lib.int32), "n": lambda v: lib.tensor(v, dtype=self.kind),
            "at": lambda v: lib.tensor(v, dtype=lib.int64), "np": np, **self.leaves,
        }  # fmt: skip

    def run(self, text):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(text, dict(self.names))


def tensors(found):
    """All tensors of a result, in order."""
    if isinstance(found, (tuple, list)):
        return [t for part in found for t in tensors(part)]
    return [found]


def same(ours, theirs, what):
    ours, theirs = tensors(ours), tensors(theirs)
    assert len(ours) == len(theirs), what
    for o, t in zip(ours, theirs):
        if not isinstance(t, torch.Tensor):
            assert o == t, what
            continue
        assert tuple(o.shape) == tuple(t.shape), f"{what}: shape {o.shape}, PyTorch's {t.shape}"
        assert str(o.dtype).split(".")[1] == str(t.dtype).split(".")[1], f"{what}: {o.dtype}, PyTorch's {t.dtype}"
        np.testing.assert_allclose(o.detach().numpy(), t.detach().numpy(), rtol=1e-12, atol=1e-12, err_msg=what)


def gradients(scene, found):
    """Gradients of the leaves of first order, and of the sum of their squares."""
    lib, leaves = scene.lib, list(scene.leaves.values())
    total = 0.0
    for k, out in enumerate(tensors(found)):
        if out.requires_grad:
            weights = lib.tensor(np.cos(np.arange(out.numel()) + k).reshape(out.shape)).to(scene.kind)
            total = total + ((out * out + out) * weights).sum()
    if not hasattr(total, "backward"):
        return None, None
    first = lib.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    squares = sum(((g * g).sum() for g in first if g is not None), 0.0)
    second = lib.autograd.grad(squares, leaves, allow_unused=True) if squares.requires_grad else [None] * len(leaves)
    return first, second


def compare_gradients(ours, theirs, what):
    assert (ours is None) == (theirs is None), what
    for o, t in zip(ours or (), theirs or ()):
        zero = np.zeros(1)
        np.testing.assert_allclose(
            zero if o is None else o.detach().numpy(), zero if t is None else t.detach().numpy(), rtol=1e-9, atol=1e-10,
            err_msg=what,
        )  # fmt: skip


# Each with gradients of both orders.
SMOOTH = """
x.index_add(0, i(0, 2), y) | lib.index_add(x, 0, i(2, 2), y, alpha=2) | x.index_add(1, i(1), x[:, :1]) | s.index_add(0, i(0), n(2.0) * v[1])
x.index_copy(0, i(2, 0), y) | lib.index_copy(x, -1, i(1), x[:, :1] * 2) | x.index_fill(0, i(0, -1), 2.5) | x.index_fill(1, i(3, 3), s)
lib.index_fill(x, 0, at(1), 3) | s.index_fill(0, i(0), 1) | x.index_put((i(0, 2),), y) | lib.index_put(x, (i(0, 0), i(1, 1)), s, accumulate=True)
x.index_put((m(True, False, True),), s) | x.index_put((i(0), i(-1)), t(5.0)) | x.index_put([i(1, 1)], y, True)
x.index_reduce(0, i(0, 2), y, 'prod') | x.index_reduce(0, i(0, 0), y, 'mean') | lib.index_reduce(x, 0, i(1, 1), y, 'amax', include_self=False)
x.index_reduce(0, i(0, 2), y, 'amin') | s.index_reduce(0, i(0), v[0], 'prod')
x.scatter(0, at([[0, 1, 2, 0]]), y[1:]) | lib.scatter(x, 1, at([[3], [0]]), 1.5) | x.scatter(1, at([[0, 1]]), y[:1, 1:3])
s.scatter(0, at(0), 2.0) | x.scatter_add(0, at([[0, 0, 2, 0], [0, 1, 2, 0]]), y) | x.scatter_add(1, at([[1, 1, 1]]), y[:1, :3]) | s.scatter_add(0, i(0), v[:1])
x.scatter_reduce(0, at([[0, 0, 2, 0], [0, 1, 2, 0]]), y, 'sum') | x.scatter_reduce(1, at([[1, 1, 1]]), y[:1, :3], 'prod') | x.scatter_reduce(1, at([[1, 1, 1]]), y[:1, :3], 'mean')
x.scatter_reduce(1, at([[1, 1, 1]]), y[:1, :3], 'amax') | x.scatter_reduce(0, at([[1, 1, 1]]), y[:1, :3], 'amin') | lib.scatter_reduce(x, 0, at([[1, 0, 1]]), y[1:, :3], reduce='sum', include_self=False)
x.scatter_reduce(1, at([[1, 1, 1]]), y[:1, :3], 'prod', include_self=False) | x.scatter_reduce(1, at([[1, 1, 1]]), y[:1, :3], 'mean', include_self=False)
x.scatter_reduce(1, at([[0, 1, 1]]), y[:1, 1:], 'amax', include_self=False) | x.scatter_reduce(1, at([[0, 1, 1]]), y[:1, 1:], 'amin', include_self=False)
x.scatter_reduce(1, at([[0, 0, 1]]), y[:1, :3] * t(0., 1., 1.), 'prod') | (x - x.detach()).scatter_reduce(1, at([[0, 0, 1]]), (y - y.detach())[:1, :3], 'amax') | v.scatter_reduce(0, i(0, 0, 3), t(0., 2., 0.) * v[:3], 'prod')
x.take(i(0, -1, 5, 5)) | lib.take(x, at([[1, 2]])) | s.take(i(0, 0)) | x.put(i(0, -1), t(5., 6.) * s) | x.put(i(1, 1), v[:2], accumulate=True) | s.put(i(0), v[:1])
x.take_along_dim(at([[1], [-1], [0]]), 1) | lib.take_along_dim(x, i(3, 3)) | x.take_along_dim(at([[0, 1, 2, 0]]), dim=0) | x.gather(1, at([[0, 3], [2, 2]])) | s.gather(0, at(0)) | v.gather(0, i32(1, 1))
x.masked_scatter(x > 0, lib.cat([x, x]).flatten()) | v.masked_scatter(m(True, False, True, False), x) | v.masked_scatter(x > 0, x) | x.masked_fill(x > 0, s) | x.masked_fill(m(True, False, False, True), 2)
x.masked_select(x > 0) | lib.masked_select(v, x > 0) | x.index_select(1, i(3, 3, 0)) | s.index_select(0, i(0)) | lib.index_select(x, 0, at(1))
x.narrow(1, 1, 2) | x.narrow(0, -1, 1) | lib.narrow_copy(x, 1, 1, 2) | x.select(-1, 2) | x.select(0, -1)
x.select_scatter(v, 0, 1) | lib.slice_scatter(x, y, 0, 1, 3) | x.slice_scatter(x[:, :2], 1, 0, None, 2) | x.diagonal_scatter(v[:3]) | x.diagonal_scatter(v[:2], -1)
x.unfold(1, 2, 1) | x.unfold(0, 3, 2) | c.unfold(1, 2, 1).unfold(2, 3, 1) | s.unfold(0, 1, 1) | v.unfold(0, 4, 3) | v.unfold(0, 0, 2)
(x * 1).as_strided((2, 2), (1, 2), 1) | (x * 1).as_strided((3, 3), (1, 1)) | lib.as_strided(x * 1, (), (), 5) | (x * 1)[1].as_strided((2,), (1,), 5) | (x * 2).t().as_strided((3,), (4,))
(x * 1).as_strided((3, 2), (1, 1)).as_strided((2,), (2,), 1) | v.expand(3, 4).as_strided((2, 2), (1, 1)) | (x * 1)[:, 1:].as_strided((2, 2), (4, 1))
x.expand_as(c) | x.view_as(c[0]) | x.reshape_as(x.t()) | x.unflatten(1, (2, -1)) | lib.unflatten(v, 0, (2, 2)) | c.movedim(0, -1) | lib.moveaxis(c, (0, 1), (1, 2)) | c.swapaxes(0, 2) | c.swapdims(0, 1)
v.repeat(2, 3) | x.repeat(2, 1, 2) | x.repeat_interleave(2) | x.repeat_interleave(3, 1) | lib.repeat_interleave(x, i(0, 2, 1), dim=0) | x.repeat_interleave(i(2), 1) | s.repeat_interleave(3)
x.tile(2) | lib.tile(x, (2, 1, 2)) | s.tile((2,)) | x.roll(1) | x.roll((1, -2), (0, 1)) | lib.roll(x, 3, 1) | x.rot90() | lib.rot90(x, 3, (0, 1)) | x.rot90(2) | c.rot90(-1, (1, 2)) | x.rot90(4)
x.flip(0) | x.flip((0, 1)) | lib.flip(x, dims=(1,)) | x.fliplr() | x.flipud() | v.flipud() | c.hsplit(3) | v.hsplit([1, 3]) | x.vsplit(3) | c.dsplit([2]) | x.tensor_split(3, 1) | v.tensor_split((1, 3)) | lib.tensor_split(x, i(1, 2), dim=1)
x.split(3, 1) | lib.split(x, [1, 2]) | x.split_with_sizes([1, 3], 1) | x.unsafe_split(2) | x.chunk(2, 1) | lib.unsafe_chunk(x, 2) | c.unbind(1)
lib.hstack((x, x)) | lib.hstack([v, s]) | lib.vstack((x, v)) | lib.row_stack((v, v)) | lib.dstack((x, x)) | lib.dstack((v, v)) | lib.column_stack((v, x.t())) | lib.column_stack((s, s))
lib.atleast_1d(s) | lib.atleast_2d(s, v, x) | lib.atleast_3d([s, v, x]) | lib.block_diag(x, v, s) | lib.block_diag(x, y) | lib.cartesian_prod(v, v[:2]) | lib.cartesian_prod(v)
lib.combinations(v) | lib.combinations(v, 3) | lib.combinations(v[:3], 2, True) | lib.combinations(v, 0) | lib.meshgrid(v, v[:2], indexing='ij') | lib.meshgrid(v, v[:2], s, indexing='xy') | lib.meshgrid([v])
lib.broadcast_to(v, (3, 4)) | lib.broadcast_tensors(x, v, s) | lib.broadcast_shapes((2, 1), 3, (1, 3)) | c.ravel() | c.transpose(0, 1).ravel() | c[:1].squeeze((0, 1)) | c[:1, :, :1].squeeze((0, 2)) | x.unsqueeze(-1)
F.pad(x, (1, 2)) | F.pad(x, (1, -1, 0, 2), value=2.0) | F.pad(c, (2, 1), mode='reflect') | F.pad(c, (3, 1), 'replicate') | F.pad(c, (2, 4), mode='circular') | F.pad(c[None], (1, 1, 2, 0), mode='reflect') | F.pad(c[None], (-1, 1, 0, 2), mode='circular')
F.pad(c[None, None], (1, 1, 0, 1, 1, 0), mode='replicate') | F.pad(x, (1, 2), mode='reflect')
v.diag() | v.diag(-1) | x.diag() | lib.diag(x, 2) | lib.diag_embed(x) | x.diag_embed(1, 0, 2) | lib.diag_embed(v, -2) | lib.diagflat(y, 1) | x.trace() | lib.trace(sq) | x.diagonal(1) | c.diagonal(0, 2, 1) | x.tril(-1) | c.triu(1)
x.sort() | x.sort(0, True) | lib.topk(x, 2) | x.topk(2, 0, False) | x.kthvalue(2) | lib.kthvalue(x, 1, 0, keepdim=True) | s.kthvalue(1) | lib.msort(x)
c[0, :, i(0, 1)] | c[0, ..., [0, 1]] | c[at(0), :, i(0, 1)] | c[0, None, i(0, 1)] | c[0, :, m(True, False, True, True)] | c[i(0, 1), :, 0] | c[i(0, 1), 0, i(0, 1)] | c[0, True, i(0, 1)] | c[:, -1, i(1, 1)] | c[1:, None, i(0, 1), None, 0]
c[0, True] | c[at(1), 1:, i(3, 3)] | c[i(0, 1), :, i(0)] | c[[0, 1], :, (0, 1)] | c[..., ...] | c[..., 0, ...] | c[..., i(0), ...] | x[lib.tensor(1, dtype=lib.uint8)] | x[lib.tensor(0, dtype=lib.uint8)] | c[lib.tensor([1, 0], dtype=lib.uint8)]
c[[None]] | c[[slice(0, 2)]] | c[[0, slice(0, 2)]] | c[[0, at(1)]] | c[[[0, 1], [1, 2]]] | c[[i(0, 1), i(1, 2)]] | c[[...]] | c[[0] * 40] | c[[]] | c[[[]]] | c[np.array([[0, 1], [1, 0]])] | c[None:at(2)]
x.where(x > 0, v) | x.where(x > 0, 5) | x.where(condition=x > 0, other=s) | lib.where(x > 0, x, 0.5) | lib.where(v > 0, s, x) | lib.where(lib.tensor([1, 0, 1, 1], dtype=lib.uint8), x, s)
lib.permute_copy(x, (1, 0)) | lib.expand_copy(v, (2, 4)) | lib.diagonal_copy(x) | lib.select_copy(x, 0, 1) | lib.unbind_copy(x) | lib.view_copy(x, (4, 3)) | lib.t_copy(x) | lib.unfold_copy(x, 0, 2, 1) | lib.alias_copy(x)
"""  # noqa: E501

# Results of integers, or of no gradient.
PLAIN = """
lib.argwhere(x > 0) | x.nonzero() | (x > 0).nonzero(as_tuple=True) | n(3.0).nonzero(as_tuple=True) | lib.argwhere(n(0.)) | lib.nonzero(x > 0, as_tuple=True)
lib.nonzero_static(x, size=3) | lib.nonzero_static(t(0., 1.), size=3, fill_value=7) | lib.unravel_index(at([[5, 0], [11, 3]]), (3, 4)) | lib.unravel_index(i(2), 5)
lib.tril_indices(3, 4, -1) | lib.triu_indices(3, 4, 1) | lib.searchsorted(t(1., 2., 3.), 2.0) | lib.searchsorted(t(1., 2., 2., 3.), t(2., 5.), right=True) | lib.searchsorted(i(1, 2, 3), t(2.5, 0.))
lib.searchsorted(x.sort()[0], x, side='right', out_int32=True) | lib.searchsorted(t(3., 1., 2.), t(1.5), sorter=i(1, 2, 0)) | lib.bucketize(x, t(-1., 0., 1.)) | lib.bucketize(2, t(1., 2.), right=True) | lib.bucketize(n(1.), t(1., 2.), out_int32=True)
lib.unique(i(3, 1, 1, 2)) | lib.unique(at([[3, 1], [1, 3]]), return_inverse=True, return_counts=True) | lib.unique(at([[1, 2], [0, 9], [1, 2]]), dim=0, return_inverse=True, return_counts=True) | at([[1, 1, 0], [2, 2, 2]]).unique(dim=1)
lib.unique(at(5), return_inverse=True) | lib.unique(i(), return_counts=True) | lib.unique_consecutive(i(1, 1, 2, 1), return_inverse=True, return_counts=True) | at([[1, 2], [1, 2], [0, 2]]).unique_consecutive(dim=0) | m(True, False).unique()
lib.repeat_interleave(i(2, 0, 1)) | lib.repeat_interleave(i32(2, 1), output_size=3) | i(1, 2).repeat_interleave(i(1, 2), output_size=3) | at([[1, 2], [3, 4]]).trace() | i(4, 5).take(i(1)) | i(1, 2, 3).scatter_reduce(0, i(0, 0, 1), i(4, 6, -3), 'mean')
i(1, 2, 3).scatter_reduce(0, i(0, 0, 1), i(4, 6, -3), 'amax', include_self=False) | i(1, 2).scatter(0, i(0), 3, reduce='multiply') | t(1., 2.).scatter(0, i(0, 0), t(3., 4.), reduce='add') | i(1, 2).scatter(0, i(1, 1), 2.7) | i(1, 2).index_add(0, i(0), i(3), alpha=2.5)
m(True, False).scatter_add(0, i(1), m(True)) | i(1, 2).index_fill(0, i(0), 1.5) | i(1, 2).masked_fill(m(True, False), n(1.5)) | i(1, 2).masked_fill(m(True, False), 1.7) | lib.block_diag(i(1), t(2.)) | lib.argsort(t(2., 1., 2.), stable=True)
t(1., float('nan'), 2.).scatter_reduce(0, i(0, 1), t(float('nan'), 1.), 'amax') | t(1., 2.).index_reduce(0, i(0, 0), t(5., 3.), 'mean') | m(True, False).flip(0) | i(1, 2, 3).unfold(0, 2, 1) | lib.cartesian_prod(i(1, 2), i(3, 4))
"""  # noqa: E501

IN_PLACE = """
index_add_(0, i(0, 2), y) | index_add_(1, i(1), y.t()[:3, :1], alpha=-1) | index_copy_(0, i(2, 0), y) | index_fill_(0, i(0, -1), 2.5) | index_fill_(1, i(0), s) | index_put_((i(0, 2),), y) | index_put_((i(0), i(1)), s, accumulate=True)
index_reduce_(0, i(0, 2), y, 'prod') | index_reduce_(0, i(0, 0), y, 'amax') | index_reduce_(0, i(0, 0), y, 'mean', include_self=False) | scatter_(0, at([[0, 1, 2, 0]]), y[:1]) | scatter_(1, at([[3], [0]]), 1.5) | scatter_add_(0, at([[0, 0, 2, 0]]), y[1:])
scatter_reduce_(1, at([[1, 1, 1]]), y[:1, :3], 'prod') | scatter_reduce_(1, at([[1, 1, 1]]), y[:1, :3], 'amin') | scatter_reduce_(1, at([[1, 1, 1]]), y[:1, :3], 'sum', include_self=False) | scatter_reduce_(0, at([[1, 1, 1]]), y[:1, :3], 'mean')
put_(i(0, -1), v[:2]) | put_(i(1, 1), v[:2], accumulate=True) | masked_scatter_(lib.tensor(np.arange(12).reshape(3, 4) % 3 == 0), y) | masked_fill_(lib.tensor(np.arange(4) % 2 == 0), s) | tril_(1) | triu_()
transpose_(0, 1) | t_() | swapaxes_(0, 1) | swapdims_(-1, 0) | squeeze_() | unsqueeze_(1) | as_strided_((2, 2), (1, 2), 1)
"""  # noqa: E501

ERRORS = """
x.index_add(0, i(0, 3), y) | x.index_add(0, i(0, -1), y) | x.index_add(0, i(0), y) | x.index_add(0, at([[0, 1]]), y) | x.index_add(2, i(0, 1), y) | x.index_add(0, i(0, 1), y.float()) | x.index_add(0, t(0., 1.), y)
x.index_copy(0, i(0, -1), y) | x.index_copy(0, i32(0, 1), y) | x.index_copy(0, i(0), y) | x.index_fill(0, i(3), 1.0) | x.index_fill(0, i(-4), 1.0) | x.index_fill(0, i32(0), 1.0) | x.index_fill(0, i(0), v) | x.index_put((i(3),), s) | x.index_put((i(-4),), s)
x.index_put(i(0), s) | x.index_put((i(0),), i(1)) | x.index_put((t(0.),), s) | x.index_put((i(0), i(0), i(0)), s) | x.index_reduce(0, i(0, 1), y, 'sum') | x.index_reduce(0, i(0, 5), y, 'prod') | x.scatter(0, at([[3]]), 1.0) | x.scatter(0, at([[-1]]), 1.0)
x.scatter(0, i(0), 1.0) | x.scatter(0, at([[0, 0, 0]]), y[:, :2]) | x.scatter(0, at([[0]]), at([[1]])) | x.scatter(0, at([[0]]), y, reduce='mean') | x.scatter(0, lib.tensor([[True]]), 1.0) | x.scatter_add(1, at([[4]]), y) | x.scatter_add(0, at([[0] * 5]), y)
x.scatter_reduce(0, at([[0]]), y, 'median') | x.scatter_reduce(0, at([[7]]), y, 'amax') | x.take(i(12)) | x.take(i(-13)) | x.take(i32(0)) | x.put(i(12), t(1.)) | x.put(i(0), t(1., 2.)) | x.put(i(0), i(1)) | lib.zeros(0).take(i(0))
x.take_along_dim(i(12)) | x.take_along_dim(i(0), 0) | x.take_along_dim(t(0.)) | x.gather(0, at([[3]])) | x.gather(0, at([[-1]])) | x.gather(0, i(0)) | x.gather(0, at([[0, 0, 0, 0, 0]])) | x.gather(5, at([[0]]))
x.masked_scatter(x < 100, v) | x.masked_scatter(i(0), v) | x.masked_scatter(x > 0, i(1)) | x.masked_fill(x > 0, v) | x.masked_fill(i(1), 1) | x.masked_fill(x > 0, 1j) | x.masked_select(i(1)) | x.index_select(0, i(3)) | x.index_select(0, i(-1)) | x.index_select(0, at([[0]]))
x.index_select(0, t(0.)) | x.narrow(0, 4, 0) | x.narrow(0, 1, 3) | x.narrow(0, 0, -1) | s.narrow(0, 0, 0) | x.select(0, 3) | x.select(0, -4) | x.select(2, 0) | s.select(0, 0) | x.select_scatter(v, 0, 3) | x.select_scatter(y, 0, 1) | x.slice_scatter(y, 0, 1, 2)
c[5, :, i(0)] | c[0, i(5)] | c[..., ..., 0] | x[0.5:2] | x[0, 0, i(0)] | x[0, m(True, False)] | lib.where(i(1), x, s) | lib.where(v, x, s) | lib.where(x > 0, x) | x.where(x > 0) | x.where(i(1), x) | x.where(1, x)
x.diagonal_scatter(v) | x.unfold(0, 4, 1) | x.unfold(0, 1, 0) | x.unfold(2, 1, 1) | x.unfold(0, -1, 1) | x.as_strided((2,), (-1,)) | x.as_strided((13,), (1,)) | x.as_strided((2, 2), (1,)) | x.as_strided((1,), (1,), 12) | x.as_strided((-1,), (1,))
x.unflatten(1, (3, -1)) | x.movedim((0, 1), 0) | x.repeat(2) | x.repeat_interleave(-1) | x.repeat_interleave(i(1, 2), 0) | x.repeat_interleave(i(1, -1, 1), 0) | x.repeat_interleave(t(1., 1., 1.), 0) | x.roll((1, 2), 0) | x.roll((1, 2)) | x.rot90(1, (0, 0)) | v.rot90()
x.rot90(1, (0,)) | x.flip(0, 0) | x.flip(2) | v.fliplr() | s.flipud() | v.vsplit(2) | x.hsplit(3) | x.dsplit(1) | s.hsplit(1) | x.tensor_split(0) | s.tensor_split(1) | x.tensor_split(t(1.)) | x.split([1, 1]) | x.split(0) | lib.hstack(()) | lib.vstack((x, y[:, :2]))
lib.block_diag(c) | lib.cartesian_prod(x, v) | lib.combinations(x) | lib.combinations(v, -1) | lib.meshgrid(x, v) | lib.meshgrid(v, v, indexing='yx') | lib.broadcast_tensors(x, v[:3]) | lib.broadcast_shapes((2,), (3,)) | lib.broadcast_to(x, (4,)) | F.pad(x, (1,))
F.pad(c, (4, 0), mode='reflect') | F.pad(c, (5, 0), mode='circular') | F.pad(v, (1, 1), mode='reflect') | F.pad(x, (1, 1), mode='mirror') | c.diag() | s.diag() | x.diag_embed(0, 1, 1) | c.trace() | v.trace() | v.tril() | x.kthvalue(5) | x.kthvalue(0)
x.topk(5) | lib.searchsorted(x, v) | lib.searchsorted(v, v, side='left', right=True) | lib.searchsorted(v, v, side='top') | lib.bucketize(v, x) | lib.unique(x, dim=3) | x.unsqueeze(3) | x.squeeze(2) | x.transpose(0, 2) | x.permute(0, 0) | x.expand(4, 4) | lib.stack((x, y))
lib.unravel_index(t(1.), (2,)) | lib.nonzero_static(x, size=-1)
x.t_() | x.resize_(2) | (x * 1).resize_(2) | x[0].unsqueeze_(0) | x.index_add_(0, i(0), x[:1]) | c.detach().t_()
"""  # noqa: E501

VIEWS = """
x.unfold(1, 2, 1) | x.as_strided((2, 2), (1, 2), 1) | x.select(0, 1) | x.narrow(1, 1, 2) | x.diagonal() | x.movedim(0, 1) | x.swapaxes(0, 1) | x.flip(0) | x.roll(1) | x.rot90() | x.ravel() | x.t().ravel() | x.diag() | v.diag() | x.take(i(0)) | x.tile(1) | x.repeat(1, 1)
lib.atleast_2d(v) | lib.atleast_1d(v) | x.tensor_split(2)[0] | x.hsplit(2)[1] | lib.hstack((x,)) | lib.broadcast_tensors(x, v)[1] | lib.meshgrid(v, v, indexing='ij')[0] | x.repeat_interleave(1) | x.narrow_copy(0, 0, 3) | x.index_select(0, i(0)) | x.diag_embed() | x.split(2)[0]
x.unflatten(1, (2, 2)) | x.expand_as(c) | x.squeeze() | x.view_as(x) | x.reshape_as(x.t()) | x.masked_fill(x > 9, 0) | lib.select_copy(x, 0, 0) | lib.msort(x) | x.sort()[0] | x.rot90(4) | F.pad(c, (0, 0), mode='replicate') | lib.cartesian_prod(v)
"""  # noqa: E501


def cases(table):
    return [text.strip() for line in table.strip().splitlines() for text in line.split(" | ")]


@pytest.mark.parametrize("text", cases(SMOOTH))
def test_values_and_gradients(text):
    found = []
    for lib in (tapegrad, torch):
        scene = Scene(lib)
        out = scene.run(text)
        found.append((out, *gradients(scene, [t for t in tensors(out) if hasattr(t, "requires_grad")])))
    (ours, first, second), (theirs, want, want2) = found
    same(ours, theirs, text)
    compare_gradients(first, want, f"{text}: gradient")
    compare_gradients(second, want2, f"{text}: second order")


@pytest.mark.parametrize("kind", ["float64", "int64", "bool"])
@pytest.mark.parametrize("text", cases(PLAIN))
def test_values_of_other_types(text, kind):
    try:
        want = Scene(torch, kind, grad=False).run(text)
    except Exception:
        pytest.skip("PyTorch has no such operation of this type")
    same(Scene(tapegrad, kind, grad=False).run(text), want, text)


def written(lib, text, where):
    """What a write in place leaves, the versions it took, and the gradients; ``where``: a whole tensor or a view."""
    scene = Scene(lib)
    base = lib.cat([scene.leaves["x"], scene.leaves["x"] * 2]) * 1.5
    other = base[1:4]
    target = base.narrow(0, 0, 3) if where == "view" else scene.leaves["x"] * 1.5
    before = target._version
    out = eval(f"target.{text}", {**scene.names, "target": target, "np": np})
    assert out is target
    results = [target, base, other]
    return results, target._version - before, gradients(scene, results)


@pytest.mark.parametrize("where", ["whole", "view"])
@pytest.mark.parametrize("text", cases(IN_PLACE))
def test_in_place(text, where):
    (ours, steps, grads), (theirs, want, grads2) = (written(lib, text, where) for lib in (tapegrad, torch))
    same(ours, theirs, text)
    assert steps == want, f"{text}: the version grew by {steps}, PyTorch's by {want}"
    for mine, other in zip(grads, grads2):
        compare_gradients(mine, other, text)


# Statements on c, which is no leaf here; each is judged by c, r and the gradients
WRITTEN = """
c[0, :, i(0, 1)] = x[:, :2] | c[0, :, i(0, 1)] = v[:2] | c[0, ..., [0, 1]] *= 2 | c[at(1), :, i(2, 0)] = s | c[0, None, i(0, 1)] = y | c[1, :, m(True, False, True, True)] = x[:, 1:] | c[i(0, 1), :, 0] = x.t()[:2, :3]
c[0, True] = x | c[True] = s | c[0, i(1)] = v[None, None] | c[[0, slice(0, 2)]] = y | c[..., 0, ...] = y[:, :3] | c[:1] += 1 | c[0:1] *= s | c[:1, :1] = c[:1, :1] | c[None] += 1 | c[...] = c[0] | c[()] = c[0] | c[:] = c[1:]
c[:, :2] = c[0, 0] | c[1] = c[1:] | c[...] = c[0, 0, 0] | c[0] = c[1] | c.unfold(2, 2, 2).mul_(x[0, 0]) | c.as_strided((2, 2), (3, 2)).mul_(s) | r.unfold(0, 3, 1).fill_(s) | r.unfold(0, 3, 1)[:] = 2 | r[1:].unfold(0, 2, 1).zero_()
r.div_(2.0).add_(1) | r.div_(v.detach()).add_(1) | r.div_(v).add_(1) | r.erfinv_().add_(1) | r.detach().div_(2) | v.detach().clone().div_(r).add_(1)
"""  # noqa: E501


def after(lib, text):
    scene = Scene(lib)
    names = {**scene.names, "c": scene.leaves["c"] * 1, "r": scene.leaves["v"].tanh() * 0.5}
    exec(text, names)
    results = [names["c"], names["r"]]
    return results, gradients(scene, results)


@pytest.mark.parametrize("text", cases(WRITTEN))
def test_written(text):
    (ours, grads), (theirs, want) = (after(lib, text) for lib in (tapegrad, torch))
    same(ours, theirs, text)
    for mine, other in zip(grads, want):
        compare_gradients(mine, other, text)


NOT_WRITTEN = """
c[1:] = c[:1].expand(2, 3, 4)[:1].transpose(1, 2) | c[0] = x.t() | r[1:] = r[:3] | c[0, :, i(0, 1)] = x[:2] | r.expand(3, 4)[:] = 1 | x[0, i(0)] = 1
w = c.unbind()[0]; c.add_(1); w + 1 | w = c.split(1)[0][0]; c[0] = 2; w.sum().backward() | w = list(c)[1]; c.add_(1); w.grad_fn | w = c.chunk(2)[0]; w.add_(1) | r.exp_().add_(1); r.sum().backward()
"""  # noqa: E501


@pytest.mark.parametrize("text", cases(NOT_WRITTEN))
def test_not_written(text):
    for lib in (torch, tapegrad):
        with pytest.raises((RuntimeError, IndexError, ValueError)):
            after(lib, text)


def test_a_view_made_with_others_after_its_base_was_written():
    for lib in (tapegrad, torch):
        c = lib.ones(2, 3, requires_grad=True) * 1
        v, w = c.unbind()[0], c.tensor_split(2)[0]
        c.add_(1)
        assert v.requires_grad
        assert v.detach().tolist() == v.tolist() == [2.0, 2.0, 2.0]
        assert repr(v) == "tensor([2., 2., 2.], grad_fn=<Invalid>)"
        assert (w + 1).tolist() == [[3.0, 3.0, 3.0]]


@pytest.mark.parametrize("text", ["r.unfold(0, 3, 1).add_(1)", "r.as_strided((2, 2), (1, 1)).mul_(2)"])
def test_an_operation_in_place_refuses_elements_that_are_one_place(text):
    """PyTorch runs it on the same place several times over; see docs/views.md."""
    with pytest.raises(RuntimeError, match="several of its elements are one place in memory; write to a clone"):
        after(tapegrad, text)


@pytest.mark.parametrize("text", ["v[1:].unfold(0, 2, 1)", "c[1:].unfold(0, 1, 1)", "c[1:, 1]", "c[1].t()[2:]", "c"])
def test_storage_offset(text):
    ours, theirs = (Scene(lib).run(text) for lib in (tapegrad, torch))
    assert ours.storage_offset() == theirs.storage_offset()
    assert ours.untyped_storage().nbytes() == theirs.untyped_storage().nbytes()


@pytest.mark.parametrize("text", cases(ERRORS))
def test_refused(text):
    with pytest.raises((RuntimeError, IndexError, ValueError, TypeError)):
        Scene(torch).run(text)
    with pytest.raises((RuntimeError, IndexError, ValueError, TypeError), match=r"\w+: |\w+\(.*\): "):
        Scene(tapegrad).run(text)


OUT_OF_RANGE = {
    "x.index_add(0, i(0, 3), y)": r"^index_add: .*dim 0 of size 3",
    "x.index_copy(1, i(4), x[:, :1])": r"^index_copy: .*dim 1 of size 4",
    "x.index_fill(0, i(-4), 1.0)": r"^index_fill: .*dim 0 of size 3",
    "x.index_select(1, i(-1))": r"^index_select: .*dim 1 of size 4",
    "x.scatter(0, at([[3]]), 1.0)": r"^scatter: .*dim 0 of size 3",
    "x.scatter_add(1, at([[4]]), y)": r"^scatter_add: .*dim 1 of size 4",
    "x.scatter_reduce(0, at([[-1]]), y, 'amax')": r"^scatter_reduce: .*dim 0 of size 3",
    "x.gather(0, at([[-1]]))": r"^gather: .*dim 0 of size 3",
    "x.take(i(12))": r"^take: .*of size 12",
    "x.put(i(-13), t(1.))": r"^put: .*of size 12",
    "x.select(0, 3)": r"^select: .*dim 0 of size 3",
    "x.take_along_dim(at([[4]]), 1)": r"^take_along_dim: .*dim 1 of size 4",
    "x.narrow(0, 1, 3)": r"^narrow: .*size 3 of dim 0",
}


@pytest.mark.parametrize("text", OUT_OF_RANGE)
def test_an_index_out_of_range_is_told_with_operation_dimension_and_size(text):
    with pytest.raises((IndexError, RuntimeError), match=OUT_OF_RANGE[text]):
        Scene(tapegrad).run(text)


@pytest.mark.parametrize("text", cases(VIEWS))
def test_views_and_copies(text):
    shared = []
    for lib in (tapegrad, torch):
        scene = Scene(lib, grad=False)
        out = scene.run(text)
        shared.append(any(np.shares_memory(out.numpy(), t.numpy()) for t in scene.leaves.values()))
    assert shared[0] == shared[1], f"{text}: {'a view' if shared[0] else 'a copy'}, unlike PyTorch's"


def test_products_of_several_zeros():
    found = []
    for lib in (tapegrad, torch):
        x, src = lib.tensor([2.0, 0.0, 3.0]).requires_grad_(), lib.tensor([0.0, 0.0, 4.0, 0.0]).requires_grad_()
        out = x.scatter_reduce(0, lib.tensor([0, 0, 1, 2]), src, "prod")
        (out * lib.tensor([1.0, 2.0, 3.0])).sum().backward()
        found.append((out.tolist(), x.grad.tolist(), src.grad.tolist()))
    assert found[0] == found[1]


def test_resize():
    for lib in (tapegrad, torch):
        x = lib.arange(6.0)
        y = x[1:]
        assert x.resize_(2, 2) is x
        assert x.tolist() == [[0.0, 1.0], [2.0, 3.0]]
        assert y.resize_(3).tolist() == [1.0, 2.0, 3.0]
        x.mul_(2)
        assert y.tolist() == [2.0, 4.0, 6.0]
        assert x.resize_(6).tolist() == [0.0, 2.0, 4.0, 6.0, 4.0, 5.0]  # the memory behind is still there
        grown = lib.arange(3.0).resize_(2, 3)
        assert grown.shape == (2, 3)
        assert grown[0].tolist() == [0.0, 1.0, 2.0]
        assert lib.zeros(4).resize_as_(lib.zeros(2, 1)).shape == (2, 1)


def test_views_follow_a_base_that_was_transposed_in_place():
    rows = []
    for lib in (tapegrad, torch):
        x = lib.arange(6.0, dtype=lib.float64).reshape(2, 3).requires_grad_()
        y = x * 2
        row = y[0]
        y.t_()
        y.mul_(y.detach().clone())
        row.add_(1)
        ((row * row).sum() + (y * lib.arange(6.0, dtype=lib.float64).reshape(3, 2)).sum()).backward()
        rows.append((row.tolist(), y.tolist(), x.grad.tolist()))
    assert rows[0] == rows[1]


def test_as_strided_reads_and_writes_the_memory_of_what_it_is_taken_from():
    found = []
    for lib in (tapegrad, torch):
        x = lib.arange(12.0, dtype=lib.float64).requires_grad_()
        y = (x * 1)[2:8]
        z = y.as_strided((2, 2), (3, 1), 4)
        z.mul_(10)
        ((y * y).sum() + (z * z).sum()).backward()
        found.append((z.storage_offset(), z.stride(), y.tolist(), z.tolist(), x.grad.tolist()))
    assert found[0] == found[1]
