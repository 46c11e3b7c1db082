"""Trainings that differentiate gradients: WGAN-GP, MAML and a PINN give PyTorch's losses with PyTorch's seed."""

from itertools import pairwise

import numpy as np
import pytest

import tapegrad

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

STEPS = 20


def network(lib, sizes, activation):
    layers = []
    for wide, narrow in pairwise(sizes):
        layers += [lib.nn.Linear(wide, narrow), activation()]
    return lib.nn.Sequential(*layers[:-1])


def wgan_gp(lib, dtype):
    """A critic with gradient penalty (I. Gulrajani et al., Improved training of Wasserstein GANs, 2017)."""
    critic = network(lib, (2, 32, 32, 1), lambda: lib.nn.LeakyReLU(0.2)).to(dtype)
    generator = network(lib, (3, 32, 2), lib.nn.ReLU).to(dtype)
    train = lib.optim.Adam(critic.parameters(), lr=1e-2, betas=(0.5, 0.9))
    train_generator = lib.optim.Adam(generator.parameters(), lr=1e-2, betas=(0.5, 0.9))
    for step in range(STEPS):
        real = lib.randn(16, 2, dtype=dtype) * 0.3 + lib.tensor([1.0, -1.0], dtype=dtype)
        fake = generator(lib.randn(16, 3, dtype=dtype))
        mix = lib.rand(16, 1, dtype=dtype)
        between = (mix * real + (1 - mix) * fake.detach()).requires_grad_()
        score = critic(between)
        (slope,) = lib.autograd.grad(score, between, lib.ones_like(score), create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(fake.detach()).mean() - critic(real).mean() + 10 * penalty
        train.zero_grad()
        loss.backward()
        train.step()
        yield loss.item()
        if step % 5 == 4:
            train_generator.zero_grad()
            (-critic(fake).mean()).backward()
            train_generator.step()


def maml(lib, dtype):
    """Sines learned in two inner steps each (C. Finn et al., Model-agnostic meta-learning, 2017), to second order."""
    model = network(lib, (1, 24, 24, 1), lib.nn.Tanh).to(dtype)
    train = lib.optim.Adam(model.parameters(), lr=1e-2)
    names, start = zip(*model.named_parameters())

    def error(weights, x, y):
        return ((lib.func.functional_call(model, dict(zip(names, weights)), (x,)) - y) ** 2).mean()

    for _ in range(STEPS):
        total = 0
        for _ in range(4):
            height, phase = lib.rand((), dtype=dtype) * 4 + 1, lib.rand((), dtype=dtype) * 3
            x, x_new = lib.rand(10, 1, dtype=dtype) * 10 - 5, lib.rand(10, 1, dtype=dtype) * 10 - 5
            weights = start
            for _ in range(2):
                slopes = lib.autograd.grad(error(weights, x, height * lib.sin(x + phase)), weights, create_graph=True)
                weights = [w - 0.02 * g for w, g in zip(weights, slopes)]
            total = total + error(weights, x_new, height * lib.sin(x_new + phase))
        train.zero_grad()
        (total / 4).backward()
        train.step()
        yield total.item()


def pinn(lib, dtype):
    """``u'' = -sin x`` with ``u(0) = u(pi) = 0`` by a network (M. Raissi et al., Physics-informed networks, 2019)."""
    model = network(lib, (1, 24, 24, 1), lib.nn.Tanh).to(dtype)
    train = lib.optim.Adam(model.parameters(), lr=5e-3)
    edges = lib.tensor([[0.0], [np.pi]], dtype=dtype)
    for _ in range(STEPS):
        x = (lib.rand(32, 1, dtype=dtype) * np.pi).requires_grad_()
        u = model(x)
        (slope,) = lib.autograd.grad(u, x, lib.ones_like(u), create_graph=True)
        (bend,) = lib.autograd.grad(slope, x, lib.ones_like(slope), create_graph=True)
        loss = ((bend + lib.sin(x)) ** 2).mean() + (model(edges) ** 2).mean()
        train.zero_grad()
        loss.backward()
        train.step()
        yield loss.item()


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-5), ("float32", 1e-4)])
@pytest.mark.parametrize("program", [wgan_gp, maml, pinn])
def test_losses(program, dtype, tolerance, backend):
    torch.manual_seed(11)
    theirs = list(program(torch, getattr(torch, dtype)))
    with tapegrad.backends.use(backend):
        tapegrad.manual_seed(11)
        ours = list(program(tapegrad, getattr(tapegrad, dtype)))
    assert len(ours) == STEPS
    assert ours[-1] != ours[0]
    np.testing.assert_allclose(ours, theirs, rtol=tolerance)
