"""What modules hold, against PyTorch: parameters and buffers in containers, lazy ones, loading of states."""

from __future__ import annotations

import copy

import pytest

import tapegrad as tg

from .module_pairs import all_near, both

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


def test_parameter_containers():
    def build(lib):
        plain = lib.nn.ParameterList([lib.ones(2, 3), lib.nn.Parameter(lib.zeros(4)), "text"])
        plain.append(lib.zeros(()))
        plain[0] = lib.nn.Parameter(lib.ones(1))
        named = lib.nn.ParameterDict({"b": lib.ones(2), "a": lib.nn.Parameter(lib.zeros(3, 1))})
        named.update({"c": lib.ones(1)})
        last = named.popitem()[0]
        both = named | lib.nn.ParameterDict({"z": lib.ones(5)})
        return (
            [repr(plain), repr(named), repr(both), repr(plain[1:])],
            [list(m.state_dict()) for m in (plain, named, both)],
            [len(plain), last, list(both), "a" in named, [n for n, _ in plain.named_parameters()]],
        )

    ours, theirs = both(build)
    assert [t.replace("tapegrad", "torch") for t in ours[0]] == theirs[0]
    assert ours[1:] == theirs[1:]


def test_buffers():
    def build(lib):
        module = lib.nn.Module()
        module.kept = lib.nn.Buffer(lib.ones(2))
        module.lost = lib.nn.Buffer(lib.ones(3), persistent=False)
        module.double()
        return list(module.state_dict()), [n for n, _ in module.named_buffers()], [str(module.kept.dtype)[-7:]]

    ours, theirs = both(build)
    assert ours == theirs


def test_uninitialized_parameters_can_be_copied():
    model = copy.deepcopy(tg.nn.LazyLinear(3, dtype=tg.float64))
    assert model(tg.ones(2, 4, dtype=tg.float64)).shape == (2, 3)
    with pytest.raises(ValueError, match="neither shape nor elements"):
        tg.nn.LazyLinear(3).weight + 1


def test_lazy_modules():
    def build(lib):
        model = lib.nn.Sequential(
            lib.nn.LazyConv2d(3, 3), lib.nn.LazyBatchNorm2d(), lib.nn.Flatten(), lib.nn.LazyLinear(2)
        )
        twin = lib.nn.Sequential(
            lib.nn.LazyConv2d(3, 3), lib.nn.LazyBatchNorm2d(), lib.nn.Flatten(), lib.nn.LazyLinear(2)
        )
        text, keys = repr(model), list(model.state_dict())
        model.double(), twin.double()
        out = model(lib.ones(2, 4, 5, 5, dtype=lib.float64))
        twin.load_state_dict(model.state_dict())
        again = twin.eval()(lib.ones(2, 4, 5, 5, dtype=lib.float64))
        return [text, repr(model)], [keys, [type(m).__name__ for m in model]], [out, again], [repr(model), repr(twin)]

    ours, theirs = both(build)
    assert ours[:2] == theirs[:2]
    assert ours[3][0] == ours[3][1]  # PyTorch leaves sizes of 0 in what was loaded
    all_near(ours[2], theirs[2])


def test_an_old_state_dict_without_the_number_of_batches_loads():
    model = tg.nn.BatchNorm1d(3)
    state = {k: v for k, v in torch.nn.BatchNorm1d(3).state_dict().items() if "num" not in k}
    assert not model.load_state_dict({k: tg.tensor(v.numpy()) for k, v in state.items()}).missing_keys


def test_errors_of_loading_are_those_of_pytorch():
    def build(lib):
        model = lib.nn.Sequential(lib.nn.Conv2d(1, 2, 3), lib.nn.BatchNorm2d(2))
        state = model.state_dict()
        state["0.weight"] = lib.ones(2, 1, 1, 1)
        state["2.extra"] = lib.ones(1)
        del state["1.running_var"]
        with pytest.raises(RuntimeError) as caught:
            model.load_state_dict(state)
        del state["0.weight"]
        return str(caught.value), repr(model.load_state_dict(state, strict=False))

    ours, theirs = both(build)
    assert [t.replace("tapegrad", "torch") for t in ours] == list(theirs)
