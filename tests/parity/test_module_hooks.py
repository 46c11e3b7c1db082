"""Hooks around forward and backward of modules against PyTorch."""

import pytest

import tapegrad as tg

from .hooked_modules import Log, linear, lists, ones
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


# Forward


@pair
def forward_hooks_in_order(lib):
    m, log = linear(lib), Log()
    m.register_forward_pre_hook(lambda mod, args: log("pre 1", mod is m, lists(args)))
    m.register_forward_pre_hook(lambda mod, args: (args[0] * 2,))
    m.register_forward_pre_hook(lambda mod, args: log("pre 0", lists(args)), prepend=True)
    m.register_forward_hook(lambda mod, args, out: log("post 1", lists(args), out.tolist()))
    m.register_forward_hook(lambda mod, args, out: out * 10)
    m.register_forward_hook(lambda mod, args, out: log("post 0", out.tolist()), prepend=True)
    return m(ones(lib, 1, 2)), log


@pair
def a_pre_hook_returns_one_value(lib):
    m = linear(lib)
    m.register_forward_pre_hook(lambda mod, args: args[0] * 3)
    return m(ones(lib, 1, 2))


def scaled(lib):
    class Scaled(lib.nn.Module):
        def forward(self, x, scale=1, fail=False):
            if fail:
                raise KeyError("mine")
            return x * scale

    return Scaled()


@pair
def hooks_with_keyword_arguments(lib):
    m, log = scaled(lib), Log()
    m.register_forward_pre_hook(lambda mod, args, kwargs: log("pre", len(args), dict(kwargs)), with_kwargs=True)
    m.register_forward_pre_hook(lambda mod, args, kwargs: (args, {"scale": 5}), with_kwargs=True)
    m.register_forward_hook(lambda mod, args, kwargs, out: log("post", dict(kwargs), out.tolist()), with_kwargs=True)
    return m(ones(lib, 2), scale=3), log


@pair
def a_pre_hook_with_keyword_arguments_that_returns_too_little(lib):
    m = scaled(lib)
    m.register_forward_pre_hook(lambda mod, args, kwargs: args, with_kwargs=True)
    m(ones(lib, 2))


@pair
def hooks_that_are_always_called(lib):
    m, log = scaled(lib), Log()
    m.register_forward_hook(lambda mod, args, out: log("always", out is None), always_call=True)
    m.register_forward_hook(lambda mod, args, out: log("else"))
    try:
        m(ones(lib, 2), fail=True)
    except KeyError:
        log("error")
    m(ones(lib, 2))
    return log


@pair
def always_called_once_when_another_hook_fails(lib):
    m, log = scaled(lib), Log()
    m.register_forward_hook(lambda mod, args, out: log("first"), always_call=True)

    def fail(mod, args, out):
        raise KeyError

    m.register_forward_hook(fail)
    m.register_forward_hook(lambda mod, args, out: log("last"), always_call=True)
    try:
        m(ones(lib, 2))
    except KeyError:
        return log


@pair
def hooks_removed(lib):
    m, log = linear(lib), Log()
    a = m.register_forward_hook(lambda *a: log("post"))
    b = m.register_forward_pre_hook(lambda *a: log("pre"))
    with a:
        m(ones(lib, 1, 2))
    m(ones(lib, 1, 2))
    b.remove()
    m(ones(lib, 1, 2))
    return log


@pair
def hooks_inside_a_sequential(lib):
    net, log = lib.nn.Sequential(linear(lib), lib.nn.ReLU(), linear(lib)), Log()
    for k in range(3):
        net[k].register_forward_hook(lambda mod, args, out, k=k: log(k, out.tolist()))
    return net(ones(lib, 1, 2)), log


# Backward


@pair
def full_backward_hooks(lib):
    m, log = linear(lib), Log()
    m.register_full_backward_hook(lambda mod, i, o: log("hook", mod is m, lists(i), lists(o)))
    m.register_full_backward_hook(lambda mod, i, o: (i[0] * 10,))
    m.register_full_backward_hook(lambda mod, i, o: log("first", lists(i)), prepend=True)
    m.register_full_backward_pre_hook(lambda mod, o: log("pre", lists(o)))
    m.register_full_backward_pre_hook(lambda mod, o: (o[0] * 2,))
    x = ones(lib, 1, 2, requires_grad=True)
    m(x).sum().backward()
    return log, x.grad, m.weight.grad


@pair
def full_backward_hooks_where_no_input_wants_a_gradient(lib):
    m, log = linear(lib), Log()
    m.register_full_backward_hook(lambda mod, i, o: log(lists(i), lists(o)))
    m.register_full_backward_pre_hook(lambda mod, o: (o[0] * 3,))
    m(ones(lib, 1, 2)).sum().backward()
    return log, m.weight.grad


@pair
def a_gradient_returned_where_no_input_wants_one(lib):
    m = linear(lib)
    m.register_full_backward_hook(lambda mod, i, o: o)
    m(ones(lib, 1, 2)).sum().backward()


def several(lib):
    class Several(lib.nn.Module):
        def forward(self, x, k, y):
            return x * k, (x * y).sum(), "text"

    return Several()


@pair
def full_backward_hooks_with_several_inputs_and_outputs(lib):
    m, log = several(lib), Log()
    m.register_full_backward_hook(lambda mod, i, o: log(lists(i), lists(o)))
    x, y = ones(lib, 2, requires_grad=True), ones(lib, 2)
    a, b, text = m(x, 3, y)
    (a.sum() * b).backward()
    return log, x.grad, text


@pair
def only_one_output_used(lib):
    m, log = several(lib), Log()
    m.register_full_backward_hook(lambda mod, i, o: log(lists(i), lists(o)))
    x, y = ones(lib, 2, requires_grad=True), ones(lib, 2, requires_grad=True)
    m(x, 3, y)[0].sum().backward()
    return log, x.grad, y.grad


@pair
def too_many_gradients_returned(lib):
    m = linear(lib)
    m.register_full_backward_hook(lambda mod, i, o: (i[0], i[0]))
    m(ones(lib, 1, 2, requires_grad=True)).sum().backward()


@pair
def writing_to_the_output_of_a_hooked_module(lib):
    m = linear(lib)
    m.register_full_backward_hook(lambda mod, i, o: None)
    m(ones(lib, 1, 2)).add_(1)


@pair
def backward_hooks_under_no_grad(lib):
    m, log = linear(lib), Log()
    m.register_full_backward_hook(lambda mod, i, o: log("never"))
    with lib.no_grad():
        return m(ones(lib, 1, 2)), log


@pair
def backward_hooks_and_second_order(lib):
    m, log = linear(lib), Log()
    m.register_full_backward_hook(lambda mod, i, o: log(lists(i)))
    x = ones(lib, 1, 2, requires_grad=True)
    (g,) = lib.autograd.grad((m(x) ** 3).sum(), x, create_graph=True)
    return g, lib.autograd.grad(g.sum(), x), log


# All modules


@pair
def hooks_of_all_modules(lib):
    module, log = lib.nn.modules.module, Log()
    net = lib.nn.Sequential(linear(lib), lib.nn.ReLU())
    net[0].register_forward_hook(lambda mod, args, out: log("own"))
    handles = [
        module.register_module_forward_pre_hook(lambda mod, args: log("pre", type(mod).__name__)),
        module.register_module_forward_hook(lambda mod, args, out: log("post", type(mod).__name__)),
        module.register_module_full_backward_pre_hook(lambda mod, o: log("back pre", type(mod).__name__)),
        module.register_module_full_backward_hook(lambda mod, i, o: log("back", type(mod).__name__, lists(i))),
    ]
    net(ones(lib, 1, 2, requires_grad=True)).sum().backward()
    for h in handles:
        h.remove()
    net(ones(lib, 1, 2))
    return log


@pair
def values_that_are_no_tensors_beside_one_without_a_gradient(lib):
    class Several(lib.nn.Module):
        def forward(self, x, y):
            return x * 2, None, 5, y * 3

    log, m = [], Several()
    m.register_full_backward_hook(lambda mod, i, o: log.append(([g is None for g in o], i[0].tolist(), o[0].tolist())))
    x = ones(lib, 1, 2).requires_grad_()
    m(x, ones(lib, 1, 2))[0].sum().backward()
    return log, x.grad.tolist()


def legacy(lib, m):
    log = []
    handle = m.register_backward_hook(lambda mod, i, o: log.append((type(mod).__name__, [g.tolist() for g in o])))
    x = ones(lib, 1, 2).requires_grad_()
    m(x).sum().backward()
    handle.remove()
    m(x).sum().backward()
    return log


@pair
def the_older_backward_hook(lib):
    class Twice(lib.nn.Module):
        def forward(self, x):
            return {"y": [x * 2]}["y"][0]

    return legacy(lib, Twice())


@pair
def the_older_backward_hook_may_replace(lib):
    m = lib.nn.Tanh()
    m.register_backward_hook(lambda mod, i, o: (i[0] * 10,))
    x = ones(lib, 1, 2).requires_grad_()
    m(x).sum().backward()
    return x.grad.tolist()


@pair
def the_older_backward_hook_beside_a_full_one(lib):
    m = linear(lib)
    m.register_backward_hook(lambda mod, i, o: None)
    m.register_full_backward_hook(lambda mod, i, o: None)


@pair
def a_full_backward_hook_beside_the_older_one(lib):
    m = linear(lib)
    m.register_full_backward_hook(lambda mod, i, o: None)
    m.register_backward_hook(lambda mod, i, o: None)


# What PyTorch cannot tell


def test_the_older_backward_hook_of_all_modules():  # in PyTorch it must not follow a full one in the same program
    log = []
    handle = tg.nn.modules.module.register_module_backward_hook(lambda mod, i, o: log.append((type(mod).__name__, o)))
    with pytest.raises(RuntimeError, match="not both"):
        tg.nn.modules.module.register_module_full_backward_hook(lambda mod, i, o: None)
    m, x = tg.nn.Tanh(), ones(tg, 1, 2).requires_grad_()
    m(x).sum().backward()
    handle.remove()
    m(x).sum().backward()
    assert [(name, [g.tolist() for g in o]) for name, o in log] == [("Tanh", [[[1.0, 1.0]]])]


def test_a_module_without_hooks_is_called_straight():
    m = linear(tg)
    assert not m._hooked
    handle = m.register_forward_hook(lambda *a: None)
    assert m._hooked
    handle.remove()
    m(ones(tg, 1, 2))
    assert not m._hooked
    handle = tg.nn.modules.module.register_module_forward_hook(lambda *a: None)
    assert m._hooked
    handle.remove()
    m(ones(tg, 1, 2))
    assert not m._hooked
