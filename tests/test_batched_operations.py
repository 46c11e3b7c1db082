"""Every public operation, and indices of every form, under vmap: what a loop over the batch gives."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.autograd import PUBLIC, Tensor
from tapegrad.autograd.tree import flatten

SIZE = 3
X, Y = (np.random.default_rng(k).normal(size=(SIZE, 4, 4)) for k in range(2))
IDS = np.abs(X.astype(np.int64)) % 4
ARGUMENTS = (
    (X,), (X, Y), (X, 1), (X, 0, 1), (IDS,), (IDS, IDS), (X > 0,), (X > 0, X, Y), (X, 0, IDS), (X, 0, IDS, Y),
    ([X, Y],),
)  # fmt: skip
DRAWN = ("bernoulli", "dropout", "empty", "multinomial", "normal", "pca", "poisson", "rand", "resize", "svd_low")
# Results that depend on values, memory by strides, the way out to Python; bounds and quantiles given as batched tensors
UNMAPPED = frozenset({
    "argwhere", "as_strided", "as_strided_", "as_strided_copy", "as_tensor", "asarray", "histc", "histogram",
    "histogramdd", "matrix_exp",
    "nan_to_num", "nan_to_num_", "nonzero", "scalar_tensor", "tensor", "unique",
    "unique_consecutive", "where",
})  # fmt: skip


def outputs(tree):
    return [y.numpy() for y in flatten(tree)[0]]


def applied(function, arguments, given):
    """The operation on tensors that stand for the arrays in ``arguments``."""
    return function([*given]) if isinstance(arguments[0], list) else function(*given)


def loop(function, arguments, flat):
    """Its results for each element of the batch, stacked; None where the operation does not take such arguments."""
    try:
        each = []
        for i in range(SIZE):
            out = applied(function, arguments, [tg.tensor(a[i]) if isinstance(a, np.ndarray) else a for a in flat])
            if not all(isinstance(y, Tensor) for y in flatten(out)[0]):
                return None
            each.append(outputs(out))
        return [np.stack(column) for column in zip(*each, strict=True)]
    except Exception:  # arguments of every form are tried, most do not suit
        return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(n for n in PUBLIC if not n.startswith(DRAWN)))
def test_an_operation_gives_what_a_loop_gives(name):
    function = getattr(tg, name)
    for arguments in ARGUMENTS:
        flat = arguments[0] if isinstance(arguments[0], list) else arguments
        with np.errstate(all="ignore"):
            want = loop(function, arguments, flat)
            if want is None:
                continue
            dims = tuple(0 if isinstance(a, np.ndarray) else None for a in flat)
            given = [tg.tensor(a) if isinstance(a, np.ndarray) else a for a in flat]
            try:
                got = outputs(tg.vmap(lambda *a, arguments=arguments: applied(function, arguments, a), dims)(*given))
            except RuntimeError:
                if name in UNMAPPED:
                    continue
                raise
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            assert g.dtype == w.dtype
            np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-12)


# Indices: integers, slices, new axes, and index tensors of which some are batched, in any order


def random_key(rng, shape):
    parts = []
    common = tuple([2, 3][: rng.choice([0, 1, 1, 2])])
    for axis in range(rng.integers(1, len(shape) + 1)):
        kind = rng.choice(list("ttbbsin"))
        if kind == "n":
            parts.append(("n", None))
            kind = rng.choice(list("tbs"))
        if kind == "s":
            parts.append(("s", slice(int(rng.integers(0, 2)), None, [None, 2][rng.integers(2)])))
        elif kind == "i":
            parts.append(("i", int(rng.integers(-shape[axis], shape[axis]))))
        else:
            each = [common, common[-1:], ()][rng.integers(3)]
            full = (SIZE, *each) if kind == "b" else each
            parts.append((kind, rng.integers(-shape[axis], shape[axis], size=full)))
    return parts


def key_of(parts, batched):
    each = iter(batched)
    return tuple(next(each) if k == "b" else tg.tensor(v) if k == "t" else v for k, v in parts)


def sliced(array, k):
    return tg.tensor(array[k])


@pytest.mark.parametrize("seed", range(8))
def test_indices(seed):
    rng, checked = np.random.default_rng(seed), 0
    while checked < 25:
        shape = tuple(int(n) for n in rng.choice([2, 3, 4], size=rng.integers(1, 5)))
        over = rng.random() < 0.7  # whether what is indexed is batched
        parts = random_key(rng, shape)
        batched = [v for k, v in parts if k == "b"]
        if not (over or batched) or all(k not in "tb" for k, _ in parts):
            continue
        x = rng.normal(size=(SIZE, *shape) if over else shape)
        check_index(parts, batched, x, over, rng)
        checked += 1


def check_index(parts, batched, x, over, rng):
    dims = (0 if over else None, *[0] * len(batched))
    tensors = [tg.tensor(b) for b in batched]

    def element(k):
        return (sliced(x, k) if over else tg.tensor(x)), [sliced(b, k) for b in batched]

    def read(t, *b):
        return t[key_of(parts, b)]

    def written(t, v, *b):
        y = t + v.sum() * 0 + sum(i.sum() * 0 for i in b)  # batched wherever something is
        y[key_of(parts, b)] = v
        return y

    want = np.stack([read(e, *b).numpy() for e, b in map(element, range(SIZE))])
    leaf = tg.tensor(x, requires_grad=True)
    got = tg.vmap(read, dims)(leaf, *tensors)
    np.testing.assert_array_equal(got.detach().numpy(), want, err_msg=str(parts))
    w = rng.normal(size=want.shape)

    def slope(t, v, *b):
        return tg.func.grad(lambda u: (read(u, *b) * v).sum())(t)

    each = np.stack([slope(e, sliced(w, k), *b).numpy() for k in range(SIZE) for e, b in [element(k)]])
    (outside,) = tg.autograd.grad(got, leaf, tg.tensor(w))
    np.testing.assert_allclose(outside.numpy(), each if over else each.sum(0), atol=1e-12, err_msg=str(parts))
    inside = tg.vmap(slope, (dims[0], 0, *dims[1:]))(tg.tensor(x), tg.tensor(w), *tensors)
    np.testing.assert_allclose(inside.numpy(), each, atol=1e-12, err_msg=str(parts))
    for v, dim in ((w, 0), (w[0], None)):
        try:
            after = tg.vmap(written, (dims[0], dim, *dims[1:]))(tg.tensor(x), tg.tensor(v), *tensors) if (
                over or dim == 0 or batched) else None  # fmt: skip
        except RuntimeError as error:
            if "a batched index of no dimension apart from other indices" not in str(error):
                raise
            continue
        one = [written(e, sliced(v, k) if dim == 0 else tg.tensor(v), *b).numpy()
               for k in range(SIZE) for e, b in [element(k)]]  # fmt: skip
        if after is not None:
            np.testing.assert_array_equal(after.numpy(), np.stack(one), err_msg=str(parts))


def test_writes_inside_a_map_are_on_the_tape_outside():
    x = tg.tensor(X, requires_grad=True)

    def program(t):
        y = t * 2
        y[1:] *= t[:-1]
        y[0].add_(t.sum())
        y.T[2].copy_(t[3].exp())
        return y

    mapped = tg.vmap(program)(x)
    each = tg.stack([program(row) for row in x])
    np.testing.assert_allclose(mapped.detach().numpy(), each.detach().numpy(), rtol=1e-12)
    g = tg.tensor(Y)
    for a, b in zip(tg.autograd.grad(mapped, x, g), tg.autograd.grad(each, x, g), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_a_batch_of_none():
    out = tg.vmap(lambda t: (t * 2).sum(0))(tg.zeros(0, 4, 5))
    assert out.shape == (0, 5)


def test_functional_derivatives_inside_a_map():
    """By a tensor that is not batched, of a function that also sees one that is."""
    w, x = tg.tensor(Y[0]), tg.tensor(X)

    def value(u, row):
        return ((u @ row).tanh() ** 2).sum()

    for name in ("jacobian", "hessian"):
        derivative = getattr(tg.autograd.functional, name)
        mapped = tg.vmap(lambda row, d=derivative: d(lambda u: value(u, row), w))(x)
        each = tg.stack([derivative(lambda u, row=row: value(u, row), w) for row in x])
        np.testing.assert_allclose(mapped.numpy(), each.numpy(), rtol=1e-9, atol=1e-12)


def test_nothing_is_recorded_under_no_grad():
    w = tg.tensor(Y[0], requires_grad=True)
    with tg.no_grad():
        out = tg.vmap(tg.func.grad(lambda row: ((w @ row) ** 2).sum()))(tg.tensor(X))
    assert not out.requires_grad
    out = tg.vmap(tg.func.grad(lambda row: ((w @ row) ** 2).sum()))(tg.tensor(X))
    assert out.requires_grad
