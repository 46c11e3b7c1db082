"""Hooks on modules against PyTorch."""

import pytest

import tapegrad as tg

from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


def linear(lib, bias=True):
    made = lib.nn.Linear(2, 2, bias=bias).double()
    with lib.no_grad():
        made.weight.copy_(lib.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=lib.float64))
        if bias:
            made.bias.zero_()
    return made


def ones(lib, *shape, **kwargs):
    return lib.ones(*shape, dtype=lib.float64, **kwargs)


def lists(values):
    return [None if v is None else v.tolist() for v in values]


class Log(list):
    def __call__(self, *what):
        self.append(what if len(what) > 1 else what[0])


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


# Saving and loading


@pair
def hooks_around_state_dict(lib):
    m, log = linear(lib), Log()
    net = lib.nn.Sequential(m)
    m.register_state_dict_pre_hook(lambda mod, prefix, keep: log("save pre", prefix, keep))
    m.register_state_dict_post_hook(lambda mod, sd, prefix, meta: log("save post", list(sd), prefix, dict(meta)))
    m.register_state_dict_post_hook(lambda mod, sd, prefix, meta: sd.pop(prefix + "bias") and None)
    state = net.state_dict()
    m.register_load_state_dict_pre_hook(
        lambda mod, sd, prefix, meta, strict, *lists: log("load pre", list(sd), prefix, dict(meta), strict, lists)
    )
    m.register_load_state_dict_post_hook(lambda mod, keys: log("load post", keys.missing_keys))
    m.register_load_state_dict_post_hook(lambda mod, keys: keys.missing_keys.clear())
    net.load_state_dict(state)
    return log, list(state), [(k, dict(v)) for k, v in state._metadata.items()]


@pair
def a_pre_hook_renames(lib):
    m = linear(lib)

    def rename(mod, sd, prefix, *rest):
        sd[prefix + "weight"] = sd.pop(prefix + "w")

    m.register_load_state_dict_pre_hook(rename)
    m.load_state_dict({"w": ones(lib, 2, 2), "bias": ones(lib, 2)})
    return m.weight, m.bias


@pair
def extra_state(lib):
    class Counting(lib.nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    a, b = lib.nn.Sequential(Counting()), lib.nn.Sequential(Counting())
    a[0].count = 7
    b.load_state_dict(a.state_dict())
    missing = b.load_state_dict({}, strict=False).missing_keys
    return list(a.state_dict()), b[0].count, missing


@pair
def what_does_not_match(lib):
    net = lib.nn.Sequential(linear(lib), lib.nn.ReLU(), linear(lib, bias=False))
    state = net.state_dict()
    del state["0.bias"]
    for key in ("other", "1.x", "2.bias", "7.weight"):
        state[key] = ones(lib, 1)
    found = net.load_state_dict(state, strict=False)
    return sorted(found.missing_keys), sorted(found.unexpected_keys)


@pair
def a_module_that_loads_itself(lib):
    class Own(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = lib.nn.Parameter(ones(lib, 2))

        def _load_from_state_dict(self, sd, prefix, *rest):
            sd[prefix + "w"] = sd.pop(prefix + "old") * 2
            super()._load_from_state_dict(sd, prefix, *rest)

        def _save_to_state_dict(self, destination, prefix, keep_vars):
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "more"] = self.w.detach() * 3

    net = lib.nn.Sequential(Own())
    net.load_state_dict({"0.old": ones(lib, 2)})
    return net[0].w, net.state_dict()["0.more"]


@pair
def loading_by_assignment(lib):
    m = linear(lib)
    weight = lib.ones(2, 2)
    m.load_state_dict({"weight": weight, "bias": lib.ones(2)}, assign=True)
    return m.weight.dtype, m.weight.requires_grad, type(m.weight).__name__, len(list(m.parameters()))


@pair
def loading_what_is_no_tensor(lib):
    linear(lib).load_state_dict({"weight": 3, "bias": ones(lib, 2)})


@pair
def loading_what_is_no_dictionary(lib):
    linear(lib).load_state_dict([1])


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


def test_a_load_hook_that_returns_something():
    m = linear(tg)
    m.register_load_state_dict_post_hook(lambda mod, keys: 3)
    with pytest.raises(RuntimeError, match="post-hook must change the lists of keys in place and return None"):
        m.load_state_dict(m.state_dict())


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
