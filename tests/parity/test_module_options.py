"""Modules and options beside PyTorch's module database, and what belongs to modules: utilities, containers, loading."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest

import tapegrad as tg

from . import module_cases

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


@pytest.fixture(params=["numpy", "numba"])
def backend(request):
    with tg.backends.use(request.param):
        yield request.param


def flat(value):
    """The tensors in a nest of tuples and lists, in order."""
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in flat(part)]
    return [value] if isinstance(value, (tg.Tensor, torch.Tensor)) else []


def near(ours, theirs, tol=2e-5):
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tol, atol=tol)


def all_near(ours, theirs, tol=2e-5):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            near(a, b, tol)


def run(lib, name, training):
    """Build a case and run it twice: what is drawn, printed, given, and all gradients."""
    build, make = module_cases.CASES[name]
    lib.manual_seed(3)
    module = build(lib.nn).train(training)
    first = {k: v.clone() for k, v in module.state_dict().items() if not name.startswith("lazy")}
    text = repr(module).replace("tapegrad.", "torch.")
    if make is None:
        return text, first, [], [], {}
    outputs, grads = [], []
    for _ in range(2):
        made = make(lib)
        inputs = made if type(made) is tuple else (made,)
        module.zero_grad()
        out = flat(module(*inputs))
        total = sum(
            (t * lib.tensor(np.cos(np.arange(t.numel())).reshape(tuple(t.shape)).astype("float32"))).sum()
            for t in out if t.requires_grad
        )  # fmt: skip
        if isinstance(total, lib.Tensor):
            total.backward()
            grads += [t.grad for t in (*flat(inputs), *module.parameters()) if t.is_leaf]
        outputs += out
    return text, first, outputs, grads, module.state_dict()


# What PyTorch gives as the gradient is not that of what it computes.
OUTPUT_ONLY = {"cross map"}


@pytest.mark.parametrize("name", module_cases.CASES)
@pytest.mark.parametrize("training", [True, False])
def test_case(name, training, backend):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = run(tg, name, training), run(torch, name, training)
    assert ours[0] == theirs[0]
    for mine, other, tol in ((ours[1], theirs[1], 1e-6), (ours[4], theirs[4], 2e-5)):
        assert list(mine) == list(other)
        all_near(list(mine.values()), list(other.values()), tol)
    all_near(ours[2], theirs[2])
    if name not in OUTPUT_ONLY:
        all_near(ours[3], theirs[3], 1e-4)


def both(build):
    results = []
    for lib in (tg, torch):
        lib.manual_seed(5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(build(lib))
    return results


# Sequences


def rows(lib):
    return [lib.arange(float(2 * n)).reshape(n, 2) + 10 * n for n in (2, 4, 1)]


SEQUENCES = {
    "pad": lambda lib, rnn: rnn.pad_sequence(rows(lib)),
    "pad left": lambda lib, rnn: rnn.pad_sequence(rows(lib), True, -1.0, padding_side="left"),
    "unpad": lambda lib, rnn: rnn.unpad_sequence(rnn.pad_sequence(rows(lib)), lib.tensor([2, 4, 1])),
    "pack": lambda lib, rnn: list(rnn.pack_sequence(rows(lib), enforce_sorted=False)),
    "pack padded": lambda lib, rnn: list(
        rnn.pack_padded_sequence(rnn.pad_sequence(rows(lib), True), [2, 4, 1], True, False)
    ),
    "back": lambda lib, rnn: rnn.pad_packed_sequence(rnn.pack_sequence(rows(lib), False)),
    "back longer": lambda lib, rnn: rnn.pad_packed_sequence(rnn.pack_sequence(rows(lib), False), True, -1.0, 6),
    "unpack": lambda lib, rnn: rnn.unpack_sequence(rnn.pack_sequence(rows(lib), False)),
    "typed": lambda lib, rnn: list(rnn.pack_sequence(rows(lib), False).double()),
    "inverse": lambda lib, rnn: rnn.invert_permutation(lib.tensor([2, 0, 1])),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name):
    ours, theirs = both(lambda lib: SEQUENCES[name](lib, lib.nn.utils.rnn))
    all_near(flat(ours), flat(theirs), 0)


def test_packing_and_padding_hand_gradients_back():
    def build(lib):
        rnn = lib.nn.utils.rnn
        x = lib.randn(4, 3, 2, requires_grad=True)
        padded, _ = rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False))
        (padded * padded).sum().backward()
        return x.grad

    near(*both(build))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(4, 2, 1), [2, 4]),
        lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(4, 2, 1), [4]),
        lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(4, 2, 1), [4, 0]),
        lambda lib: lib.nn.LSTM(3, 4)(lib.ones(2, 2, 5)),
        lambda lib: lib.nn.LSTM(3, 4)(lib.ones(2, 2, 3), (lib.ones(1, 3, 4), lib.ones(1, 3, 4))),
        lambda lib: lib.nn.GRU(3, 4)(lib.ones(2, 2, 3), lib.ones(1, 4)),
        lambda lib: lib.nn.GRU(3, 4)(lib.ones(2, 2, 2, 3)),
        lambda lib: lib.nn.GRU(3, 4, proj_size=2),
        lambda lib: lib.nn.LSTM(3, 4, proj_size=4),
        lambda lib: lib.nn.RNN(3, 4, nonlinearity="gelu"),
        lambda lib: lib.nn.LSTM(3, 4, dropout=2),
        lambda lib: lib.nn.Conv2d(3, 4, 3, groups=2),
        lambda lib: lib.nn.Conv2d(3, 4, 3, padding="some"),
        lambda lib: lib.nn.Conv2d(3, 4, 3, padding="same", stride=2),
        lambda lib: lib.nn.Conv2d(3, 4, 3, padding_mode="mirror"),
        lambda lib: lib.nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"),
        lambda lib: lib.nn.BatchNorm2d(3)(lib.ones(2, 3, 4)),
        lambda lib: lib.nn.InstanceNorm1d(3)(lib.ones(4)),
        lambda lib: lib.nn.GroupNorm(2, 3),
        lambda lib: lib.nn.MultiheadAttention(5, 2),
        lambda lib: lib.nn.TransformerEncoderLayer(4, 2, activation="tanh"),
        lambda lib: lib.nn.AdaptiveLogSoftmaxWithLoss(4, 5, [3, 2]),
        lambda lib: lib.nn.Hardtanh(1, 0),
        lambda lib: lib.nn.MultiMarginLoss(3),
        lambda lib: lib.nn.TripletMarginLoss(0.0),
        lambda lib: lib.nn.Embedding(3, 2, padding_idx=3),
        lambda lib: lib.nn.FractionalMaxPool2d(2),
        lambda lib: lib.nn.FractionalMaxPool2d(2, output_ratio=2.0),
        lambda lib: lib.nn.Dropout(1.5),
        lambda lib: lib.nn.LazyLinear(3).weight.shape,
        lambda lib: lib.nn.Linear(2, 3).load_state_dict(lib.nn.LazyLinear(3).state_dict()),
        lambda lib: lib.nn.utils.parametrize.register_parametrization(lib.nn.Linear(2, 3), "none", lib.nn.ReLU()),
        lambda lib: lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(2, 3), "bias"),
        lambda lib: lib.nn.utils.remove_weight_norm(lib.nn.Linear(2, 3)),
        lambda lib: pickle.dumps(lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(2, 3))),
        lambda lib: lib.nn.ParameterList([1])(2),
    ],
)
def test_refusals(wrong):
    found = []
    for lib in (tg, torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Exception) as caught:
                wrong(lib)
        found.append(caught.type)
    assert found[0] is found[1], f"{found}: {caught.value}"


# Parameters and buffers


def test_parameter_containers():
    def build(lib):
        plain = lib.nn.ParameterList([lib.ones(2, 3), lib.nn.Parameter(lib.zeros(4)), "text"])
        plain.append(lib.zeros(()))
        plain[0] = lib.nn.Parameter(lib.ones(1))
        named = lib.nn.ParameterDict({"b": lib.ones(2), "a": lib.nn.Parameter(lib.zeros(3, 1))})
        named.update({"c": lib.ones(1)})
        last = named.popitem()[0]
        both = named | lib.nn.ParameterDict({"z": lib.ones(5)})
        return (
            [repr(plain), repr(named), repr(both), repr(plain[1:])],
            [list(m.state_dict()) for m in (plain, named, both)],
            [len(plain), last, list(both), "a" in named, [n for n, _ in plain.named_parameters()]],
        )

    ours, theirs = both(build)
    assert [t.replace("tapegrad", "torch") for t in ours[0]] == theirs[0]
    assert ours[1:] == theirs[1:]


def test_buffers():
    def build(lib):
        module = lib.nn.Module()
        module.kept = lib.nn.Buffer(lib.ones(2))
        module.lost = lib.nn.Buffer(lib.ones(3), persistent=False)
        module.double()
        return list(module.state_dict()), [n for n, _ in module.named_buffers()], [str(module.kept.dtype)[-7:]]

    ours, theirs = both(build)
    assert ours == theirs


def test_uninitialized_parameters_can_be_copied():
    model = copy.deepcopy(tg.nn.LazyLinear(3, dtype=tg.float64))
    assert model(tg.ones(2, 4, dtype=tg.float64)).shape == (2, 3)
    with pytest.raises(ValueError, match="neither shape nor elements"):
        tg.nn.LazyLinear(3).weight + 1


def test_lazy_modules():
    def build(lib):
        model = lib.nn.Sequential(
            lib.nn.LazyConv2d(3, 3), lib.nn.LazyBatchNorm2d(), lib.nn.Flatten(), lib.nn.LazyLinear(2)
        )
        twin = lib.nn.Sequential(
            lib.nn.LazyConv2d(3, 3), lib.nn.LazyBatchNorm2d(), lib.nn.Flatten(), lib.nn.LazyLinear(2)
        )
        text, keys = repr(model), list(model.state_dict())
        model.double(), twin.double()
        out = model(lib.ones(2, 4, 5, 5, dtype=lib.float64))
        twin.load_state_dict(model.state_dict())
        again = twin.eval()(lib.ones(2, 4, 5, 5, dtype=lib.float64))
        return [text, repr(model)], [keys, [type(m).__name__ for m in model]], [out, again], [repr(model), repr(twin)]

    ours, theirs = both(build)
    assert ours[:2] == theirs[:2]
    assert ours[3][0] == ours[3][1]  # PyTorch leaves sizes of 0 in what was loaded
    all_near(ours[2], theirs[2])


def test_an_old_state_dict_without_the_number_of_batches_loads():
    model = tg.nn.BatchNorm1d(3)
    state = {k: v for k, v in torch.nn.BatchNorm1d(3).state_dict().items() if "num" not in k}
    assert not model.load_state_dict({k: tg.tensor(v.numpy()) for k, v in state.items()}).missing_keys


def test_errors_of_loading_are_those_of_pytorch():
    def build(lib):
        model = lib.nn.Sequential(lib.nn.Conv2d(1, 2, 3), lib.nn.BatchNorm2d(2))
        state = model.state_dict()
        state["0.weight"] = lib.ones(2, 1, 1, 1)
        state["2.extra"] = lib.ones(1)
        del state["1.running_var"]
        with pytest.raises(RuntimeError) as caught:
            model.load_state_dict(state)
        del state["0.weight"]
        return str(caught.value), repr(model.load_state_dict(state, strict=False))

    ours, theirs = both(build)
    assert [t.replace("tapegrad", "torch") for t in ours] == list(theirs)


def test_pretrained_embeddings():
    def build(lib):
        table = lib.arange(12.0).reshape(4, 3)
        one = lib.nn.Embedding.from_pretrained(table, padding_idx=1)
        bag = lib.nn.EmbeddingBag.from_pretrained(table, freeze=False, mode="sum")
        out = one(lib.tensor([0, 1])), bag(lib.tensor([[0, 1], [2, 3]]))
        return list(out), [repr(one), repr(bag), one.weight.requires_grad, bag.weight.requires_grad]

    ours, theirs = both(build)
    all_near(ours[0], theirs[0], 0)
    assert ours[1] == theirs[1]


def test_adaptive_softmax_predicts():
    def build(lib):
        model = lib.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [2, 5])
        x = 4 * lib.randn(20, 8)
        return model.log_prob(x), model.predict(x)

    ours, theirs = both(build)
    all_near(ours, theirs)


# Utilities


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


def test_every_module_of_pytorch_is_there():
    names = [n for n in dir(torch.nn) if isinstance(getattr(torch.nn, n), type)]
    assert [n for n in names if not hasattr(tg.nn, n)] == ["Container"]  # which PyTorch has given up


def test_second_derivatives_through_recurrent_layers():
    def build(lib):
        model = lib.nn.LSTM(3, 4, bidirectional=True)
        x = lib.randn(3, 2, 3, requires_grad=True)
        out = model(x)[0]
        (grad,) = lib.autograd.grad(out.square().sum(), x, create_graph=True)
        grad.square().sum().backward()
        return [x.grad, *(p.grad for p in model.parameters())]

    all_near(*both(build), 1e-4)
