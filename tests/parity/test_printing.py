"""Tensors print as PyTorch's do, to the character, with ``torch.`` for ``tapegrad.``."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tapegrad

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip


@pytest.fixture(autouse=True)
def plain_options():
    yield
    for lib in (tapegrad, torch):
        lib.set_printoptions(profile="default")


def texts(make, **options):
    """What both libraries print, PyTorch's with our name in it."""
    found = []
    for lib in (tapegrad, torch):
        lib.set_printoptions(profile="default")
        lib.set_printoptions(**options)
        found.append(repr(make(lib)))
    return found[0], found[1].replace("torch.", "tapegrad.")


def same(make, **options):
    ours, theirs = texts(make, **options)
    assert ours == theirs


def numbers():
    plain = st.floats(-1e4, 1e4, width=32)
    whole = st.integers(-(10**6), 10**6).map(float)
    small = st.floats(-1e-6, 1e-6)
    odd = st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, 1e8, 99999.0, 123456.789, 1e-4])
    return st.one_of(plain, whole, small, odd, st.just(0.0))


shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9)
options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8), "threshold": st.integers(0, 40), "edgeitems": st.integers(0, 4),
        "linewidth": st.integers(20, 120), "sci_mode": st.booleans(),
    },
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(DTYPES), shapes, options)
def test_any_tensor(data, dtype, shape, chosen):
    kinds = st.one_of(
        numbers(), st.integers(-100, 100).map(float), st.floats(-1, 1, width=32), st.sampled_from([0.0, math.nan, 2.0])
    )
    array = data.draw(arrays.arrays(np.float64, shape, elements=kinds, fill=st.just(0.5)))
    if dtype.startswith("complex"):
        array = array + 1j * data.draw(arrays.arrays(np.float64, shape, elements=kinds, fill=st.just(1.0)))
    elif "int" in dtype or dtype == "bool":
        array = np.nan_to_num(array, posinf=5, neginf=-5).clip(0 if dtype == "uint8" else -100, 100)
    elif dtype.endswith("16"):
        array = array.astype(np.float32)  # PyTorch rounds to half precision twice
    same(lambda lib: lib.tensor(array).to(getattr(lib, dtype)), **chosen)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 0), (3,), (40,), (1001,), (30, 40), (7, 20, 9), (2, 1, 3, 2)])
def test_shapes_and_types(dtype, shape):
    size = math.prod(shape)
    same(lambda lib: (lib.arange(size) * 0.37 - 3 if dtype != "uint8" else lib.arange(size) % 7).reshape(shape).to(
        getattr(lib, dtype)))  # fmt: skip


@pytest.mark.parametrize("profile", ["default", "short", "full"])
def test_profiles(profile):
    same(lambda lib: (lib.arange(1200) * 0.37 - 3).reshape(2, 600), profile=profile)


def test_unknown_profile():
    with pytest.raises(ValueError, match="profile"):
        tapegrad.set_printoptions(profile="loud")


def test_default_dtype_is_not_named():
    for lib in (tapegrad, torch):
        lib.set_default_dtype(lib.float64)
    try:
        same(lambda lib: lib.tensor([1.5]))
        same(lambda lib: lib.tensor([1.5 + 1j]))
        same(lambda lib: lib.tensor([1.5], dtype=lib.float32))
        same(lambda lib: lib.zeros(0, dtype=lib.float32))
    finally:
        for lib in (tapegrad, torch):
            lib.set_default_dtype(lib.float32)


def test_negative_zero_imaginary_part():
    same(lambda lib: lib.tensor(complex(0.5, -0.0)))
    same(lambda lib: lib.tensor([complex(0.5, -0.0), complex(-0.0, 0.0)]))


def test_parameter_subclass_and_leaf():
    same(lambda lib: lib.nn.Parameter(lib.ones(2, 3)))
    same(lambda lib: lib.ones(2, 3, requires_grad=True))
    same(lambda lib: lib.ones(3, 70, dtype=lib.float64, requires_grad=True))

    def subclass(lib):
        class Special(lib.Tensor):
            pass

        return lib.ones(2).as_subclass(Special)

    same(subclass)


STEPS = {
    "arithmetic": lambda lib, x: [x + 1, x + x, x - 1, 1 - x, x * 2, x / 2, 1 / x, -x, x**2, x**3, x**x, 2**x, x**0.5],
    "functions": lambda lib, x: [
        x.exp(), x.log(), x.sqrt(), x.rsqrt(), x.square(), x.tanh(), x.sigmoid(), x.relu(), x.abs(), x.sign(),
        x.reciprocal(), x.erf(), x.floor(), x.round(), x.clamp(0.5), x.clamp_min(0.5), x.clamp_max(0.5),
        x.remainder(2), x.remainder(x), x.fmod(2), lib.maximum(x, x * 1), lib.where(x > 1, x, 0.0),
        x.div(2, rounding_mode="floor"), x.lerp(x, 0.5), x.addcmul(x, x), x.addcdiv(x, x),
    ],
    "reductions": lambda lib, x: [
        x.sum(), x.sum(0), x.mean(), x.mean(1), x.prod(), x.prod(0), x.max(), x.max(0).values, x.min(), x.min(1)[0],
        x.amax(0), x.amin(), x.std(), x.var(0), x.norm(), x.norm(dim=1), x.logsumexp(0), x.softmax(0),
        x.log_softmax(1), x.cumsum(0), x.sort()[0], x.topk(1)[0],
    ],
    "views": lambda lib, x: [
        x.view(9), x.reshape(9), x.flatten(), x.t().reshape(9), x.unflatten(1, (3, 1)), x.t(), x.T, x.mT,
        x.transpose(0, 1), x.permute(1, 0), x.movedim(0, 1), x.squeeze(), x.squeeze(0), x.unsqueeze(0),
        x.expand(2, 3, 3), x.broadcast_to((2, 3, 3)), x.select(0, 1), x.narrow(0, 0, 1), x.split(2)[0], x.chunk(2)[1],
        x.unbind()[0], x.diagonal(), x[0], x[1:], x[None], x[0, 1:], x[1:, 0], x[:, None, 1], x[[0, 1]], x[x > 0],
        x[0, :], x[:, 1:], x.detach().requires_grad_()[...],
    ],
    "copies": lambda lib, x: [
        x.clone(), x.double(), x.t().contiguous(), x.repeat(2, 2), x.flip(0), x.roll(1, 0), x.tril(), x.triu(),
        lib.cat([x, x]), lib.stack([x, x]), x.gather(0, lib.tensor([[0, 1, 2]])), x.masked_fill(x > 1, 0.0),
        x.masked_select(x > 1), x.index_select(0, lib.tensor([0])), lib.nn.functional.pad(x, (1, 1)),
    ],
    "products": lambda lib, x: [
        x @ x, lib.mm(x, x), x @ x[0], x[0] @ x[0], lib.addmm(x, x, x), x[None].bmm(x[None]),
        lib.nn.functional.linear(x, x), lib.nn.functional.linear(x, x, x[0]),
    ],
    "losses": lambda lib, x: [
        lib.nn.functional.mse_loss(x, x.detach()), lib.nn.functional.cross_entropy(x, lib.tensor([0, 1, 2])),
        lib.nn.functional.gelu(x), lib.nn.functional.silu(x), lib.nn.functional.softplus(x),
        lib.nn.functional.leaky_relu(x),
    ],
}  # fmt: skip


@pytest.mark.parametrize("group", STEPS)
def test_names_of_steps(group):
    names = []
    for lib in (tapegrad, torch):
        x = (lib.arange(9.0).reshape(3, 3) + 1).requires_grad_()
        names.append([y.grad_fn.name() for y in STEPS[group](lib, x)])
    assert names[0] == names[1]


def test_names_of_writes():
    def names(lib):
        x = lib.ones(3, requires_grad=True)
        found = []
        for write in (
            lambda y: y.add_(1), lambda y: y.zero_(), lambda y: y.fill_(1.0), lambda y: y.copy_(x),
            lambda y: y.__setitem__(0, 1.0), lambda y: y[0].mul_(2), lambda y: y.__setitem__([0], x[1:2]),
        ):  # fmt: skip
            y = x * 1
            write(y)
            found.append(y.grad_fn.name().rpartition("::")[2])
        return found

    assert names(tapegrad) == names(torch)


def test_names_survive_backward():
    x = tapegrad.ones(3, requires_grad=True)
    y = x[0] * 2
    y.backward()
    assert y.grad_fn.name() == "MulBackward0"
    assert repr(y) == "tensor(2., grad_fn=<MulBackward0>)"
    assert y.grad_fn.next_functions[0][0].name() == "SelectBackward0"
