"""Transforms of functions against PyTorch: every function on small programs."""

import numpy as np
import pytest

import tapegrad as tg

from .alike import both

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")]

rng = np.random.default_rng(0)
X, W, V = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=(5, 4))
B, GAIN = rng.normal(size=4), rng.normal(size=3)
IDS = np.array([2, 0, 2, 1, 4])
CLASSES = np.array([1, 3, 0, 2, 1])


def mlp(m, p, x):
    return m.tanh(x @ p["w1"].T + p["b1"]) @ p["w2"].T


def parameters(t):
    return {"w1": t(W), "b1": t(B), "w2": t(V)}


def loss(m, p, x):
    return mlp(m, p, x).square().sum()


def normed(m, x, gain):
    centred = x - x.mean(-1, keepdim=True)
    return m.softmax(centred / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt() * gain, -1)


def energy(m, t):
    return lambda w: (m.tanh(t(X) @ w.T) ** 2).sum()


def moons(m, t):
    """Higher derivatives through an index, a loop and a reduction."""

    def value(x):
        state = x
        for k in range(3):
            state = m.sin(state) + x[k % 3] * state.sum()
        return (state[t(np.array([0, 2, 2]))] ** 2).sum()

    return value


F = {
    "grad": lambda m, t: m.func.grad(lambda x: (x.sin() * x).sum())(t(X)),
    "grad of grad": lambda m, t: m.func.grad(m.func.grad(lambda x: x**3 * 2))(t(2.0)),
    "grad of grad of grad": lambda m, t: m.func.grad(m.func.grad(m.func.grad(lambda x: x.sin() * x**3)))(t(2.0)),
    "no confusion of levels": lambda m, t: m.func.grad(lambda x: x * m.func.grad(lambda y: x + y)(t(1.0)))(t(1.0)),
    "no confusion, nonlinear": lambda m, t: m.func.grad(lambda x: x * m.func.grad(lambda y: x * y**2)(x))(t(3.0)),
    "grad by containers": lambda m, t: m.func.grad(lambda p, x: loss(m, p, x))(parameters(t), t(X)),
    "grad by two": lambda m, t: m.func.grad(lambda x, w: (x @ w.T).tanh().sum(), (0, 1))(t(X), t(W)),
    "grad by the last": lambda m, t: m.func.grad(lambda x, w: (x @ w.T).tanh().sum(), -1)(t(X), t(W)),
    "grad with aux": lambda m, t: m.func.grad(lambda x: (x.sin().sum(), {"a": x * 2}), has_aux=True)(t(X)),
    "grad of what does not depend": lambda m, t: m.func.grad(lambda x: t(2.0) * 3)(t(X)),
    "grad and value": lambda m, t: m.func.grad_and_value(lambda x: x.exp().sum())(t(X)),
    "grad and value with aux": lambda m, t: (
        m.func.grad_and_value(lambda x: (x.exp().sum(), x.sum()), has_aux=True)(t(X))),
    "grad with keywords": lambda m, t: m.func.grad(lambda x, *, k: (x * k).sum())(t(X), k=3.0),
    "grad inside no_grad": lambda m, t: inside_no_grad(m, t),
    "no_grad inside grad": lambda m, t: m.func.grad(lambda x: no_grad_part(m, x))(t(X)),
    "gradient of a leaf": lambda m, t: m.func.grad(lambda x: (x**3).sum())(t(X).requires_grad_()),
    "closure that requires grad": lambda m, t: closure(m, t),
    "vjp": lambda m, t: pulled(m, lambda x, w: (x @ w.T).tanh(), (t(X), t(W)), t(V)),
    "vjp of containers": lambda m, t: pulled(
        m, lambda d: {"u": d["a"] * d["b"], "v": d["a"].sum()}, ({"a": t(X), "b": t(2 * X)},),
        {"u": t(X), "v": t(2.0)}),
    "jvp": lambda m, t: m.func.jvp(lambda x, w: ((x @ w.T).tanh(), w.sum()), (t(X), t(W)), (t(X + 1), t(W - 1))),
    "jvp with aux": lambda m, t: m.func.jvp(lambda x: (x.sin(), x * 2), (t(X),), (t(X + 1),), has_aux=True),
    "jvp of what does not depend": lambda m, t: m.func.jvp(lambda x: (x * 2, t(W) * 1), (t(X),), (t(X),)),
    "jvp of logcumsumexp": lambda m, t: m.func.jvp(lambda x: m.logcumsumexp(x, 1), (t(X),), (t(-X),)),
    "grad of jvp": lambda m, t: m.func.grad(lambda x: m.func.jvp(lambda y: m.sin(y) * y, (x,), (t(X),))[1].sum())(t(X)),
    "jvp of grad": lambda m, t: m.func.jvp(m.func.grad(energy(m, t)), (t(W),), (t(2 * W),)),
    "linearize": lambda m, t: linear(m, t),
    "jacrev of softmax": lambda m, t: m.func.jacrev(lambda x: m.softmax(x @ t(W).T, -1))(t(X)),
    "jacfwd of softmax": lambda m, t: m.func.jacfwd(lambda x: m.softmax(x @ t(W).T, -1))(t(X)),
    "jacrev of a norm": lambda m, t: m.func.jacrev(lambda x, g: normed(m, x, g), (0, 1))(t(X), t(GAIN)),
    "jacfwd of a norm": lambda m, t: m.func.jacfwd(lambda x, g: normed(m, x, g), (0, 1))(t(X), t(GAIN)),
    "jacrev in chunks": lambda m, t: m.func.jacrev(lambda x: normed(m, x, t(GAIN)), chunk_size=4)(t(X)),
    "jacrev of several": lambda m, t: (
        m.func.jacrev(lambda x, w: {"y": (x @ w.T).tanh(), "z": x * 2}, (0, 1))(t(X), t(W))),
    "jacrev of parameters": lambda m, t: m.func.jacrev(lambda p: mlp(m, p, t(X[:2])))(parameters(t)),
    "jacfwd of parameters": lambda m, t: m.func.jacfwd(lambda p: mlp(m, p, t(X[:2])))(parameters(t)),
    "jacrev with aux": lambda m, t: m.func.jacrev(lambda x: (x.sin(), x.sum()), has_aux=True)(t(GAIN)),
    "jacfwd with aux": lambda m, t: m.func.jacfwd(lambda x: (x.sin(), x.sum()), has_aux=True)(t(GAIN)),
    "hessian": lambda m, t: m.func.hessian(energy(m, t))(t(W)),
    "hessian by two": lambda m, t: (
        m.func.hessian(lambda x, w: (x @ w.T).tanh().square().sum(), (0, 1))(t(X[:2]), t(W[:2]))),
    "hessian of a loop": lambda m, t: m.func.hessian(moons(m, t))(t(GAIN)),
    "jacrev of jacfwd": lambda m, t: m.func.jacrev(m.func.jacfwd(energy(m, t)))(t(W)),
    "jacrev of jacrev": lambda m, t: m.func.jacrev(m.func.jacrev(energy(m, t)))(t(W)),
    "jacfwd of jacfwd": lambda m, t: m.func.jacfwd(m.func.jacfwd(energy(m, t)))(t(W)),
    "three jacobians": lambda m, t: m.func.jacfwd(m.func.jacrev(m.func.jacrev(moons(m, t))))(t(GAIN)),
    "vmap": lambda m, t: m.vmap(lambda x: m.softmax(t(W) @ x, 0))(t(X)),
    "vmap of dot": lambda m, t: m.vmap(m.dot)(t(X), t(2 * X)),
    "vmap over nested dims": lambda m, t: nested_dims(m, t),
    "vmap with None": lambda m, t: m.vmap(lambda x, w: w @ x, (0, None))(t(X), t(W)),
    "vmap over a later dim": lambda m, t: m.vmap(lambda x: x * x.sum(), in_dims=1, out_dims=-1)(t(X)),
    "vmap with a constant result": lambda m, t: m.vmap(lambda x: (x.sum(), t(W)), out_dims=(0, None))(t(X)),
    "vmap of a constant": lambda m, t: m.vmap(lambda x: t(GAIN) * 2)(t(X)),
    "vmap in chunks": lambda m, t: m.vmap(lambda x: (x.sin(), x.sum()), chunk_size=2)(t(X)),
    "nested vmap": lambda m, t: m.vmap(lambda x: m.vmap(lambda w: (w * x).sum().exp())(t(W)))(t(X)),
    "nested vmap, three deep": lambda m, t: (
        m.vmap(lambda x: m.vmap(lambda w: m.vmap(lambda v: (w * x).sum() + v)(t(B)))(t(W)))(t(X))),
    "nested vmap over both dims": lambda m, t: m.vmap(m.vmap(lambda a: a.sin() * 2, 0), 1, 1)(t(X)),
    "vmap over an index": lambda m, t: m.vmap(lambda i: t(X)[i].sum())(t(IDS).reshape(5, 1)),
    "vmap of gather": lambda m, t: m.vmap(lambda x, i: x.gather(0, i))(t(X), t(CLASSES[:, None] % 3)),
    "vmap of sort": lambda m, t: m.vmap(lambda x: tuple(m.sort(x, descending=True)))(t(X)),
    "vmap of writes": lambda m, t: m.vmap(lambda x: written(x))(t(X)),
    "vmap of where": lambda m, t: m.vmap(lambda x: m.where(x > 0, x.exp(), -x).cumsum(0))(t(X)),
    "vmap of cat and stack": lambda m, t: (
        m.vmap(lambda x: m.stack([m.cat([x, t(GAIN)]), m.cat([t(GAIN), x])], 1))(t(X))),
    "vmap of cross entropy": lambda m, t: (
        m.vmap(lambda x, c: m.nn.functional.cross_entropy(x[None], c[None]))(t(V), t(CLASSES % 4))),
    "vmap of linear": lambda m, t: (
        m.vmap(m.nn.functional.linear, (None, 0, 0))(t(X), t(np.stack([W, 2 * W])), t(np.stack([B, B])))),
    "vmap of integers": lambda m, t: m.vmap(lambda i: (i * 2 + 1) // 3)(t(IDS)),
    "vmap of grad": lambda m, t: m.vmap(m.func.grad(lambda x: (x.tanh() * t(W)).sum()))(t(X)),
    "gradients of every sample": lambda m, t: (
        m.vmap(m.func.grad(lambda p, x: loss(m, p, x)), (None, 0))(parameters(t), t(X))),
    "grad of vmap": lambda m, t: m.func.grad(lambda p: m.vmap(lambda x: loss(m, p, x))(t(X)).sum())(parameters(t)),
    "grad of vmap of grad": lambda m, t: m.func.grad(
        lambda w: m.vmap(m.func.grad(lambda x: ((w @ x).tanh() ** 2).sum()))(t(X)).square().sum())(t(W)),
    "vmap of grad of vmap": lambda m, t: m.vmap(m.func.grad(
        lambda x: m.vmap(lambda w: (w * x).sum().tanh())(t(W)).sum()))(t(X)),
    "vmap of jacrev": lambda m, t: m.vmap(m.func.jacrev(lambda x: m.softmax(t(W) @ x, -1)))(t(X)),
    "vmap of jacfwd": lambda m, t: m.vmap(m.func.jacfwd(lambda x: m.softmax(t(W) @ x, -1)))(t(X)),
    "vmap of hessian": lambda m, t: m.vmap(m.func.hessian(lambda x: m.softmax(t(W) @ x, -1).square().sum()))(t(X)),
    "vmap of jvp": lambda m, t: (
        m.vmap(lambda x, v: m.func.jvp(lambda y: m.softmax(t(W) @ y, -1), (x,), (v,)))(t(X), t(2 * X))),
    "grad of vmap of hessian": lambda m, t: m.func.grad(lambda w: m.vmap(m.func.hessian(
        lambda x: m.softmax(w @ x, -1).square().sum()))(t(X)).square().sum())(t(W)),
    "grad of vmap of jacrev": lambda m, t: m.func.grad(lambda w: m.vmap(m.func.jacrev(
        lambda x: (w @ x).tanh()))(t(X)).square().sum())(t(W)),
    "jacrev of vmap": lambda m, t: m.func.jacrev(lambda w: m.vmap(lambda x: (w @ x).tanh())(t(X)))(t(W)),
    "vmap of vjp": lambda m, t: basis(m, t),
    "vmap of autograd.grad": lambda m, t: over_cotangents(m, t, False),
    "is_grads_batched": lambda m, t: over_cotangents(m, t, True),
    "is_grads_batched, recorded": lambda m, t: recorded_batch(m, t),
    "ensemble": lambda m, t: ensemble(m, t),
    "functional_call": lambda m, t: called(m, t),
}  # fmt: skip


@pytest.mark.parametrize("name", F)
def test_as_in_pytorch(name):
    both(F[name])


def inside_no_grad(m, t):
    x = t(X).requires_grad_()
    with m.no_grad():
        return m.func.grad(lambda y: (y**3).sum())(x)


def no_grad_part(m, x):
    with m.no_grad():
        factor = x * 2
    return (factor * x).sum()


def closure(m, t):
    w = t(W).requires_grad_()
    g = m.func.grad(lambda x: (x @ w.T).tanh().sum())(t(X))
    return g, m.autograd.grad(g.square().sum(), w)


def pulled(m, f, primals, cotangent):
    out, back = m.func.vjp(f, *primals)
    return out, back(cotangent), back(cotangent)


def linear(m, t):
    out, push = m.func.linearize(lambda x, w: (x @ w.T).tanh(), t(X), t(W))
    return out, push(t(X), t(W)), push(t(2 * X), t(W))


def nested_dims(m, t):
    def f(a, b, c):
        return {"u": a * b, "v": (c["a"].sum() + a, b)}

    c = {"a": t(np.arange(60.0).reshape(3, 5, 4))}
    return m.vmap(f, in_dims=(0, None, {"a": 1}), out_dims={"u": 1, "v": (0, None)})(t(X), t(GAIN), c)


def written(x):
    out = x.new_zeros(4)
    out[1] = x[2]
    out[2:] += x[:2] * 3
    y = x.clone()
    y.mul_(2).add_(out[:3])
    y[0] = out.sum()
    return out, y


def basis(m, t):
    _, back = m.func.vjp(lambda x: (x @ t(W).T).tanh(), t(X))
    return m.vmap(back)(t(np.eye(20).reshape(20, 5, 4)))


def over_cotangents(m, t, batched):
    x = t(X).requires_grad_()
    y, units = (x @ t(W).T).tanh(), t(np.eye(20).reshape(20, 5, 4))
    if batched:
        return m.autograd.grad(y, x, units, is_grads_batched=True)
    return m.vmap(lambda v: m.autograd.grad(y, x, v, retain_graph=True)[0])(units)


def recorded_batch(m, t):
    x, w = t(X).requires_grad_(), t(W).requires_grad_()
    y, units = (x @ t(W).T).tanh(), t(np.eye(20).reshape(20, 5, 4))
    (g, none) = m.autograd.grad(y, (x, w), units, is_grads_batched=True, create_graph=True, allow_unused=True)
    assert none is None
    return g, m.autograd.grad(g.square().sum(), x)


def models(m, t, count):
    made = []
    for k in range(count):
        model = m.nn.Sequential(m.nn.Linear(3, 4), m.nn.Tanh(), m.nn.Linear(4, 2))
        with m.no_grad():
            for i, p in enumerate(model.parameters()):
                p.copy_(t(np.random.default_rng(10 * k + i).normal(size=tuple(p.shape))))
        made.append(model)
    return made


def ensemble(m, t):
    several = models(m, t, 3)
    params, buffers = m.func.stack_module_state(several)
    x = t(X.astype(np.float32))

    def one(p, b, x):
        return m.func.functional_call(several[0], (p, b), (x,))

    def total(p):
        return m.vmap(one, (0, 0, None))(p, buffers, x).square().sum()

    out = m.vmap(one, (0, 0, None))(params, buffers, x)
    slopes = m.func.grad(total)({k: v.detach() for k, v in params.items()})
    return {k: rounded(v) for k, v in slopes.items()}, rounded(out)


def rounded(x):
    """Computed in float32: compared to five digits."""
    return (x.detach().double() * 1e3).round() / 1e3


def called(m, t):
    (model,) = models(m, t, 1)
    double = {name: p.detach() * 2 for name, p in model.named_parameters()}
    before = [p.detach().clone() for p in model.parameters()]
    out = m.func.functional_call(model, double, t(X.astype(np.float32)))
    return rounded(out), before, list(model.parameters())


def test_columns_in_chunks():
    whole = tg.func.jacfwd(lambda x: normed(tg, x, tg.tensor(GAIN)))(tg.tensor(X))
    parts = tg.func.jacfwd(lambda x: normed(tg, x, tg.tensor(GAIN)), chunk_size=4)(tg.tensor(X))
    np.testing.assert_allclose(parts.numpy(), whole.numpy(), rtol=1e-12)


# What is refused

REFUSED = {
    "item": lambda m, t: m.vmap(lambda x: x.sum().item() * x)(t(X)),
    "branch": lambda m, t: m.vmap(lambda x: x if x.sum() > 0 else -x)(t(X)),
    "mask": lambda m, t: m.vmap(lambda x: x[x > 0])(t(X)),
    "nonzero": lambda m, t: m.vmap(lambda x: x.nonzero())(t(X)),
    "random": lambda m, t: m.vmap(lambda x: x + m.rand(3))(t(X)),
    "dropout": lambda m, t: m.vmap(lambda x: m.nn.functional.dropout(x))(t(X)),
    "write into what is not batched": lambda m, t: m.vmap(lambda x: t(GAIN).add_(x))(t(X)),
    "sizes that differ": lambda m, t: m.vmap(lambda x, y: x)(t(X), t(W)),
    "nothing to map": lambda m, t: m.vmap(lambda x: x, None)(t(X)),
    "all None": lambda m, t: m.vmap(lambda x: x, (None,))(t(X)),
    "no arguments": lambda m, t: m.vmap(lambda: 1)(),
    "dims of another structure": lambda m, t: m.vmap(lambda x, y: x, (0,))(t(X), t(X)),
    "a dim that is not there": lambda m, t: m.vmap(lambda x: x, 2)(t(X)),
    "a dim for a number": lambda m, t: m.vmap(lambda x, k: x * k, 0)(t(X), 2.0),
    "a result that is no tensor": lambda m, t: m.vmap(lambda x: 1)(t(X)),
    "out_dims None for a batched result": lambda m, t: m.vmap(lambda x: x, out_dims=None)(t(X)),
    "out_dims of another structure": lambda m, t: m.vmap(lambda x: x, out_dims=(0, 0))(t(X)),
    "an unknown randomness": lambda m, t: m.vmap(lambda x: x, randomness="some")(t(X)),
    "chunks of nothing": lambda m, t: m.vmap(lambda x: x, chunk_size=0)(t(X)),
    "grad of a vector": lambda m, t: m.func.grad(lambda x: x * 2)(t(X)),
    "grad of a number": lambda m, t: m.func.grad(lambda x: 2.0)(t(X)),
    "grad by integers": lambda m, t: m.func.grad(lambda x: x.sum())(t(IDS)),
    "argnums out of range": lambda m, t: m.func.grad(lambda x: x.sum(), 1)(t(X)),
    "no pair for aux": lambda m, t: m.func.grad(lambda x: x.sum(), has_aux=True)(t(X)),
    "cotangents of another structure": lambda m, t: m.func.vjp(lambda x: x, t(X))[1]((t(X), t(X))),
    "tangents of another shape": lambda m, t: m.func.jvp(lambda x: x, (t(X),), (t(W),)),
    "tangents not in a tuple": lambda m, t: m.func.jvp(lambda x: x, t(X), t(X)),
    "unknown parameters": lambda m, t: m.func.functional_call(m.nn.Linear(3, 4), {"other": t(W)}, t(X)),
    "missing parameters": lambda m, t: m.func.functional_call(m.nn.Linear(3, 4), {}, t(X), strict=True),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_pytorch(name):
    with pytest.raises(Exception) as theirs:
        REFUSED[name](torch, torch.tensor)
    kind = next(k for k in theirs.type.__mro__ if k.__module__ == "builtins")
    with pytest.raises(kind):
        REFUSED[name](tg, tg.tensor)


# Randomness: shapes and sameness; the numbers are those of one draw of the whole batch


@pytest.mark.parametrize("randomness", ["same", "different"])
@pytest.mark.parametrize(
    "name", ["rand", "randn", "randint", "randperm", "bernoulli", "dropout", "normal_", "uniform_", "rand_like"]
)
def test_random_numbers_differ_or_not(name, randomness):
    draws = {
        "rand": lambda x: tg.rand(6), "randn": lambda x: tg.randn(6), "randint": lambda x: tg.randint(0, 1000, (6,)),
        "randperm": lambda x: tg.randperm(20), "bernoulli": lambda x: tg.bernoulli(tg.full((40,), 0.5)),
        "dropout": lambda x: tg.nn.functional.dropout(tg.ones(40)), "normal_": lambda x: x.new_zeros(6).normal_(),
        "uniform_": lambda x: x.new_zeros(6).uniform_(), "rand_like": lambda x: tg.rand_like(x),
    }  # fmt: skip
    out = tg.vmap(draws[name], randomness=randomness)(tg.zeros(4, 3)).numpy()
    assert out.shape[0] == 4
    rows = {row.tobytes() for row in out}
    assert len(rows) == (1 if randomness == "same" else 4)


def test_one_draw_makes_the_numbers_of_the_whole_batch():
    def program(m):
        m.manual_seed(3)
        return m.vmap(lambda x: m.rand(6) + x, randomness="different")(m.zeros(4, 6))

    np.testing.assert_array_equal(program(tg).numpy(), program(torch).numpy())
