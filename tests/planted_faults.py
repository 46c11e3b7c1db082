"""Programs for the comparison of backends, and the faults that are planted into a backend's kernels."""

import numpy as np
import pytest

import tapegrad as tg

__all__ = ["FAULTS", "VALUES", "exponential", "leaf", "one_element", "plant", "scaled", "squashed"]

F = tg.nn.functional


VALUES = np.random.default_rng(5).normal(size=4096).astype(np.float32)


def leaf(*shape, at=0):
    size = int(np.prod(shape))
    return tg.tensor(VALUES[at : at + size].reshape(shape).copy(), requires_grad=True)


def scaled(result, before):
    return (result * (1 + 1e-3)).astype(result.dtype)


def one_element(result, before):
    """The largest, so that the fault does not drown in the rounding of its neighbours."""
    made = result.copy()
    worst = np.unravel_index(np.argmax(np.abs(made)), made.shape)
    made[worst] *= 1 + 1e-3
    return made


def plant(monkeypatch, backend, name, fault):
    """Let a kernel of the backend return faulty numbers, or leave them in the arrays that it updates."""
    fused = name.endswith("_vjp")
    real = getattr(type(backend) if fused else backend, name)

    def wrong(*args):
        if name.endswith("_update"):
            before = [p.copy() for p in args[0]]
            real(*args)
            for p, old in zip(args[0], before, strict=True):
                p[...] = old + fault(p - old, None)
            return None
        out = real(*args)
        if type(out) is tuple:
            first = next(i for i, o in enumerate(out) if o is not None)
            return (*out[:first], fault(np.asarray(out[first]), None), *out[first + 1 :])
        return fault(np.asarray(out), None)

    monkeypatch.setattr(type(backend) if fused else backend, name, wrong, raising=False)


# What is planted, the program, the direction, the line to blame, the step and the number of the input whose gradient it
# is.
FAULTS = []


def fault(name, direction, line, step=None, gradient_of=None):
    def note(program):
        FAULTS.append(pytest.param(name, program, direction, line, step, gradient_of, id=name + "-" + direction))
        return program

    return note


@fault("mul", "forward", "y = leaf(5) * leaf(5, at=9)")
def product():
    y = leaf(5) * leaf(5, at=9)
    y.sum().backward()


@fault("exp", "forward", "y = x.exp()")
def exponential():
    x = leaf(40)
    y = x.exp()
    (y * 2).sum().backward()


@fault("sigmoid", "forward", "y = leaf(3, 4).sigmoid()")
def gate():
    y = leaf(3, 4).sigmoid()
    y.sum().backward()


@fault("matmul", "forward", "y = leaf(3, 4) @ leaf(4, 5)")
def matrices():
    y = leaf(3, 4) @ leaf(4, 5)
    y.sum().backward()


@fault("softmax", "forward", "y = (leaf(3, 4) * 2).softmax(1)")
def weights():
    y = (leaf(3, 4) * 2).softmax(1)
    y[0].sum().backward()


@fault("sum", "forward", "y = x.sum(1)")
def rows():
    x = leaf(6, 7)
    y = x.sum(1)
    y.mean().backward()


@fault("cat", "forward", "y = tg.cat([x, x * 2])")
def joined():
    x = leaf(6)
    y = tg.cat([x, x * 2])
    (y * y).mean().backward()


@fault("gather", "forward", "y = x.gather(1, tg.tensor([[0], [2]]))")
def picked():
    x = leaf(2, 3)
    y = x.gather(1, tg.tensor([[0], [2]]))
    (y * y).mean().backward()


@fault("cumsum", "forward", "y = leaf(9).cumsum(0)")
def running():
    y = leaf(9).cumsum(0)
    (y * y).mean().backward()


@fault("linear", "forward", "hidden = layer(leaf(5, 4))")
def layer():
    layer = tg.nn.Sequential(tg.nn.Linear(4, 3), tg.nn.Tanh())
    hidden = layer(leaf(5, 4))
    hidden.mean().backward()


@fault("unslice", "backward", "y = x[1:4] * 2", "slice", 0)
def part():
    x = leaf(6)
    y = x[1:4] * 2
    y.mean().backward()


@fault("unindex", "backward", "y = x[tg.tensor([0, 0, 3])]", "index", None)
def some():
    x = leaf(6)
    y = x[tg.tensor([0, 0, 3])]
    (y * y).mean().backward()


@fault("ungather", "backward", "y = x.gather(1, tg.tensor([[0, 0], [2, 1]]))", "gather", 0)
def gathered():
    x = leaf(2, 3)
    y = x.gather(1, tg.tensor([[0, 0], [2, 1]]))
    (y * y).mean().backward()


@fault("neg", "backward", "y = a - b", "sub", 1)
def difference():
    a, b = leaf(4), leaf(4, at=8)
    y = a - b
    (y * y).mean().backward()


@fault("cos", "backward", "y = leaf(30).sin()", "sin", 0)
def wave():
    y = leaf(30).sin()
    (y * y).mean().backward()


@fault("expand", "backward", "y = x.mean(0)", "mean", 0)
def spread():
    x = leaf(4, 5)
    y = x.mean(0)
    (y * y).max().backward()


@fault("div", "backward", "y = (x * x + 1).log()", "log", 0)
def logarithm():
    x = leaf(7)
    y = (x * x + 1).log()
    y.mean().backward()


@fault("tanh_vjp", "backward", "y = x.tanh()", "tanh", 0)
def squashed():
    x = leaf(3, 5)
    y = x.tanh()
    (y * y).mean().backward()


@fault("square_vjp", "backward", "y = x.square()", "square", 0)
def squared():
    x = leaf(3, 5)
    y = x.square()
    (y * y).mean().backward()


@fault("log_softmax_vjp", "backward", "y = x.log_softmax(1)", "log_softmax", 0)
def logarithms():
    x = leaf(3, 5)
    y = x.log_softmax(1)
    (y * y).mean().backward()


@fault("linear_vjp", "backward", "y = net(x)", "linear", 0)
def network():
    net, x = tg.nn.Sequential(tg.nn.Linear(4, 3), tg.nn.ReLU()), leaf(5, 4)
    y = net(x)
    (y * y).mean().backward()


@fault("softmax_xent_vjp", "backward", "loss = F.cross_entropy(x, tg.tensor([0, 1, 1]))", "softmax_xent", 0)
def classification():
    x = leaf(3, 5)
    loss = F.cross_entropy(x, tg.tensor([0, 1, 1]))
    loss.backward()


@fault("adam_update", "update", "optimizer.step()")
def training():
    w = leaf(4, 5)
    optimizer = tg.optim.Adam([w], lr=1e-3)
    (w * w).mean().backward()
    optimizer.step()
