"""Layers, losses, initialisation and optimizers against PyTorch: same seed, same numbers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tapegrad as tg

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request):
    with tg.backends.use(request.param):
        yield request.param


def both(build):
    """What ``build(lib)`` gives under tapegrad and under PyTorch, each from the same seed."""
    results = []
    for lib in (tg, torch):
        lib.manual_seed(3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(build(lib))
    return results


def same(build, tol=1e-5):
    """Compare arrays, nested in tuples and lists, that ``build`` gives under both libraries."""
    ours, theirs = both(build)
    flat_ours, flat_theirs = flatten(ours), flatten(theirs)
    assert len(flat_ours) == len(flat_theirs)
    for a, b in zip(flat_ours, flat_theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tol, atol=tol)


def flatten(x):
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in flatten(part)]
    return [np.asarray(x.detach().numpy())]


LAYERS = {
    "linear": lambda lib: lib.nn.Linear(5, 4),
    "linear without bias": lambda lib: lib.nn.Linear(5, 4, bias=False),
    "relu": lambda lib: lib.nn.ReLU(),
    "leaky relu": lambda lib: lib.nn.LeakyReLU(0.2),
    "sigmoid": lambda lib: lib.nn.Sigmoid(),
    "tanh": lambda lib: lib.nn.Tanh(),
    "softmax": lambda lib: lib.nn.Softmax(dim=-1),
    "softmax over rows": lambda lib: lib.nn.Softmax(dim=0),
    "log softmax": lambda lib: lib.nn.LogSoftmax(dim=1),
    "gelu": lambda lib: lib.nn.GELU(),
    "gelu tanh": lambda lib: lib.nn.GELU("tanh"),
    "silu": lambda lib: lib.nn.SiLU(),
    "softplus": lambda lib: lib.nn.Softplus(beta=2.0),
    "dropout": lambda lib: lib.nn.Dropout(0.4),
    "flatten": lambda lib: lib.nn.Flatten(),
    "sequential": lambda lib: lib.nn.Sequential(
        lib.nn.Linear(5, 7), lib.nn.ReLU(), lib.nn.Linear(7, 6), lib.nn.Tanh(), lib.nn.Linear(6, 3), lib.nn.Sigmoid()
    ),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layer(name, dtype):
    def run(lib):
        layer = LAYERS[name](lib).to(getattr(lib, dtype))
        x = lib.randn(6, 5).to(getattr(lib, dtype)).requires_grad_()
        out = layer(x)
        (out * out).sum().backward()
        return [out, x.grad, [p.grad for p in layer.parameters()]]

    same(run)


@pytest.mark.parametrize("name", LAYERS)
def test_repr_and_state_dict(name):
    ours, theirs = both(LAYERS[name])
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def real(lib, *shape):
    return lib.randn(*shape)


def share(lib, *shape):
    return lib.rand(*shape)


def classes(lib):
    return lib.randint(0, 5, (6,))


def soft(lib):
    return lib.rand(6, 5)


LOSSES = {
    "mse": (lambda lib, r: lib.nn.MSELoss(reduction=r), lambda lib: (real(lib, 6, 5), real(lib, 6, 5))),
    "mse broadcast": (lambda lib, r: lib.nn.MSELoss(reduction=r), lambda lib: (real(lib, 6, 5), real(lib, 6, 1))),
    "l1": (lambda lib, r: lib.nn.L1Loss(reduction=r), lambda lib: (real(lib, 6, 5), real(lib, 6, 5))),
    "huber": (lambda lib, r: lib.nn.HuberLoss(reduction=r, delta=0.7), lambda lib: (real(lib, 6, 5), real(lib, 6, 5))),
    "smooth l1": (
        lambda lib, r: lib.nn.SmoothL1Loss(reduction=r, beta=0.5), lambda lib: (real(lib, 6, 5), real(lib, 6, 5))
    ),
    "bce": (lambda lib, r: lib.nn.BCELoss(reduction=r), lambda lib: (share(lib, 6, 5), share(lib, 6, 5))),
    "bce weighted": (
        lambda lib, r: lib.nn.BCELoss(weight=lib.linspace(0, 1, 5), reduction=r),
        lambda lib: (share(lib, 6, 5), share(lib, 6, 5)),
    ),
    "bce logits": (
        lambda lib, r: lib.nn.BCEWithLogitsLoss(reduction=r), lambda lib: (real(lib, 6, 5) * 50, share(lib, 6, 5))
    ),
    "bce logits pos_weight": (
        lambda lib, r: lib.nn.BCEWithLogitsLoss(pos_weight=lib.linspace(1, 3, 5), reduction=r),
        lambda lib: (real(lib, 6, 5), share(lib, 6, 5)),
    ),
    "nll": (lambda lib, r: lib.nn.NLLLoss(reduction=r), lambda lib: (real(lib, 6, 5), classes(lib))),
    "nll weighted": (
        lambda lib, r: lib.nn.NLLLoss(weight=lib.linspace(0.5, 2, 5), ignore_index=2, reduction=r),
        lambda lib: (real(lib, 6, 5), classes(lib)),
    ),
    "ce": (lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r), lambda lib: (real(lib, 6, 5) * 30, classes(lib))),
    "ce ignore": (
        lambda lib, r: lib.nn.CrossEntropyLoss(ignore_index=1, reduction=r), lambda lib: (real(lib, 6, 5), classes(lib))
    ),
    "ce weighted smooth": (
        lambda lib, r: lib.nn.CrossEntropyLoss(weight=lib.linspace(0.5, 2, 5), label_smoothing=0.1, reduction=r),
        lambda lib: (real(lib, 6, 5), classes(lib)),
    ),
    "ce smooth ignore": (
        lambda lib, r: lib.nn.CrossEntropyLoss(ignore_index=1, label_smoothing=0.2, reduction=r),
        lambda lib: (real(lib, 6, 5), classes(lib)),
    ),
    "ce soft": (lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r), lambda lib: (real(lib, 6, 5), soft(lib))),
    "ce soft weighted smooth": (
        lambda lib, r: lib.nn.CrossEntropyLoss(weight=lib.linspace(0.5, 2, 5), label_smoothing=0.1, reduction=r),
        lambda lib: (real(lib, 6, 5), soft(lib)),
    ),
    "ce images": (
        lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r),
        lambda lib: (real(lib, 2, 5, 3), lib.randint(0, 5, (2, 3))),
    ),
    "ce one": (
        lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r), lambda lib: (real(lib, 5), lib.tensor(3))
    ),
    "ce empty": (
        lambda lib, r: lib.nn.CrossEntropyLoss(reduction=r),
        lambda lib: (lib.zeros(0, 5), lib.zeros(0, dtype=lib.int64)),
    ),
    "mse empty": (lambda lib, r: lib.nn.MSELoss(reduction=r), lambda lib: (lib.zeros(0, 5), lib.zeros(0, 5))),
    "mse nan": (
        lambda lib, r: lib.nn.MSELoss(reduction=r),
        lambda lib: (real(lib, 2), lib.tensor([1.0, float("nan")])),
    ),
}  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss(name, reduction):
    make, data = LOSSES[name]

    def run(lib):
        x, y = data(lib)
        x.requires_grad_()
        loss = make(lib, reduction)(x, y)
        loss.sum().backward()
        return [loss, x.grad]

    same(run)


@pytest.mark.parametrize("name", ["mse", "huber", "bce logits", "ce", "ce ignore", "ce weighted smooth"])
def test_loss_second_order(name):
    make, data = LOSSES[name]

    def run(lib):
        x, y = data(lib)
        x.requires_grad_()
        (g,) = lib.autograd.grad(make(lib, "mean")(x, y), x, create_graph=True)
        return lib.autograd.grad((g * g).sum(), x, allow_unused=True, materialize_grads=True)

    same(run)


OPTIMIZERS = {
    "sgd": lambda lib, p: lib.optim.SGD(p, lr=0.1),
    "sgd momentum": lambda lib, p: lib.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.1),
    "sgd nesterov": lambda lib, p: lib.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "sgd maximize": lambda lib, p: lib.optim.SGD(p, lr=0.01, maximize=True, weight_decay=0.1),
    "rmsprop": lambda lib, p: lib.optim.RMSprop(p, lr=0.01),
    "rmsprop all": lambda lib, p: lib.optim.RMSprop(
        p, lr=0.01, alpha=0.9, momentum=0.5, centered=True, weight_decay=0.1
    ),
    "rmsprop maximize": lambda lib, p: lib.optim.RMSprop(p, lr=0.01, maximize=True),
    "adam": lambda lib, p: lib.optim.Adam(p, lr=0.05),
    "adam decay": lambda lib, p: lib.optim.Adam(p, lr=0.05, betas=(0.8, 0.9), weight_decay=0.1, eps=1e-5),
    "adam amsgrad": lambda lib, p: lib.optim.Adam(p, lr=0.05, amsgrad=True),
    "adam maximize": lambda lib, p: lib.optim.Adam(p, lr=0.05, maximize=True),
    "adamw": lambda lib, p: lib.optim.AdamW(p, lr=0.05),
    "adamw amsgrad": lambda lib, p: lib.optim.AdamW(p, lr=0.05, weight_decay=0.3, amsgrad=True),
    "groups": lambda lib, p: lib.optim.Adam([{"params": p[:1], "lr": 0.2}, {"params": p[1:]}], lr=0.01),
}


def model_and_data(lib):
    model = lib.nn.Sequential(lib.nn.Linear(4, 6), lib.nn.Tanh(), lib.nn.Linear(6, 2))
    return model, lib.randn(8, 4), lib.randn(8, 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_trajectory(name, dtype):
    def run(lib):
        model, x, y = model_and_data(lib)
        kind = getattr(lib, dtype)
        model, x, y = model.to(kind), x.to(kind), y.to(kind)
        optimizer = OPTIMIZERS[name](lib, list(model.parameters()))
        losses = []
        for _ in range(6):
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss)
        return [losses, list(model.parameters())]

    same(run, 1e-4)


@pytest.mark.parametrize("name", ["sgd momentum", "rmsprop all", "adam amsgrad"])
def test_optimizer_state_goes_over_from_pytorch(name):
    (model, x, y), (theirs, tx, ty) = both(model_and_data)
    optimizer = OPTIMIZERS[name](tg, list(model.parameters()))
    other = OPTIMIZERS[name](torch, list(theirs.parameters()))
    for _ in range(3):
        other.zero_grad()
        ((theirs(tx) - ty) ** 2).mean().backward()
        other.step()
    state = other.state_dict()
    number = lambda v: tg.tensor(v.numpy()) if isinstance(v, torch.Tensor) else v
    state["state"] = {k: {n: number(v) for n, v in s.items()} for k, s in state["state"].items()}
    optimizer.load_state_dict(state)
    model.load_state_dict({k: tg.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    for lib_model, lib_optimizer, a, b in ((model, optimizer, x, y), (theirs, other, tx, ty)):
        lib_optimizer.zero_grad()
        ((lib_model(a) - b) ** 2).mean().backward()
        lib_optimizer.step()
    for a, b in zip(model.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)
    keys = {k: sorted(s) for k, s in other.state_dict()["state"].items()}
    assert {k: sorted(s) for k, s in optimizer.state_dict()["state"].items()} == keys


@pytest.mark.parametrize("norm", [1.0, 2.0, float("inf")])
def test_clip_grad_norm(norm):
    def run(lib):
        model, x, y = model_and_data(lib)
        ((model(x) - y) ** 2).sum().backward()
        total = lib.nn.utils.clip_grad_norm_(model.parameters(), 0.5, norm)
        return [total, [p.grad for p in model.parameters()]]

    same(run)


INITS = [
    "uniform_",
    "normal_",
    "ones_",
    "zeros_",
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
]


@pytest.mark.parametrize("name", INITS)
def test_init(name):
    def run(lib):
        return getattr(lib.nn.init, name)(lib.empty(17, 9))

    same(run, 1e-6)


def test_loader_shuffles_alike():
    def run(lib):
        data = lib.utils.data.TensorDataset(lib.arange(23.0), lib.arange(23))
        loader = lib.utils.data.DataLoader(data, batch_size=4, shuffle=True)
        return [[list(batch) for batch in loader] for _ in range(2)] + [lib.rand(3)]

    same(run)


def test_whole_training_run():
    def run(lib):
        model = lib.nn.Sequential(lib.nn.Linear(6, 16), lib.nn.ReLU(), lib.nn.Dropout(0.2), lib.nn.Linear(16, 3))
        x, y = lib.randn(64, 6), lib.randint(0, 3, (64,))
        loader = lib.utils.data.DataLoader(lib.utils.data.TensorDataset(x, y), batch_size=16, shuffle=True)
        optimizer, criterion = lib.optim.AdamW(model.parameters(), lr=0.01), lib.nn.CrossEntropyLoss()
        losses = []
        for _ in range(4):
            for a, b in loader:
                optimizer.zero_grad()
                loss = criterion(model(a), b)
                loss.backward()
                optimizer.step()
                losses.append(loss)
        return losses

    same(run, 1e-4)


WRONG = {
    "linear sizes": lambda lib: lib.nn.Linear(3, 2)(lib.ones(4, 5)),
    "linear types": lambda lib: lib.nn.Linear(3, 2)(lib.ones(4, 3, dtype=lib.float64)),
    "class too large": lambda lib: lib.nn.functional.cross_entropy(lib.ones(2, 3), lib.tensor([0, 3])),
    "class negative": lambda lib: lib.nn.functional.cross_entropy(lib.ones(2, 3), lib.tensor([0, -1])),
    "class of floats": lambda lib: lib.nn.functional.nll_loss(lib.ones(2, 3), lib.tensor([0.0, 1.0])),
    "rows differ": lambda lib: lib.nn.functional.cross_entropy(lib.ones(2, 3), lib.tensor([0, 1, 2])),
    "bce shape": lambda lib: lib.nn.functional.binary_cross_entropy(lib.full((2, 3), 0.5), lib.ones(2)),
    "bce range": lambda lib: lib.nn.functional.binary_cross_entropy(lib.full((2,), 1.5), lib.ones(2)),
    "broadcast": lambda lib: lib.ones(2, 3) + lib.ones(4),
    "matmul": lambda lib: lib.ones(2, 3) @ lib.ones(4, 2),
    "matmul types": lambda lib: lib.ones(2, 3) @ lib.ones(3, 2, dtype=lib.float64),
    "reshape": lambda lib: lib.ones(2, 3).reshape(4, 2),
    "index": lambda lib: lib.ones(2, 3)[2],
    "dropout range": lambda lib: lib.nn.Dropout(1.5),
    "learning rate": lambda lib: lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=-1.0),
    "no parameters": lambda lib: lib.optim.SGD([], lr=1.0),
    "integer gradient": lambda lib: lib.ones(2, dtype=lib.int64).requires_grad_(),
    "missing key": lambda lib: lib.nn.Linear(2, 2).load_state_dict({"weight": lib.ones(2, 2)}),
    "wrong shape": lambda lib: lib.nn.Linear(2, 2).load_state_dict({"weight": lib.ones(3, 2), "bias": lib.ones(2)}),
    "foreign target": lambda lib: lib.nn.functional.mse_loss(lib.ones(2), [1.0, 1.0]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_pytorch_refuses_is_refused(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as theirs:
            WRONG[name](torch)
        with pytest.raises(Exception) as ours:
            WRONG[name](tg)
    assert type(ours.value) in (type(theirs.value), RuntimeError, ValueError, TypeError)
    assert not isinstance(ours.value, AttributeError)
    assert len(str(ours.value)) > 15
