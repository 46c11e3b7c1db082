"""Hooks around saving and loading of modules, and modules that do it themselves, against PyTorch."""

import pytest

import tapegrad as tg

from .hooked_modules import Log, linear, ones
from .pairs import Pairs

pytestmark = pytest.mark.parity
pair = Pairs()


@pair.parameters()
def test_like_pytorch(name):
    pair.check(name)


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


# What PyTorch cannot tell


def test_a_load_hook_that_returns_something():
    m = linear(tg)
    m.register_load_state_dict_post_hook(lambda mod, keys: 3)
    with pytest.raises(RuntimeError, match="post-hook must change the lists of keys in place and return None"):
        m.load_state_dict(m.state_dict())
