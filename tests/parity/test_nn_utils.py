"""`nn.utils` against PyTorch: parametrizations, fusing, vectors of parameters, norms; the old names of `nn.init`."""

from __future__ import annotations

import pytest

import tapegrad as tg

from .module_pairs import all_near, both, near

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


class Symmetric(tg.nn.Module):
    """Halves of ours and of PyTorch's test: the upper triangle decides."""

    def forward(self, x):
        return x.triu() + x.triu(1).transpose(-1, -2)

    def right_inverse(self, x):
        return x.triu()


class SymmetricThere(torch.nn.Module):
    forward, right_inverse = Symmetric.forward, Symmetric.right_inverse


def test_parametrizations_register_assign_and_go():
    def build(lib):
        kind = Symmetric if lib is tg else SymmetricThere
        tools, model, twin = lib.nn.utils.parametrize, lib.nn.Linear(3, 3), lib.nn.Linear(3, 3)
        for m in (model, twin):
            tools.register_parametrization(m, "weight", kind())
        x, given = lib.randn(2, 3), lib.arange(9.0).reshape(3, 3)
        found = [model(x)]
        model.weight = given + given.t()
        found += [model.weight, model.parametrizations.weight.original]
        with tools.cached():
            same = model.weight is model.weight
        names = [type(model).__name__, [n for n, _ in model.named_parameters()], same, tools.is_parametrized(model)]
        found.append(tools.remove_parametrizations(model, "weight").weight)
        found.append(tools.remove_parametrizations(twin, "weight", leave_parametrized=False).weight)
        return found, [*names, type(model).__name__, [n for n, _ in model.named_parameters()], repr(twin)]

    ours, theirs = both(build)
    all_near(ours[0], theirs[0])
    assert [str(n).replace("There", "") for n in ours[1]] == [str(n).replace("There", "") for n in theirs[1]]


def test_the_newer_weight_norm_loads_what_the_older_one_saved():
    def build(lib):
        old = lib.nn.utils.weight_norm(lib.nn.Linear(3, 2))
        new = lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(3, 2))
        keys = repr(new.load_state_dict(old.state_dict()))
        return [new.weight, old.weight], keys

    ours, theirs = both(build)
    all_near(ours[0], theirs[0])
    assert ours[1] == theirs[1]


def test_assigning_an_orthogonal_weight():
    def build(lib):
        found = []
        for sizes, options in (((4, 4), {}), ((4, 3), {}), ((3, 4), {"use_trivialization": False})):
            model = lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(*sizes), **options)
            q = lib.linalg.qr(lib.randn(max(sizes), min(sizes)))[0]
            model.weight = q if q.shape == model.weight.shape else q.T
            found += [model.weight, q]
        return found

    all_near(*both(build))


UTILITIES = {
    "vector": lambda lib, model, x: [lib.nn.utils.parameters_to_vector(model.parameters())],
    "vector back": lambda lib, model, x: [
        lib.nn.utils.vector_to_parameters(
            lib.arange(float(sum(p.numel() for p in model.parameters()))), model.parameters()
        )
        or model[0].weight
    ],
    "fused": lambda lib, model, x: [lib.nn.utils.fuse_conv_bn_eval(model[0], model[1])(x), model[:2](x)],
    "fused transposed": lambda lib, model, x: [
        lib.nn.utils.fuse_conv_bn_eval(lib.nn.ConvTranspose2d(3, 4, 2).eval(), model[1], transpose=True)(x)
    ],
    "fused linear": lambda lib, model, x: [
        lib.nn.utils.fuse_linear_bn_eval(lib.nn.Linear(5, 4, bias=False).eval(), lib.nn.BatchNorm1d(4).eval())(
            lib.ones(2, 5)
        )
    ],
    "total norm": lambda lib, model, x: [
        lib.nn.utils.get_total_norm(list(model.parameters())),
        lib.nn.utils.get_total_norm([x, 2 * x], float("inf")),
    ],
    "clip by norm": lambda lib, model, x: [
        model(x).square().sum().backward()
        or lib.nn.utils.clip_grads_with_norm_(model.parameters(), 0.5, lib.tensor(3.0))
        or model[0].weight.grad
    ],
}


@pytest.mark.parametrize("name", UTILITIES)
def test_utilities(name):
    def build(lib):
        model = lib.nn.Sequential(lib.nn.Conv2d(3, 4, 2), lib.nn.BatchNorm2d(4), lib.nn.ReLU())
        model(lib.randn(5, 3, 6, 6))
        return UTILITIES[name](lib, model.eval(), lib.randn(2, 3, 5, 5))

    all_near(*both(build))


def test_skip_init_draws_nothing():
    tg.manual_seed(4)
    expected = tg.rand(3)
    tg.manual_seed(4)
    module = tg.nn.utils.skip_init(tg.nn.Linear, 5, 6, dtype=tg.float64)
    assert module.weight.shape == (6, 5)
    assert module.weight.dtype is tg.float64
    assert tg.equal(tg.rand(3), expected)


OLD_INITS = ("constant", "eye", "kaiming_normal", "kaiming_uniform", "normal", "orthogonal", "sparse", "uniform",
             "xavier_normal", "xavier_uniform", "dirac")  # fmt: skip


@pytest.mark.parametrize("name", OLD_INITS)
def test_old_names_of_init_warn_and_work(name):
    further = {"constant": (2.0,), "sparse": (0.5,)}.get(name, ())
    shape = (2, 3, 3) if name == "dirac" else (4, 3)
    found = []
    for lib in (tg, torch):
        lib.manual_seed(2)
        with pytest.warns(FutureWarning):
            found.append(getattr(lib.nn.init, name)(lib.empty(*shape), *further))
    near(*found, 1e-5)
