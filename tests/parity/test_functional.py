"""``autograd.functional`` against PyTorch."""

import numpy as np
import pytest

import tapegrad as tg

from .alike import both

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

rng = np.random.default_rng(0)
X, W = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))

FUNCTIONS = {
    "one": (lambda m: lambda x: (x.sin() * x).sum(), (X,)),
    "one in a tuple": (lambda m: lambda x, w: (x @ w.T).tanh().square().sum(), (X, W)),
    "several": (lambda m: lambda x, w: ((x @ w.T).tanh(), w.sum(), x * 2), (X, W)),
    "vector": (lambda m: lambda x: m.softmax(x, -1), (X,)),
}


def arguments(t, arrays, requires=False):
    made = tuple(t(a).requires_grad_(requires) for a in arrays)
    return made[0] if len(made) == 1 else made


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("what", ["vjp", "jvp"])
def test_products(what, name, create):
    make, arrays = FUNCTIONS[name]

    def program(m, t):
        f, xs = make(m), arguments(t, arrays, create)
        if what == "jvp":
            v = arguments(t, [a + 1 for a in arrays])
        else:
            out = f(*xs) if isinstance(xs, tuple) else f(xs)
            v = tuple(o.detach() + 1 for o in out) if isinstance(out, tuple) else out.detach() + 1
        return getattr(m.autograd.functional, what)(f, xs, v, create_graph=create)

    both(program)


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("name", ["one", "one in a tuple"])
@pytest.mark.parametrize("what", ["vhp", "hvp"])
def test_products_with_hessians(what, name, create):
    make, arrays = FUNCTIONS[name]
    both(lambda m, t: getattr(m.autograd.functional, what)(
        make(m), arguments(t, arrays, create), arguments(t, [a + 1 for a in arrays]), create_graph=create))  # fmt: skip


@pytest.mark.parametrize("options", [
    {}, {"vectorize": True}, {"create_graph": True}, {"create_graph": True, "vectorize": True},
    {"vectorize": True, "strategy": "forward-mode"}])  # fmt: skip
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobians(name, options):
    make, arrays = FUNCTIONS[name]
    create = options.get("create_graph", False)
    both(lambda m, t: m.autograd.functional.jacobian(make(m), arguments(t, arrays, create), **options))


@pytest.mark.parametrize("options", [
    {}, {"vectorize": True}, {"create_graph": True},
    {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}])  # fmt: skip
@pytest.mark.parametrize("name", ["one", "one in a tuple"])
def test_hessians(name, options):
    make, arrays = FUNCTIONS[name]
    create = options.get("create_graph", False)
    history = "outer_jacobian_strategy" not in options  # PyTorch's requires grad there although nobody asked for it
    both(lambda m, t: m.autograd.functional.hessian(make(m), arguments(t, arrays, create), **options), history)


REFUSED = {
    "a vector": lambda m, t: m.autograd.functional.hessian(lambda x: x * 2, t(X)),
    "no v": lambda m, t: m.autograd.functional.vjp(lambda x: x * 2, t(X)),
    "another v": lambda m, t: m.autograd.functional.vjp(lambda x: x * 2, t(X), t(W)),
    "strict": lambda m, t: m.autograd.functional.jacobian(lambda x: t(W) * 1, t(X), strict=True),
    "strict input": lambda m, t: m.autograd.functional.vjp(
        lambda x, w: x * 1, (t(X), t(W)), t(X), strict=True),
    "strict hessian": lambda m, t: m.autograd.functional.hessian(lambda x: x.sum(), t(X), strict=True),
    "strict and vectorize": lambda m, t: m.autograd.functional.jacobian(
        lambda x: x, t(X), strict=True, vectorize=True),
    "forward without vectorize": lambda m, t: m.autograd.functional.jacobian(
        lambda x: x, t(X), strategy="forward-mode"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_pytorch(name):
    with pytest.raises(Exception) as theirs:
        REFUSED[name](torch, torch.tensor)
    kind = next(k for k in theirs.type.__mro__ if k.__module__ == "builtins")
    with pytest.raises(kind):
        REFUSED[name](tg, tg.tensor)
