"""Recurrent layers beyond their values: second derivatives, batches of layers, writes in place, long sequences."""

from __future__ import annotations

import numpy as np
import pytest

import tapegrad as tg

from .module_pairs import all_near, both

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

LAYERS = {
    "rnn": (lambda nn: nn.RNN(3, 4, nonlinearity="relu"), False),
    "rnn packed": (lambda nn: nn.RNN(3, 4, bidirectional=True), True),
    "gru": (lambda nn: nn.GRU(3, 4, 2), False),
    "gru packed": (lambda nn: nn.GRU(3, 4, bidirectional=True, bias=False), True),
    "lstm packed": (lambda nn: nn.LSTM(3, 4, bidirectional=True), True),
    "lstm projected": (lambda nn: nn.LSTM(3, 4, proj_size=2, bidirectional=True), False),
}


@pytest.mark.parametrize("name", LAYERS)
def test_second_derivatives(name):
    build, packed = LAYERS[name]

    def run(lib):
        lib.manual_seed(5)
        model, x = build(lib.nn).double(), lib.randn(4, 3, 3, dtype=lib.float64, requires_grad=True)
        given = lib.nn.utils.rnn.pack_padded_sequence(x, [4, 3, 1]) if packed else x
        out, ends = model(given)
        loss = (out.data if packed else out).square().sum()
        for end in ends if isinstance(ends, tuple) else (ends,):
            loss = loss + (end.exp() * 0.3).sum()
        grads = lib.autograd.grad(loss, [x, *model.parameters()], create_graph=True)
        sum(g.square().sum() for g in grads).backward()
        return [*grads, x.grad, *(p.grad for p in model.parameters())]

    all_near(*both(run), 1e-9)


@pytest.mark.parametrize("cell", ["RNNCell", "GRUCell", "LSTMCell"])
def test_second_derivatives_of_cells(cell):
    def run(lib):
        lib.manual_seed(5)
        model, x = getattr(lib.nn, cell)(3, 4).double(), lib.randn(3, 2, 3, dtype=lib.float64, requires_grad=True)
        state = None
        for step in x:
            state = model(step, state)
        loss = sum(s.square().sum() for s in (state if cell == "LSTMCell" else (state,)))
        grads = lib.autograd.grad(loss, [x, *model.parameters()], create_graph=True)
        sum(g.square().sum() for g in grads).backward()
        return [*grads, *(p.grad for p in model.parameters())]

    all_near(*both(run), 1e-9)


@pytest.mark.parametrize("kind", ["GRU", "LSTM", "RNN"])
def test_batches_of_sequences_and_of_layers(kind):
    """``vmap`` over the input, over the weights, and gradients of every sample, against one call for each."""
    tg.manual_seed(6)
    model, x = getattr(tg.nn, kind)(3, 4, bidirectional=True).double(), tg.randn(3, 4, 2, 3).double()
    weights = {name: p.detach() for name, p in model.named_parameters()}
    several = {name: tg.stack([p, p * 0.5]) for name, p in weights.items()}

    def value(w, v):
        out, ends = tg.func.functional_call(model, w, (v,))
        return out.square().sum() + (ends[1] if kind == "LSTM" else ends).sum()

    near = lambda a, b: np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)
    near(tg.vmap(value, in_dims=(None, 0))(weights, x), tg.stack([value(weights, v) for v in x]))
    singly = [value({name: w[k] for name, w in several.items()}, x[0]) for k in range(2)]
    near(tg.vmap(value, in_dims=(0, None))(several, x[0]), tg.stack(singly))
    slopes = tg.vmap(tg.func.grad(value), in_dims=(None, 0))(weights, x)
    for k, v in enumerate(x):
        for name, want in tg.func.grad(value)(weights, v).items():
            near(slopes[name][k], want)


def test_results_may_be_written_to_apart():
    """What a layer gives are tensors of their own, as PyTorch's are: to write to one leaves the others valid."""

    def run(lib):
        lib.manual_seed(7)
        model, cell, x = lib.nn.LSTM(3, 4), lib.nn.LSTMCell(3, 4), lib.randn(3, 2, 3)
        out, (h, c) = model(x)
        loss = (out * out).sum() + (h * h).sum()
        with lib.no_grad():
            c.zero_()
        h_next, c_next = cell(x[0])
        loss = loss + (h_next * h_next).sum()
        c_next.mul_(0.5)
        (loss + c_next.sum()).backward()
        seen = [t._is_view() for t in (out, h, c, h_next, c_next)]
        return seen, [p.grad for p in (*model.parameters(), *cell.parameters())]

    (ours, grads), (theirs, wanted) = both(run)
    assert ours == theirs
    all_near(grads, wanted)


@pytest.mark.parametrize("kind", ["GRU", "LSTM", "RNN"])
def test_the_lower_types(kind):
    def run(lib):
        lib.manual_seed(8)
        model, x = getattr(lib.nn, kind)(3, 8).bfloat16(), lib.randn(20, 2, 3).bfloat16()
        out = model(x)[0]
        out.float().square().sum().backward()
        return [out.float(), *(p.grad.float() for p in model.parameters())]

    all_near(*both(run), 0.1)
