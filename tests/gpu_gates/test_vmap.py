"""Derivatives of functions and batches of them on the stand-in for a card: the kernels get its arrays only."""

import numpy as np
import pytest

import tapegrad as tg

from . import host

pytestmark = pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))

X, W = np.random.default_rng(0).normal(size=(3, 5)), np.random.default_rng(1).normal(size=(4, 5))
IDS = np.array([[0, 4], [1, 1], [3, 2]])


def written(x):
    y = x.clone()
    y[1:] *= 2
    y[0] += x.sum()
    return y


PROGRAMS = {
    "values": lambda t: tg.vmap(lambda x: tg.softmax(t(W) @ x * 2 + 1, 0))(t(X)),
    "gradients of every sample": lambda t: tg.vmap(
        tg.func.grad(lambda w, x: ((w @ x).tanh() ** 2).sum()), (None, 0))(t(W), t(X)),
    "grad of vmap": lambda t: tg.func.grad(lambda w: tg.vmap(lambda x: (w @ x).exp().sum())(t(X)).sum())(t(W)),
    "index": lambda t: tg.vmap(tg.func.grad(lambda x, i: (x[i] ** 2).sum()))(t(X), t(IDS)),
    "jacobian": lambda t: tg.func.jacrev(lambda x: (x @ t(W).T).sigmoid())(t(X)),
    "hessian": lambda t: tg.func.hessian(lambda x: (t(W) @ x).tanh().square().sum())(t(X[0])),
    "writes": lambda t: tg.vmap(written)(t(X)),
    "random numbers": lambda t: tg.vmap(
        lambda x: tg.nn.functional.dropout(x).abs() * 0 + x, randomness="different")(t(X)),
    "full": lambda t: tg.vmap(lambda x: x.new_zeros(3) + x[:3] + tg.zeros_like(x)[:3])(t(X)),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_on_the_host(name):
    want = PROGRAMS[name](tg.tensor).numpy()
    out = PROGRAMS[name](lambda a: tg.tensor(a, device="strict"))
    assert out.device.type == "strict"
    np.testing.assert_allclose(out.cpu().numpy(), want, rtol=1e-9, atol=1e-12)
