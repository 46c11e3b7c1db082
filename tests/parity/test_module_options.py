"""Modules and options beside PyTorch's module database, and what modules refuse."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest

import tapegrad as tg

from . import module_cases
from .module_pairs import all_near, both, flat

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


@pytest.fixture(params=["numpy", "numba"])
def backend(request):
    with tg.backends.use(request.param):
        yield request.param


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
