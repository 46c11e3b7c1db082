"""The edges: expressions at which values, gradients and refusals are to be PyTorch's, one table for all of them.

An expression is of `lib`, `F` (its `nn.functional`) and the names in `scope`. ``expressions`` lists them by theme.
"""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np

EACH = ("mean", "sum", "none")
ERRORS = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits")
CLASSES = ("cross_entropy", "nll_loss")
FLOATS, WHOLE = ("float32", "float64"), ("int64", "bool")
KINKS = "[nan, -inf, inf, 0.0, -0.0, 1.0, -1.0]"
LOGITS = "[[1., 2, 3], [4, 5, 9]]"


def scope(lib):
    """What the expressions can name."""

    def leaf(x):
        return lib.tensor(x, requires_grad=True) if isinstance(x, (list, float)) else x.requires_grad_()

    def grads(function, *xs):
        """The result, and the gradients of its sum."""
        leaves = [leaf(x) for x in xs]
        y = function(*leaves)
        y.sum().backward()
        return [y, [x.grad for x in leaves]]

    def second(function, x):
        """The gradient, and the gradient of its sum."""
        x = leaf(x)
        (g,) = lib.autograd.grad(function(x).sum(), x, create_graph=True)
        return [g, lib.autograd.grad(g.sum(), x)]

    def layer(module, x):
        return [grads(module, x), [p.grad for p in module.parameters()]]

    def penalty(activation):
        """The gradients of a gradient's square: of parameters that it does not depend on they are zeros."""
        model = lib.nn.Sequential(lib.nn.Linear(3, 4), activation, lib.nn.Linear(4, 1))
        (g,) = lib.autograd.grad(model(x := leaf([[1.0, 2.0, 3.0], [0.0, -1.0, -4.0]])).sum(), x, create_graph=True)
        g.pow(2).sum().backward()
        return [lib.tensor(-77.0) if p.grad is None else p.grad for p in model.parameters()]

    def stepped(name, **options):
        p = lib.ones(2, requires_grad=True)
        optimizer = getattr(lib.optim, name)([p], **{"lr": 0.1, **options})
        for _ in range(2):
            p.grad = lib.ones(2) * 0.5
            optimizer.step()
        return p

    def without_grad(name):
        p = lib.ones(2)
        p.grad = lib.ones(2)
        getattr(lib.optim, name)([p], lr=0.1).step()
        return p

    def twice(name):
        p = lib.ones(2, requires_grad=True)
        optimizer = getattr(lib.optim, name)([p, p], lr=0.1)
        p.grad = lib.ones(2)
        optimizer.step()
        return p

    def written(x, write):
        write(x)
        return x

    def part(split, write, leaf=True):
        """The base and its gradient after a write to one of several views made at once."""
        x = lib.arange(6.0, requires_grad=leaf)
        y = (x * 1).reshape(2, 3)
        write(split(y)[0])
        if leaf:
            y.sum().backward()
        return [y, x.grad] if leaf else y

    def unrecorded(x):
        with lib.no_grad():
            x.mul_(2)

    def first(data, **options):
        return next(iter(lib.utils.data.DataLoader(data, batch_size=2, **options)))

    return {
        **{k: v for k, v in locals().items() if k not in ("leaf", "lib")},
        "lib": lib, "F": lib.nn.functional, "init": lib.nn.init, "nn": lib.nn, "tensor": lib.tensor, "ones": lib.ones,
        "zeros": lib.zeros, "nan": math.nan, "inf": math.inf, "np": np, "len_of": lambda x: lib.tensor(len(x)),
    }  # fmt: skip


def _probabilities():
    x, t = "[0., 1., 0., 1., .5]", "[0., 0., 1., 1., .3]"
    for r in EACH:
        yield f"grads(lambda x, y: F.binary_cross_entropy(x, y, reduction='{r}'), {x}, {t})"
        weight = "tensor([1., 2, 3, 4, 5])"
        yield f"grads(lambda x, y: F.binary_cross_entropy(x, y, {weight}, reduction='{r}'), {x}, {t})"
    yield "second(lambda x: F.binary_cross_entropy(x, tensor([0., 1., .3])), [.2, .5, .9])"
    yield "second(lambda x: F.binary_cross_entropy(tensor([.2, .4, .9]), x), [.2, .5, .9])"
    pairs = (
        "[.2, .4], [2., -1.]", "[.2, .4], [nan, 1.]", "[nan, .4], [1., 1.]", "[-.1, .4], [1., 1.]", "[.2, .4], [1, 1]",
        "[1, 0], [1, 1]", "[.2, .4], [True, False]", "[.2, .4], [[1.], [1.]]", "[.2, .4], [1.]",
    )  # fmt: skip
    for pair in pairs:
        yield f"F.binary_cross_entropy(*map(tensor, ({pair})))"
        yield f"F.binary_cross_entropy_with_logits(*map(tensor, ({pair})))"
    yield "F.binary_cross_entropy(tensor([.1, .4]), tensor([1., 1.]).double())"
    yield "F.binary_cross_entropy(tensor([.1, .4]).double(), tensor([1., 1.]).double())"
    yield "F.binary_cross_entropy(tensor([.1, .4]), tensor([1., 1.]), tensor([1., 2.]).double())"
    yield "F.binary_cross_entropy(tensor([.1, .4]), tensor([1., 1.]), tensor([1., 2., 3.]))"
    yield "F.binary_cross_entropy(zeros(0), zeros(0))"
    yield "F.binary_cross_entropy(zeros(0, 3), zeros(0, 3), reduction='none')"
    big = "[1000., -1000., 0., -0.], [0., 1., .5, 2.]"
    yield f"grads(lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction='none'), {big})"
    options = "pos_weight=tensor([2., 3., 0.]), weight=tensor([1., 2., 3.])"
    yield f"grads(lambda x, y: F.binary_cross_entropy_with_logits(x, y, {options}), [1., -2., 80.], [0., 1., .5])"
    yield "F.binary_cross_entropy_with_logits(ones(2), ones(2), pos_weight=ones(3))"


def _errors():
    for f, i, t, r in itertools.product(ERRORS, FLOATS + WHOLE, ("float64", *WHOLE), ("mean", "none")):
        yield f"F.{f}(tensor([0, 1, 2]).to(lib.{i}), tensor([1, 1, 0]).to(lib.{t}), reduction='{r}')"
    for f in ERRORS:
        if f != "huber_loss":  # PyTorch's backward refuses what its forward has taken
            for t in ("float64", *WHOLE):
                yield f"grads(lambda x: F.{f}(x, tensor([1, 1, 0]).to(lib.{t})), [0., 1., 3.])"
        for r in EACH:
            yield f"grads(lambda x: F.{f}(x, zeros(0, 2), reduction='{r}'), zeros(0, 2))"
            call = f"lambda x, y: F.{f}(x, y, reduction='{r}')"
            yield f"grads({call}, [0., 1., 2., nan, nan], [nan, 1., 0., nan, 0.])"
            yield f"grads({call}, [0., 1., 2., inf, -inf, inf], [inf, -inf, 0., 0., 0., inf])"
            yield f"grads({call}, [0., 1., -1., 2., -3., .5], [0.] * 6)"
        if f != "l1_loss":  # PyTorch's zeros there cannot be read
            yield f"second(lambda x: F.{f}(x, zeros(6)), [0., 1., -1., 2., -3., .5])"
            yield f"second(lambda x: F.{f}(zeros(6), x), [0., 1., -1., 2., -3., .5])"
        yield f"grads(F.{f}, [[0., 1.], [2., 3.]], [[1.], [2.]])"
        yield f"grads(F.{f}, 1.0, 3.0)"
        yield f"grads(lambda x: F.{f}(x.t(), ones(2, 3).t()), lib.arange(6.).reshape(2, 3))"
        yield f"F.{f}(ones(2), [1., 1.])"
        yield f"F.{f}(ones(2), ones(2), reduction='mea')"
    yield "F.smooth_l1_loss(ones(2), zeros(2), beta=-1.)"
    yield "F.huber_loss(ones(2), zeros(2), delta=0.)"
    yield "grads(lambda x, y: F.huber_loss(x, y, delta=.5), [0., .5, -.5, 2.], [0.] * 4)"
    yield "grads(lambda x, y: F.smooth_l1_loss(x, y, beta=.5), [0., .5, -.5, 2.], [0.] * 4)"


def _classes():
    short = f"tensor({LOGITS})"
    for w in ("ones(2)", "ones(5)", "ones(1, 3)", "tensor(2.)", "ones(3).double()", "ones(3).long()", "[1., 1., 1.]"):
        for s, r in itertools.product((0.0, 0.1), EACH):
            yield f"F.cross_entropy({short}, tensor([0, 1]), {w}, label_smoothing={s}, reduction='{r}')"
        yield f"F.cross_entropy(tensor([1., 2, 3]), tensor(1), {w})"
        yield f"F.cross_entropy({short}, tensor([[.1, .2, .3], [0., 1., 0.]]), {w})"
        yield f"F.nll_loss({short}, tensor([0, 1]), {w})"
        if w != "ones(1, 3)":  # PyTorch takes it here, and nowhere else
            yield f"F.cross_entropy(ones(2, 3, 4), ones(2, 4).long(), {w})"
    for s in (-0.1, 1.0, 1.1, "nan"):
        yield f"F.cross_entropy({short}, tensor([0, 1]), label_smoothing={s})"
        yield f"F.cross_entropy({short}, ones(2, 3), label_smoothing={s})"
    yield f"grads(lambda x: F.cross_entropy(x, tensor([-100, -100]), label_smoothing=.1), {LOGITS})"
    yield f"grads(lambda x: F.cross_entropy(x, tensor([[nan, 1., 0.], [0., 1., 0.]])), {LOGITS})"
    yield "F.cross_entropy(ones(2, 3), ones(2, 3).double())"
    yield "F.cross_entropy(ones(2, 3), ones(2, 3), ignore_index=1)"
    for f in CLASSES:
        for x in ("ones(2, 3).long()", "ones(2, 3).bool()", "[[1., 2., 3.]]", "tensor(1.)"):
            yield f"F.{f}({x}, tensor([0, 1]))"
        yield f"F.{f}(ones(2, 3), [0, 1])"
        yield f"F.{f}(ones(2, 3), np.array([0, 1]))"
        yield f"F.{f}(ones(2, 3), tensor([0, 1]), reduction='mea')"
        for t, w in itertools.product(("int32", "uint8", "int16", "int8", "bool", "float32"), ("None", "ones(3)")):
            yield f"grads(lambda x: F.{f}(x, tensor([0, 1]).to(lib.{t}), {w}), {LOGITS})"
        for t, w in itertools.product(("[0, 3]", "[0, -1]", "[5, -100]"), ("None", "ones(3)")):
            yield f"F.{f}(ones(2, 3), tensor({t}), {w})"
            yield f"F.{f}(ones(2, 3, 1), tensor({t}).reshape(2, 1), {w})"
        yield f"grads(lambda x: F.{f}(x, tensor([7, 1]), ignore_index=7), {LOGITS})"
        for r in EACH:
            for t, w in (("[-100, -100]", "None"), ("[0, 0]", "tensor([0., 1, 1])"), ("[0, 1]", "None")):
                yield f"grads(lambda x: F.{f}(x, tensor({t}), {w}, reduction='{r}'), {LOGITS})"
            for t, w in (("[-100, -100]", "None"), ("[0, 1]", "None"), ("[0, 1]", "tensor([2., 1, 1])")):
                yield f"second(lambda x: F.{f}(x, tensor({t}), {w}, reduction='{r}'), {LOGITS})"
            strange = "[[nan, 2, 3], [4, 5, 6.]]"
            for x, t in (("[[-inf, 2, 3], [4, 5, inf]]", "[0, 1]"), (strange, "[0, 1]"), (strange, "[-100, 1]")):
                yield f"grads(lambda x: F.{f}(x, tensor({t}), reduction='{r}'), {x})"
            weight = "tensor([nan, 1, nan])"
            yield f"grads(lambda x: F.{f}(x, tensor([-100, 1]), {weight}, reduction='{r}'), {LOGITS})"


def _shapes():
    pairs = (
        ((4,), ()), ((4,), (1,)), ((4,), (4,)), ((1, 4), (1,)), ((1, 4), ()), ((2, 4), (2, 1)), ((2, 4), (1,)),
        ((2, 4), ()), ((), ()), ((), (1,)), ((2, 4, 3), (2,)), ((2, 4, 3), (2, 3)), ((2, 4, 3), (2, 1)),
        ((2, 4, 3), (2, 4)), ((2, 4, 3, 2), (2, 3, 2)), ((2, 4, 3, 2), (2, 3)),
    )  # fmt: skip
    for x, t in pairs:
        for f, r in itertools.product(CLASSES, ("mean", "none")):
            size = math.prod(x)
            call = f"lambda x: F.{f}(x, ones({t}).long(), reduction='{r}')"
            yield f"grads({call}, lib.arange({size}.).reshape({x}))"
        yield f"F.cross_entropy(ones({x}), ones({t}))"
        yield f"F.cross_entropy(ones({x}), ones({t}).long(), label_smoothing=.1)"


def _empty():
    for m, x in itertools.product(("5, 3", "0, 3", "3, 0"), ("0", "2", "2, 0", "2, 4", "0, 4")):
        yield f"layer(nn.Linear({m}), ones({x}, {m[0]}))"
        yield f"layer(nn.Linear({m}, bias=False), ones({x}, {m[0]}))"
        yield f"layer(nn.Sequential(nn.Linear({m}), nn.ReLU()), ones({x}, {m[0]}))"
    for s, d in (("0, 3", 0), ("0, 3", 1), ("3, 0", 0), ("3, 0", 1), ("0", 0), ("2, 0, 3", 1), ("2, 0, 3", 2)):
        for f in ("softmax", "log_softmax", "logsumexp"):
            yield f"grads(lambda x: lib.{f}(x, dim={d}), zeros({s}))"
    yield "grads(lambda x: lib.logsumexp(x, dim=1, keepdim=True), zeros(3, 0))"
    yield "lib.logsumexp(zeros(3, 0), dim=(0, 1))"
    for f in ("softmax", "log_softmax", "logsumexp"):
        yield f"grads(lambda x: lib.{f}(x, 0), tensor(2.))"
    logits = (("0, 3", "0"), ("3, 0", "3"), ("0, 0", "0"), ("0, 3, 2", "0, 2"), ("2, 3, 0", "2, 0"))
    for (x, t), r in itertools.product(logits, EACH):
        for f in CLASSES:
            yield f"grads(lambda x: F.{f}(x, zeros({t}).long(), reduction='{r}'), zeros({x}))"
        yield f"grads(lambda x: F.cross_entropy(x, zeros({x}), reduction='{r}'), zeros({x}))"
    yield "lib.utils.data.DataLoader([], shuffle=True)"
    yield "len_of(list(lib.utils.data.DataLoader([])))"
    extremes = ("max", "min", "argmax", "argmin", "amax", "amin")
    for f, s, d in itertools.product(extremes, ("0", "0, 3", "3, 0"), ("", "0", "-1")):
        yield f"zeros({s}).{f}({d})"


def _kinks():
    for f in ("sign", "abs", "relu", "sigmoid", "tanh"):
        yield f"grads(lib.{f}, {KINKS})"
        yield f"tensor({KINKS}).{f}_()"
    yield f"lib.sgn(tensor({KINKS}))"
    for f in ("relu", "leaky_relu", "silu", "softplus", "logsigmoid"):
        yield f"grads(F.{f}, {KINKS})"
        yield f"second(F.{f}, [nan, 0., 1., -1.])"
    yield "grads(F.relu, lib.full((1000,), nan))"
    for activation in ("ReLU", "LeakyReLU", "Sigmoid", "Tanh"):
        yield f"penalty(nn.{activation}())"


def _arguments():
    yield from ("F.dropout(ones(3).long())", "F.dropout(ones(3).long(), training=False)", "F.dropout([1., 2.])")
    yield from ("F.dropout(ones(3).long(), p=1.0)", "tensor(1.).chunk(2)", "tensor(1.).split(2)", "tensor(1.).unbind()")
    yield from ("nn.Linear('a', 2)", "nn.Linear(3.0, 3)", "nn.Linear(-1, 3)", "nn.Linear(2, 2).load_state_dict([1, 2])")
    yield from ("nn.Linear(2, 2)(ones(2, 2).double())", "nn.Linear(2, 2)(ones(2, 2).long())")
    yield from ("nn.Linear(2, 2)(ones(2, 3))", "nn.Linear(2, 2)([[1., 2.]])", "F.linear(ones(2, 2), [[1., 2.]])")
    for o in ("SGD", "Adam", "AdamW", "RMSprop"):
        options = (
            "foreach=True", "differentiable=True", "weight_decay=-1.", "lr=0.", "lr='x'", "foo=1",
            *(("momentum=-1.",) if o in ("SGD", "RMSprop") else ("eps=-1.", "betas=(1., .9)", "amsgrad=True")),
            *(("fused=True", "fused=True, foreach=True", "fused=True, differentiable=True") if o != "RMSprop" else ()),
            *(("nesterov=True", "nesterov=True, momentum=.9, dampening=.1") if o == "SGD" else ()),
            *(("momentum=.9, centered=True", "centered=True", "alpha=-1.") if o == "RMSprop" else ()),
        )  # fmt: skip
        yield from (f"stepped('{o}', {option})" for option in options)
        yield f"lib.optim.{o}(ones(2, requires_grad=True), lr=.1)"
        yield f"lib.optim.{o}([ones(2, requires_grad=True) * 2], lr=.1)"
        yield f"lib.optim.{o}([[1.]], lr=.1)"
        yield f"without_grad('{o}')"
        yield f"twice('{o}')"
        yield f"(lambda p: lib.optim.{o}([dict(params=p), dict(params=p)], lr=.1))([ones(2, requires_grad=True)])"
    data = (
        "[1., 2.]", "[True, False]", "[np.float64(1), np.float64(2)]", "[[1], [2, 3]]", "[None, None]",
        "[(1, 2.), (3, 4.)]",
    )  # fmt: skip
    yield from (f"first({d})" for d in data)
    yield "len_of(first(['a', 'bb']))"
    yield "first([dict(x=1., n='a'), dict(x=2., n='b')])['x']"


def _memory():
    """Random numbers go along the memory of a tensor."""
    dense = ("ones(3, 5).t()", "ones(3, 20).t()", "ones(3, 5, 2).permute(2, 0, 1)", "ones(3, 1, 5).permute(2, 1, 0)")
    gaps = ("ones(3, 5)[:, ::2]", "ones(3, 5)[:, ::2].t()")
    repeated = ("ones(3, 1).expand(3, 4)", "ones(3, 1).expand(3, 4).t()")
    for x in dense + gaps + repeated:
        yield from (f"F.dropout({x}, .5)", f"lib.rand_like({x})", f"lib.randn_like({x})")
    for x in dense + gaps:
        yield f"F.dropout({x}, .5, inplace=True)"
        yield from (f"{x}.{f}_()" for f in ("uniform", "normal", "bernoulli", "exponential", "random"))


def _writes():
    """Writes whose operands share the memory written to, or through one of several views."""
    for f in ("add_", "sub_", "mul_", "div_", "copy_", "pow_", "atan2_", "eq_", "lt_", "fmod_"):
        yield f"written(lib.arange(1., 6.), lambda y: y[1:].{f}(y[:-1]))"
        yield f"written(lib.arange(1., 7.), lambda y: y[:3].{f}(y[3:]))"
    square = "lib.arange(9.).reshape(3, 3)"
    for write in ("y.add_(y.t())", "y.copy_(y.t())", "y.add_(y[0])", "y.add_(y.reshape(-1)[:3])", "y.mul_(y)"):
        yield f"written({square}, lambda y: {write})"
    yield f"written({square}, lambda y: y.mul_(y.view(3, 3)))"
    yield f"written({square}, lambda y: y[:, 0].add_(y[:, 1]))"
    yield "written(lib.arange(6.), lambda y: y[::2].add_(y[1::2]))"
    yield "written(lib.arange(5.), lambda y: y.__setitem__(slice(1, None), y[:-1]))"
    yield "written(lib.arange(5.), lambda y: y[1:].lerp_(y[:-1], .5))"
    yield "written(lib.arange(5.), lambda y: y[1:].addcmul_(y[:-1], y[:-1]))"
    yield "written(lib.arange(5.), lambda y: lib.add(y[:-1], 1., out=y[1:]))"
    yield "written(lib.arange(5.), lambda y: lib.exp(y[:-1], out=y[1:]))"
    splits = (
        "y.chunk(2)", "y.split(1)", "y.split([1, 1])", "y.unbind()", "list(y)", "y.tensor_split(2)",
        "y.unsafe_split(1)", "y.unsafe_chunk(2)", "(y[0],)",
    )  # fmt: skip
    writes = ("v.mul_(2)", "v.view(-1).mul_(2)", "v.__setitem__(0, 2.)", "unrecorded(v)")
    for split, write, leaf in itertools.product(splits, writes, (True, False)):
        if not ("unsafe" in split and leaf):  # PyTorch's are no views in the eyes of the tape
            yield f"part(lambda y: {split}, lambda v: {write}, {leaf})"


def _init():
    for s in ("5, 3", "3, 5", "4, 4", "4, 3, 2", "40, 30", "3", "0, 3"):
        yield f"init.orthogonal_(lib.empty({s}), gain=1.5)"
    for bounds in ("", ", 0., 1., -2., 2.", ", 1., 2., -.5, .5", ", 0., .02, -.04, .04", ", 10., 1., -2., 2."):
        yield f"init.trunc_normal_(lib.empty(17, 9){bounds})"
    yield from ("init.eye_(lib.empty(3, 4))", "init.eye_(lib.empty(3))", "init.sparse_(lib.empty(30, 7), .3)")
    yield "init.sparse_(lib.empty(30, 7), .3, std=.5, generator=lib.Generator().manual_seed(3))"
    yield "init.sparse_(lib.empty(3), .1)"
    for s, g in (("4, 4, 3", 1), ("4, 2, 3", 2), ("5, 3, 3, 3", 1), ("4, 4, 2, 3, 3", 1), ("4, 4", 1), ("6, 2, 3", 4)):
        yield f"init.dirac_(lib.empty({s}), {g})"


THEMES = SimpleNamespace(
    probabilities=_probabilities, errors=_errors, classes=_classes, shapes=_shapes, empty=_empty, kinks=_kinks,
    arguments=_arguments, memory=_memory, writes=_writes, init=_init,
)  # fmt: skip


def expressions(theme: str) -> list[str]:
    """The expressions of a theme, each once."""
    return list(dict.fromkeys(getattr(THEMES, theme)()))
